"""The table of what is searched, and all reads of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Self

from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, Subquery

from todo_project.db.words.documents import Documents, register
from todo_project.db.words.fields import TitleField, WordsField, WordsIndex, WordsQuery
from todo_project.todos.models import Task

# of both indexes, in KiB: what is not yet sorted in, which each search reads
PENDING = 1024


class DocumentQuerySet(models.QuerySet["Document"]):
    """All reads of documents."""

    def owned_by(self, user_id: uuid.UUID) -> Self:
        """Filter to the documents of tasks in the user's own projects."""
        return self.filter(owner_id=user_id)

    def shared_with(self, user_id: uuid.UUID, *, joined: Sequence[uuid.UUID]) -> Self:
        """Filter to the documents of tasks in other people's projects, of which this user has joined these.

        With the ids of the projects in the statement, PostgreSQL estimates how many documents there are.
        """
        return self.filter(project_id__in=joined).exclude(owner_id=user_id)

    def nth_newest(self, place: int) -> Any:
        """Select the id of what was created last but some; no row if there are not so many."""
        return self.order_by("-object_id").values_list("object_id")[place : place + 1]

    def newer_than(self, object_id: uuid.UUID) -> Self:
        """Filter to the documents of what was created after a thing."""
        return self.filter(object_id__gt=object_id)

    def not_newer_than(self, object_id: uuid.UUID) -> Self:
        """Filter to the documents of a thing and of what was created before it."""
        return self.filter(object_id__lte=object_id)

    def with_all(self, words: WordsQuery) -> Self:
        """Filter to texts that have all words."""
        return self.filter(words__matches=words)

    def with_all_or_similar(self, variants: Sequence[WordsQuery], similar: Sequence[str | None]) -> Self:
        """Filter to texts that have a variant of each word, or in their title one that is similar to it."""
        rows = self
        for variant, word in zip(variants, similar, strict=True):
            condition = Q(words__matches=variant)
            if word is not None:
                condition |= Q(title__resembles=word)
            rows = rows.filter(condition)
        return rows

    def newest(self, limit: int, *, whole: WordsQuery, variants: Sequence[WordsQuery] = ()) -> Any:
        """Select (kind, object_id, completed_at, title, is_whole, *has_words): of tasks first, the newest first.

        `is_whole` says whether the text has all words as they are, and `has_words` of each whether it has one of
        these variants.
        """
        task = Task.objects.filter(id=OuterRef("task_id"))
        has_words = {f"has_word_{at}": _is(Q(words__matches=variant)) for at, variant in enumerate(variants)}
        rows = self.annotate(
            completed_at=Subquery(task.values("completed_at")), is_whole=_is(Q(words__matches=whole)), **has_words
        )
        columns = ("kind", "object_id", "completed_at", "title", "is_whole", *has_words)
        # Not by age alone: an index has this order, so PostgreSQL would read all documents of an account one after
        # the other, in the hope of soon meeting enough that match. It cannot estimate well how rare a word is.
        return rows.order_by("-kind", "-object_id").values_list(*columns)[:limit]


def _is(condition: Q) -> ExpressionWrapper[Q]:
    return ExpressionWrapper(condition, output_field=BooleanField())


class Document(models.Model):
    """The words of a task or a comment that is not in the trash. Triggers write it (db/words/triggers.py).

    It belongs to the owner and the project of its task. What is found is read from the tables themselves, as far as
    the person sees it.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20)
    object_id = models.UUIDField()
    task_id = models.UUIDField()
    owner_id = models.UUIDField()
    project_id = models.UUIDField()
    # folded; empty for a comment
    title = TitleField()
    # of the title and the description, or of the comment
    words = WordsField()

    objects = DocumentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["object_id", "kind"], name="document_once")]
        indexes = [
            models.Index(fields=["task_id"], name="document_of_task"),
            models.Index(fields=["owner_id", "object_id"], name="document_of_owner"),
            models.Index(fields=["project_id", "object_id"], name="document_in_project"),
            WordsIndex(fields=["words"], name="document_words", gin_pending_list_limit=PENDING),
            WordsIndex(
                fields=["title"],
                name="document_title",
                opclasses=["gin_trgm_ops"],
                gin_pending_list_limit=PENDING,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


_TASKS = """
SELECT 'task', task.id, task.id, task.owner_id, task.project_id, search_fold(task.title),
    search_words(task.title || ' ' || task.description)
FROM todos_task AS task WHERE task.deleted_at IS NULL
"""
_COMMENTS = """
SELECT 'comment', comment.id, task.id, task.owner_id, task.project_id, '', search_words(comment.text)
FROM comments_comment AS comment JOIN todos_task AS task ON task.id = comment.task_id
WHERE comment.deleted_at IS NULL AND task.deleted_at IS NULL
"""
_PLACE = ("owner_id", "project_id", "deleted_at")
# whoever writes a comment locks its task first
_BATCH = "SELECT id FROM todos_task WHERE id > %s ORDER BY id LIMIT %s FOR SHARE"
register(
    Documents(
        table="todos_task",
        kind="task",
        select=_TASKS,
        key="task.id",
        held="object_id",
        changing=("title", "description", *_PLACE),
        batch=_BATCH,
        texts="task.title || task.description",
    ),
    Documents(
        table="todos_task",
        kind="comment",
        select=_COMMENTS,
        key="task.id",
        held="task_id",
        changing=_PLACE,
        batch=_BATCH,
        texts="comment.text",
    ),
    Documents(
        table="comments_comment",
        kind="comment",
        select=_COMMENTS,
        key="comment.id",
        held="object_id",
        changing=("text", "deleted_at"),
        also=("task_id",),
    ),
)
