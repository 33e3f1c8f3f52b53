"""The tables of comments and of their earlier texts, and all reads of them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from todo_project.db.changes.registry import Also, Logged, register, register_also
from todo_project.db.rows import uuid7
from todo_project.todos.models import Membership, Task, TrashableQuerySet, TrashableRow, trash_index
from todo_project.todos.models.logged import TASK_APPEARS, TASK_MOVES


def _sees_task(user_id: uuid.UUID, task: str) -> Q:
    """Return the condition that a user sees the task that the path `task` leads to."""
    return Q(**{f"{task}__owner_id": user_id}) | Q(**{f"{task}__project_id__in": _shared(user_id)})


def _shared(user_id: uuid.UUID) -> models.QuerySet[Membership, Any]:
    return Membership.objects.of_user(user_id).values("project_id")


class CommentQuerySet(TrashableQuerySet["Comment"]):
    """All reads of comments."""

    def visible_to(self, user_id: uuid.UUID) -> Self:
        """Filter to the comments on tasks that this user may see, including those in the trash."""
        return self.filter(_sees_task(user_id, "task"))

    def owned_by(self, user_id: uuid.UUID) -> Self:
        """Filter to the comments on tasks in the user's own projects, including those in the trash."""
        return self.filter(task__owner_id=user_id)

    def shared_with(self, user_id: uuid.UUID) -> Self:
        """Filter to the comments on tasks in other people's projects that this user is a member of."""
        return self.filter(task__project_id__in=_shared(user_id)).exclude(task__owner_id=user_id)

    def alive(self) -> Self:
        """Exclude comments in the trash, and those on tasks in the trash."""
        return self.filter(deleted_at=None, task__deleted_at=None)

    def without_task(self) -> Self:
        """Filter to the comments whose task the release before this app has deleted."""
        return self.exclude(Exists(Task.objects.filter(id=OuterRef("task_id"))))


class Comment(TrashableRow):
    """A text under a task, seen by everybody who sees the task."""

    # Without a constraint, so that the release before this app, which does not know the table, can purge tasks. The
    # index comment_list begins with the task.
    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, related_name="comments", db_index=False, db_constraint=False
    )
    # null when the author's account is gone
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    text = models.TextField()
    # the ids of the people that the text mentions, as sorted strings
    mentions = models.JSONField(default=list)
    # when the text was last changed, which is when the next earlier text was written
    edited_at = models.DateTimeField(null=True)
    # the project that the task was in, whose managers keep their rights when it moves; null in old rows
    written_in = models.UUIDField(null=True, editable=False)
    # the id of whoever moved it to the trash, who can restore it
    deleted_by = models.UUIDField(null=True, editable=False)

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [
            trash_index("comment"),
            models.Index(fields=["task", "id"], name="comment_list"),
            # tells whether a replica has the newest comments
            models.Index(fields=["updated_at"], name="comment_changes"),
        ]

    def __str__(self) -> str:
        return self.text


class EarlierTextQuerySet(models.QuerySet["EarlierText"]):
    """All reads of earlier texts."""

    def visible_to(self, user_id: uuid.UUID) -> Self:
        """Filter to the earlier texts of comments on tasks that this user may see."""
        return self.filter(_sees_task(user_id, "comment__task"))

    def changed_since(self, moment: dt.datetime) -> Self:
        """Filter to the texts of comments that changed at or after this time."""
        return self.filter(comment__updated_at__gte=moment)

    def after_id(self, last: uuid.UUID) -> Self:
        """Filter to the texts that follow this one in a list sorted by id."""
        return self.filter(id__gt=last)


class EarlierText(models.Model):
    """A text that a comment had before it was changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # the index earlier_text_list begins with the comment
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="earlier_texts", db_index=False)
    text = models.TextField()
    # when it was written
    at = models.DateTimeField()

    objects = EarlierTextQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["comment", "id"], name="earlier_text_list")]

    def __str__(self) -> str:
        return self.text


_OF_TASK = """
SELECT 'comment', id, {row}.project_id, CAST(NULL AS uuid) FROM comments_comment WHERE task_id = NEW.id
"""

register(
    Logged(
        table="comments_comment",
        kind="comment",
        project_id="(SELECT project_id FROM todos_task WHERE id = {row}.task_id)",
    )
)
register_also(
    "todos_task",
    Also(events=("UPDATE",), when=TASK_APPEARS, select=_OF_TASK.format(row="NEW")),
    Also(events=("UPDATE",), when=TASK_MOVES, select=_OF_TASK.format(row="OLD")),
    reads="comments_comment",
)
