"""The serializers of comments and of their earlier texts."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from django.conf import settings
from django.db import models

from todo_project.api.listing import Resource, struct_for
from todo_project.api.serializers import (
    ChangesQuery,
    IdsField,
    MergePatch,
    RowIdField,
    StrictCharField,
    StrictSerializer,
    StrictUUIDField,
    TimestampField,
)
from todo_project.comments.models import Comment, CommentQuerySet, EarlierText, EarlierTextQuerySet

MENTIONS_MAX = 100


class CommentTextField(StrictCharField):
    """The text of a comment, trimmed and not blank, of at most COMMENT_MAX_LENGTH characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": settings.COMMENT_MAX_LENGTH} | options)


class CommentSerializer(StrictSerializer):
    """A comment on a task."""

    id = RowIdField()
    task_id = StrictUUIDField(help_text="The task. It cannot be changed later.")
    author_id = StrictUUIDField(
        read_only=True, allow_null=True, help_text="Null if the author's account is deleted."
    )
    text = CommentTextField(help_text="Empty in a comment that is in the trash.")
    mentions = IdsField(
        noun="person",
        max_length=MENTIONS_MAX,
        required=False,
        help_text="The ids of members, or of the owner, that the text mentions.",
    )
    created_at = TimestampField()
    updated_at = TimestampField()
    deleted_at = TimestampField(allow_null=True)

    request_example = {"task_id": "019aaf3e-7d10-7a00-8000-0000000000a1", "text": "Bob has a ladder."}
    example = request_example | {
        "id": "019aaf3e-7d10-7a00-8000-000000000201",
        "author_id": "019aaf3e-7d10-7a00-8000-0000000000e1",
        "mentions": [],
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
        "deleted_at": None,
    }


class CommentPatch(MergePatch, CommentSerializer):
    """A JSON merge patch of a comment."""

    cleared = {"mentions": list}
    request_example = {"text": "Carol has a ladder."}


class CommentQuery(ChangesQuery):
    """The query parameters of the list of comments."""

    task_id = StrictUUIDField(help_text="The task whose comments to list.")


class EarlierTextSerializer(StrictSerializer):
    """A text that a comment had before it was changed."""

    id = RowIdField()
    text = StrictCharField(read_only=True)
    at = TimestampField(help_text="When it was written.")

    example = {
        "id": "019aaf3e-7d10-7a00-8000-000000000301",
        "text": "Bob has a lader.",
        "at": "2026-11-29T08:00:00Z",
    }


_Answer = struct_for(CommentSerializer)
_EarlierText = struct_for(EarlierTextSerializer)


def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Return the response for one tuple of columns; a deleted comment shows no text."""
    id_, task_id, author_id, text, *rest, deleted_at, _ = row
    return _Answer(id_, task_id, author_id, text if deleted_at is None else "", *rest, deleted_at)


def _of_task(rows: CommentQuerySet, *, task_id: uuid.UUID) -> CommentQuerySet:
    return rows.filter(task_id=task_id)


def _of_comment(rows: EarlierTextQuerySet, *, comment_id: uuid.UUID) -> EarlierTextQuerySet:
    return rows.filter(comment_id=comment_id)


RESOURCE = Resource(
    rows=Comment.objects.all,
    columns=(*_Answer.__struct_fields__, "version"),
    struct=_Answer,
    shape=shape,
    filters={"task_id": models.UUIDField()},
    narrow=_of_task,
    place="task_id",
)
HISTORY = Resource(
    rows=EarlierText.objects.all,
    columns=_EarlierText.__struct_fields__,
    struct=_EarlierText,
    shape=lambda row: _EarlierText(*row),
    filters={"comment_id": models.UUIDField()},
    narrow=_of_comment,
)
