"""The views of comments: each validates, calls one service, and responds."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api import etag
from todo_project.api.endpoint import Endpoint, no_content
from todo_project.api.idempotency import idempotent
from todo_project.api.listing import check_new_id
from todo_project.api.operations import operation, page_of
from todo_project.api.serializers import NoBody, PageQuery
from todo_project.comments import services
from todo_project.comments.api.serializers import (
    HISTORY,
    RESOURCE,
    CommentPatch,
    CommentQuery,
    CommentSerializer,
    EarlierTextSerializer,
)

_MOVED = "The task was moved at the same time. Repeat the request."


class CommentList(Endpoint):
    """/comments."""

    resource = RESOURCE

    @operation("list_comments", page_of(CommentSerializer), query=CommentQuery)
    def get(self, request: Request) -> HttpResponse:
        """List the comments on a task.

        The list is ordered by id, or by the time of the last change if `updated_since` is used.
        """
        return self.answer_read()

    @operation("create_comment", {201: CommentSerializer}, body=CommentSerializer, errors={409: _MOVED})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Write a comment on a task.

        Requires the commenter role in the task's project.
        """
        comment = services.create_comment(
            user_id=self.owner_id, values=self.body(CommentSerializer), now=timezone.now()
        )
        return RESOURCE.answer_row(comment, location=f"{request.path}/{comment.id}")


class CommentDetail(Endpoint):
    """/comments/{id}."""

    resource = RESOURCE

    @operation("get_comment", CommentSerializer)
    def get(self, request: Request, comment_id: uuid.UUID) -> HttpResponse:
        """Get a comment."""
        return self.answer_read()

    @operation(
        "put_comment",
        {200: CommentSerializer, 201: CommentSerializer},
        body=CommentSerializer,
        if_match=True,
        errors={409: f"The comment is in the trash, or the id is taken. {_MOVED}"},
    )
    def put(self, request: Request, comment_id: uuid.UUID) -> HttpResponse:
        """Write a comment with this id, or replace its text and mentions.

        The id must be a UUIDv7. Only the author can replace a comment.
        """
        check_new_id(comment_id)
        comment, is_new = services.put_comment(
            user_id=self.owner_id,
            comment_id=comment_id,
            values=self.body(CommentSerializer, current=lambda: RESOURCE.current(self.owner_id, comment_id)),
            expected_versions=etag.expected_versions(request),
            precondition=etag.put_precondition(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(comment, location=request.path if is_new else None)

    @operation("update_comment", CommentSerializer, body=CommentPatch, if_match=True, errors={409: _MOVED})
    def patch(self, request: Request, comment_id: uuid.UUID) -> HttpResponse:
        """Change some fields of a comment.

        The body is a JSON merge patch: absent fields keep their values. Null clears `mentions`. Only the author can
        change a comment; `list_comment_history` returns the earlier texts.
        """
        comment = services.update_comment(
            user_id=self.owner_id,
            comment_id=comment_id,
            changes=self.body(
                CommentPatch, partial=True, current=lambda: RESOURCE.current(self.owner_id, comment_id)
            ),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(comment)

    @operation("delete_comment", if_match=True, errors={409: _MOVED})
    def delete(self, request: Request, comment_id: uuid.UUID) -> HttpResponse:
        """Move a comment to the trash.

        Only its author and those who manage the project can do this. Repeating this is safe.
        """
        services.trash_comment(
            user_id=self.owner_id,
            comment_id=comment_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class CommentRestore(Endpoint):
    """POST /comments/{id}/restore."""

    @operation("restore_comment", CommentSerializer, if_match=True, errors={409: _MOVED})
    @idempotent()
    def post(self, request: Request, comment_id: uuid.UUID) -> HttpResponse:
        """Restore a comment from the trash.

        Only the person who deleted it and those who manage the project can do this.
        """
        self.body(NoBody)
        comment = services.restore_comment(
            user_id=self.owner_id,
            comment_id=comment_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(comment)


class CommentHistory(Endpoint):
    """/comments/{id}/history."""

    @operation("list_comment_history", page_of(EarlierTextSerializer), query=PageQuery)
    def get(self, request: Request, comment_id: uuid.UUID) -> HttpResponse:
        """List the earlier texts of a comment, the oldest first.

        Only its author and those who manage the project can read them.
        """
        services.check_history_is_seen(user_id=self.owner_id, comment_id=comment_id)
        query = {**self.query(), "comment_id": comment_id, "updated_since": None, "include_deleted": True}
        return HISTORY.page(query).answer(request, self.owner_id)
