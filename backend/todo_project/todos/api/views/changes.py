"""The views of what has changed for a person, and of taking it back."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api.endpoint import Endpoint, answer
from todo_project.api.idempotency import idempotent
from todo_project.api.operations import operation
from todo_project.todos.api import feed
from todo_project.todos.api.serializers.changes import ChangesOut, SinceQuery
from todo_project.todos.api.serializers.undo import UndoIn, UndoOut
from todo_project.todos.api.views.caller import CallerEndpoint
from todo_project.todos.services import undo


class Changes(Endpoint):
    """/changes."""

    @operation(
        "list_changes",
        ChangesOut,
        query=SinceQuery,
        has_etag=False,
        errors={
            410: "The cursor cannot be continued, because it is too old or another account's, for example. Begin "
            "again without `since`."
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """List what has changed since a cursor.

        Without `since`, the results are everything that you may see, page by page. Continue with `next_cursor`
        while `has_more` is true, and keep the last one for the next time. A result is the current state of a
        resource. With a `deleted` project, forget everything in it.
        """
        query = self.query()
        step = feed.Feed(request.user, query["since"], limit=query["limit"], now=timezone.now()).read()
        return answer(
            {"results": feed.shaped(step.things), "next_cursor": step.cursor.encode(), "has_more": step.has_more}
        )


class Undo(CallerEndpoint):
    """POST /undo."""

    @operation(
        "undo_change",
        UndoOut,
        body=UndoIn,
        has_etag=False,
        errors={
            404: "There is no such change, or you may not see it.",
            409: "Something stands in the way, such as a later change of the same field.",
        },
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Undo a change, or all changes of a request.

        What was created moves to the trash, what was moved there is restored, and changed fields get their old
        values. It is a change itself, so it can be undone.
        """
        body = self.body(UndoIn)
        service = undo.undo_change if "change_id" in body else undo.undo_request
        things = service(user=self.user, **body, now=timezone.now())
        return answer({"results": feed.shaped(feed.present(self.owner_id, things))})
