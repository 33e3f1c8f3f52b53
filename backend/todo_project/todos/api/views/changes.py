"""The view of what has changed for a person."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api.endpoint import Endpoint, answer
from todo_project.api.operations import operation
from todo_project.todos.api.feed import Feed
from todo_project.todos.api.serializers.changes import ChangesOut, SinceQuery


class Changes(Endpoint):
    """/changes."""

    @operation(
        "list_changes",
        ChangesOut,
        query=SinceQuery,
        has_etag=False,
        errors={410: "The cursor is too old, or from before the database was restored."},
    )
    def get(self, request: Request) -> HttpResponse:
        """List what has changed since a cursor.

        Without `since`, the results are everything that you may see, page by page. Continue with `next_cursor`
        while `has_more` is true, and keep the last one for the next time. A result is the present state of a thing.
        With a `deleted` project, forget everything that it holds.
        """
        query = self.query()
        step = Feed(request.user, query["since"], limit=query["limit"], now=timezone.now()).read()
        results = [
            {"kind": kind, "id": id_, "action": "deleted" if data is None else "upserted", "data": data}
            for (kind, id_), data in step.things.items()
        ]
        return answer({"results": results, "next_cursor": step.cursor.encode(), "has_more": step.has_more})
