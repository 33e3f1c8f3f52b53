"""Writes of comments. Whatever changes how many comments a task has locks the task and counts them in its row."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from typing import Any, TypedDict

from django.db import transaction
from django.db.models import OuterRef, Subquery

from todo_project.comments.models import Comment, EarlierText
from todo_project.db.rows import uuid7
from todo_project.errors import NOT_FOUND, Forbidden, InputErrors, InvalidInput, NotFound
from todo_project.todos.models import Project, Task
from todo_project.todos.services import access, locks, people, rows
from todo_project.todos.services.access import Action

BATCH = 500


class CommentValues(TypedDict, total=False):
    """The fields that a client can set; the task only when the comment is created."""

    task_id: uuid.UUID
    text: str
    mentions: list[uuid.UUID]


class NotTheAuthor(Forbidden):
    """Somebody else wrote the comment."""


@transaction.atomic
def create_comment(
    *, user_id: uuid.UUID, values: CommentValues, now: dt.datetime, comment_id: uuid.UUID | None = None
) -> Comment:
    """Write a comment on a task.

    Raises InvalidInput for a task that the user does not see or a person who takes no part in its project,
    RoleTooLow, and IdTaken.
    """
    task = _locked_task(user_id, values["task_id"])
    if task is None:
        raise InvalidInput("You have no task with this id. Check the id.", pointer="/task_id", code="not_found")
    _require_to_comment(user_id, task)
    mentions = _checked(values.get("mentions", []), task)
    comment = Comment(
        id=comment_id or uuid7(),
        task=task,
        author_id=user_id,
        text=values["text"],
        mentions=mentions,
        written_in=task.project_id,
    )
    comment.created_at = comment.updated_at = now
    rows.insert(Comment.objects, comment)
    _count(task, 1, now=now)
    return comment


def put_comment(
    *,
    user_id: uuid.UUID,
    comment_id: uuid.UUID,
    values: CommentValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
    precondition: rows.Precondition = None,
) -> tuple[Comment, bool]:
    """Create the comment with an id that the client chose, or replace its text and mentions; see rows.put."""
    return rows.put(
        Comment.objects.visible_to(user_id),
        row_id=comment_id,
        precondition=precondition,
        create=lambda: create_comment(user_id=user_id, comment_id=comment_id, values=values, now=now),
        replace=lambda: update_comment(
            user_id=user_id,
            comment_id=comment_id,
            changes={"mentions": [], **values},
            expected_versions=expected_versions,
            now=now,
        ),
    )


@transaction.atomic
def update_comment(
    *,
    user_id: uuid.UUID,
    comment_id: uuid.UUID,
    changes: CommentValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> Comment:
    """Change a comment and keep its earlier text.

    Raises NotFound, NotTheAuthor, RoleTooLow, StaleVersion, and InvalidInput for another task or a person who takes
    no part in the project.
    """
    task, comment = _locked(user_id, comment_id, including_deleted=False)
    _require_to_comment(user_id, task)
    if comment.author_id != user_id:
        raise NotTheAuthor("Only its author can change a comment. Write a comment of your own.")
    rows.compare(comment, expected_versions=expected_versions)
    if changes.get("task_id", comment.task_id) != comment.task_id:
        raise InvalidInput(
            "A comment stays with its task. Write a new comment on the other task.",
            pointer="/task_id",
            code="another_task",
        )
    values: dict[str, Any] = {}
    if "mentions" in changes:
        values["mentions"] = _checked(changes["mentions"], task, known=comment.mentions)
    text = changes.get("text", comment.text)
    if text != comment.text:
        written_at = comment.edited_at or comment.created_at
        EarlierText.objects.create(comment=comment, text=comment.text, at=written_at)
        values |= {"text": text, "edited_at": now}
    rows.change(comment, changes=values, now=now)
    return comment


@transaction.atomic
def trash_comment(
    *, user_id: uuid.UUID, comment_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move a comment to the trash, unless it is there already.

    Raises NotFound, StaleVersion, and RoleTooLow if it is somebody else's and the user does not manage it.
    """
    task, comment = _locked(user_id, comment_id)
    if comment.author_id == user_id:
        _require_to_comment(user_id, task)
    else:
        _require_to_manage(user_id, task, comment, "Somebody else wrote this comment, so you may not delete it.")
    if comment.deleted_at is not None:
        return
    rows.compare(comment, expected_versions=expected_versions)
    rows.change(comment, changes={"deleted_at": now, "deleted_by": user_id}, now=now)
    _count(task, -1, now=now)


