"""The table of what is searched, and all reads of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Self

from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, Subquery

from todo_project.db.words import typing_errors
from todo_project.db.words.documents import Documents, register
from todo_project.db.words.fields import TitleField, WordsField, WordsIndex, WordsQuery
from todo_project.todos.models import Membership, Task

# of both indexes, in KiB: what is not yet sorted in, which each search reads
PENDING = 1024


class DocumentQuerySet(models.QuerySet["Document"]):
    """All reads of documents."""

    def owned_by(self, user_id: uuid.UUID) -> Self:
        """Filter to the documents of tasks in the user's own projects."""
        return self.filter(owner_id=user_id)

    def shared_with(self, user_id: uuid.UUID) -> Self:
        """Filter to the documents of tasks in other people's projects that this user is a member of.

        With the ids of the projects in the statement, PostgreSQL estimates how many documents there are.
        """
        joined = Membership.objects.of_user(user_id).values_list("project_id", flat=True)
        return self.filter(project_id__in=list(joined)).exclude(owner_id=user_id)

    def nth_newest(self, place: int) -> uuid.UUID | None:
        """Return the id of what was created last but some, or None if there are not so many."""
        return self.order_by("-object_id").values_list("object_id", flat=True)[place : place + 1].first()

    def newer_than(self, object_id: uuid.UUID) -> Self:
        """Filter to the documents of what was created after a thing."""
        return self.filter(object_id__gt=object_id)

    def not_newer_than(self, object_id: uuid.UUID) -> Self:
        """Filter to the documents of a thing and of what was created before it."""
        return self.filter(object_id__lte=object_id)

    def of_tasks(self, tasks: models.QuerySet[Task]) -> Self:
        """Filter to the documents of these tasks."""
        return self.filter(task_id__in=tasks.order_by().values("id"))

    def with_all(self, words: Sequence[str]) -> Self:
        """Filter to texts that have all words, each as the beginning of one of their own."""
        return self.filter(words__matches=WordsQuery.all_of(words, as_prefixes=True))

    def with_all_or_similar(self, words: Sequence[str]) -> Self:
        """Filter to texts that have all words, perhaps with a typing error in some."""
        rows = self
        for word in words:
            condition = Q(words__matches=with_variants(word))
            if typing_errors.may_be_mistyped(word):
                condition |= Q(title__resembles=word)
            rows = rows.filter(condition)
        return rows

    def newest(self, limit: int, *, words: Sequence[str], is_mistyped: bool) -> list[Any]:
        """Return (kind, object_id, completed_at, title, is_whole, *has_words): of tasks first, the newest first.

        `is_whole` says whether the text has all words as they are. For mistyped words, `has_words` says of each
        whether the text has it or a variant of it; otherwise it is empty.
        """
        whole = WordsQuery.all_of(words, as_prefixes=False)
        task = Task.objects.filter(id=OuterRef("task_id"))
        rows = self.annotate(
            completed_at=Subquery(task.values("completed_at")), is_whole=_is(Q(words__matches=whole))
        )
        names = [f"has_word_{at}" for at in range(len(words))] if is_mistyped else []
        for name, word in zip(names, words, strict=False):
            rows = rows.annotate(**{name: _is(Q(words__matches=with_variants(word)))})
        columns = ("kind", "object_id", "completed_at", "title", "is_whole", *names)
        # Not by age alone: an index has this order, so PostgreSQL would read all documents of an account one after
        # the other, in the hope of soon meeting enough that match. It cannot estimate well how rare a word is.
        return list(rows.order_by("-kind", "-object_id").values_list(*columns)[:limit])


def _is(condition: Q) -> ExpressionWrapper[Q]:
    return ExpressionWrapper(condition, output_field=BooleanField())


def with_variants(word: str) -> WordsQuery:
    """Return the query for a word that begins with this one, or for what was meant by it."""
    return WordsQuery.one_of([word, *typing_errors.swapped(word)], typing_errors.otherwise_mistyped(word))


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
