"""What others did, from rows of the log of changes: assignments, comments and mentions."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from todo_project.accounts.models import User
from todo_project.comments.models import Comment
from todo_project.notifications.models import Notification, NotificationKind
from todo_project.notifications.services import creating, people
from todo_project.todos.models import Change, Task


def note(rows: Sequence[Change], *, now: dt.datetime) -> None:
    """Create the notifications that follow from these rows. Nobody is notified of what they did themselves."""
    creating.add([*_assignments(rows, now), *_comments(rows, now)])


def _assignments(rows: Sequence[Change], now: dt.datetime) -> Iterator[Notification]:
    """Yield who was assigned to what, unless that has ended meanwhile.

    The next task of a series has the assignees of the one before, which is no news.
    """
    assigned = [row for row in rows if row.kind == "task" and "assignees" in row.fields]
    if not assigned:
        return
    tasks = _tasks({row.object_id for row in assigned})
    created = {row.object_id for row in rows if row.kind == "task" and row.action == Change.Action.CREATED}
    repeated = set(Task.objects.filter(next_task__in=created & {*tasks}).values_list("next_task_id", flat=True))
    still = people.assignees(tasks.values())
    seeing = people.who_see(tasks.values(), still)
    for row in assigned:
        new = set(row.sides(Task)[1]["assignees"]) - {row.actor_id}
        for user in seeing.get(row.object_id, ()):
            if user.pk in new and row.object_id not in repeated:
                key = f"{row.object_id} {row.id}"
                yield _new(user, NotificationKind.ASSIGNMENT, key, row=row, task=tasks[row.object_id], now=now)


def _comments(rows: Sequence[Change], now: dt.datetime) -> Iterator[Notification]:
    """Yield who was mentioned in a comment, and who else takes part in the task that it is on."""
    written = {row.object_id: row for row in rows if row.kind == "comment" and _is_news(row)}
    if not written:
        return
    comments = list(Comment.objects.filter(id__in=written).alive().order_by("id"))
    tasks = _tasks({comment.task_id for comment in comments})
    comments = [comment for comment in comments if comment.task_id in tasks]
    taking_part = _taking_part(tasks.values())
    mentioned = {comment.id: {uuid.UUID(each) for each in comment.mentions} for comment in comments}
    wanted = {task_id: {*user_ids} for task_id, user_ids in taking_part.items()}
    for comment in comments:
        wanted[comment.task_id] |= mentioned[comment.id]
    seeing = people.who_see(tasks.values(), wanted)
    for comment in comments:
        row, is_new = written[comment.id], written[comment.id].action == Change.Action.CREATED
        for user in seeing.get(comment.task_id, ()):
            is_mentioned = user.pk in mentioned[comment.id]
            is_notified = is_mentioned or (is_new and user.pk in taking_part[comment.task_id])
            if is_notified and user.pk not in {comment.author_id, row.actor_id}:
                kind = NotificationKind.MENTION if is_mentioned else NotificationKind.COMMENT
                notification = _new(user, kind, str(comment.id), row=row, task=tasks[comment.task_id], now=now)
                notification.comment = comment
                yield notification


def _is_news(row: Change) -> bool:
    """Return whether the row is of a new comment, or of one with other mentions."""
    return row.action == Change.Action.CREATED or "mentions" in row.fields


def _new(
    user: User, kind: NotificationKind, key: str, *, row: Change, task: Task, now: dt.datetime
) -> Notification:
    notification = creating.new(user, kind, key, at=row.at, now=now)
    notification.task, notification.actor_id = task, row.actor_id
    return notification


def _tasks(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Task]:
    found = Task.objects.filter(id__in=ids).alive().defer("description", "ical").order_by()
    return {task.id: task for task in found}


def _taking_part(tasks: Iterable[Task]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Return the owner of each task, the people it is assigned to, and those who have commented on it."""
    tasks = list(tasks)
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set, people.assignees(tasks))
    for task in tasks:
        found[task.id].add(task.owner_id)
    authors = Comment.objects.filter(task__in=tasks, author__isnull=False).alive()
    for task_id, author_id in authors.order_by().values_list("task_id", "author_id").distinct():
        if author_id is not None:
            found[task_id].add(author_id)
    return found