@transaction.atomic
def restore_comment(
    *, user_id: uuid.UUID, comment_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> Comment:
    """Restore a comment from the trash, unless it is not there.

    Raises NotFound, StaleVersion, and RoleTooLow if somebody else deleted it and the user does not manage it.
    """
    task, comment = _locked(user_id, comment_id)
    by = comment.author_id if comment.deleted_at is None else comment.deleted_by
    if by == user_id:
        _require_to_comment(user_id, task)
    else:
        _require_to_manage(user_id, task, comment, "Somebody else deleted this comment, so you may not restore it.")
    rows.compare(comment, expected_versions=expected_versions)
    if comment.deleted_at is not None:
        rows.change(comment, changes={"deleted_at": None, "deleted_by": None}, now=now)
        _count(task, 1, now=now)
    return comment


def check_history_is_seen(*, user_id: uuid.UUID, comment_id: uuid.UUID) -> None:
    """Raise NotFound, or RoleTooLow unless the user wrote the comment or manages it."""
    seen = Comment.objects.visible_to(user_id).alive().select_related("task")
    comment = seen.filter(id=comment_id).first()
    if comment is None:
        raise NotFound(NOT_FOUND)
    if comment.author_id != user_id:
        _require_to_manage(
            user_id,
            comment.task,
            comment,
            "Somebody else wrote this comment, so you may not read its earlier texts.",
        )


def fill_written_in() -> None:
    """Fill the column in comments that the release before it has written beside this one."""
    project_id = Task.objects.filter(id=OuterRef("task_id")).values("project_id")
    Comment.objects.filter(written_in=None).update(written_in=Subquery(project_id))


def purge_comments(*, before: dt.datetime) -> int:
    """Permanently delete what was moved to the trash before this time, in batches; return how many comments.

    A comment whose task is gone goes, too.
    """
    purged = 0
    for found in (Comment.objects.trashed_before(before), Comment.objects.without_task()):
        while ids := list(found.order_by("id").values_list("id", flat=True)[:BATCH]):
            # select again: somebody may have restored it meanwhile
            purged += found.filter(id__in=ids).delete()[1].get("comments.Comment", 0)
    return purged


def delete_of_tasks(*, task_ids: Collection[uuid.UUID]) -> None:
    """Delete the comments on tasks that are about to be deleted, with their earlier texts, in batches.

    In a transaction of the caller, the batches only limit the statements.
    """
    held = Comment.objects.filter(task_id__in=task_ids).values_list("id", flat=True)
    while ids := list(held[:BATCH]):
        Comment.objects.filter(id__in=ids).delete()


def forget_author(*, user_id: uuid.UUID, now: dt.datetime) -> None:
    """Keep the comments that an account has written, without naming an author, before it is deleted; in batches."""
    written = Comment.objects.filter(author_id=user_id).order_by("id").values_list("id", flat=True)
    while ids := list(written[:BATCH]):
        rows.update_all(Comment.objects.filter(id__in=ids), now=now, author=None)


def _locked_task(user_id: uuid.UUID, task_id: uuid.UUID) -> Task | None:
    """Return the task, locked after its project, so that a member who is removed meanwhile writes nothing.

    Raises MovedMeanwhile.
    """
    tasks = Task.objects.visible_to(user_id).alive().filter(id=task_id)
    held = locks.hold(Project.objects.filter(id__in=tasks.values("project_id")))
    task = tasks.locked().first()
    if task is not None and task.project_id not in held:
        raise locks.moved()
    return task


def _locked(user_id: uuid.UUID, comment_id: uuid.UUID, *, including_deleted: bool = True) -> tuple[Task, Comment]:
    """Return a comment's task and the comment, both locked; raise NotFound."""
    comments = Comment.objects.visible_to(user_id)
    task_id = comments.filter(id=comment_id).values_list("task_id", flat=True).first()
    task = _locked_task(user_id, task_id) if task_id else None
    if task is None:
        raise NotFound(NOT_FOUND)
    return task, rows.locked(comments if including_deleted else comments.alive(), row_id=comment_id)


def _require_to_comment(user_id: uuid.UUID, task: Task) -> None:
    access.require(Action.COMMENT, user_id=user_id, project_id=task.project_id, owner_id=task.owner_id)


def _require_to_manage(user_id: uuid.UUID, task: Task, comment: Comment, refusal: str) -> None:
    """Raise RoleTooLow unless the user manages the task's project and the one in which the comment was written.

    Otherwise, an editor would get the rights of an admin by moving the task to a project of their own.
    """
    written_in = Project.objects.filter(id=comment.written_in or task.project_id).values_list("id", "owner_id")
    for project_id, owner_id in ({task.project_id: task.owner_id} | dict(written_in)).items():
        role = access.role_in(user_id=user_id, project_id=project_id, owner_id=owner_id)
        if not access.allows(role, Action.MANAGE):
            where = "the task's project" if project_id == task.project_id else "the project in which it was written"
            raise access.RoleTooLow(f"{refusal} That takes the role admin in {where}.")


def _checked(mentions: list[uuid.UUID], task: Task, *, known: Iterable[str] = ()) -> list[str]:
    """Return the mentions as they are stored; raise InvalidInput for people who take no part in the project.

    Those in `known` were mentioned before, and may have left since.
    """
    errors = InputErrors()
    people.check(mentions, field="mentions", project_id=task.project_id, known=map(uuid.UUID, known), errors=errors)
    errors.raise_if_any()
    return sorted(map(str, mentions))


def _count(task: Task, difference: int, *, now: dt.datetime) -> None:
    """Change the number of comments of a locked task."""
    rows.change(task, changes={"comment_count": task.comment_count + difference}, now=now)
