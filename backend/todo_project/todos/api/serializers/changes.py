"""The serializers of changes, and the cursor with which a client continues."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from typing import Annotated

import msgspec
from rest_framework import serializers

from todo_project.api.pagination import LimitField
from todo_project.api.serializers import StrictSerializer
from todo_project.db.changes.position import Position
from todo_project.errors import InvalidInput
from todo_project.todos.api.serializers.tasks import TaskSerializer

_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Copying(msgspec.Struct, array_like=True, frozen=True):
    """How far a copy has come: of everything, by lists, or of a project that has come into sight, by ids."""

    kind: str
    project_id: uuid.UUID | None = None
    page: str | None = None
    last: uuid.UUID | None = None


class HolderPage(msgspec.Struct, array_like=True, frozen=True):
    """A page of tasks, and the last thing that was sent of what they hold, as (task, thing).

    If a thing was sent, `end` is the earliest end that the page has had. None is the end of the list.
    """

    start: str | None = None
    end: str | None = None
    last: tuple[uuid.UUID, uuid.UUID] | None = None


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """Where a client continues to read the log, and what it has to copy before.

    The client has everything that had happened at the time `at`.
    """

    epoch: str
    at: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    xid: _Number
    id: _Number
    copying: Copying | None = None
    # how far it has come with a kind that tasks hold
    holders: HolderPage | None = None
    # whose changes they are; cursors of earlier releases do not say it
    user_id: uuid.UUID | None = None

    @property
    def position(self) -> Position:
        """The position in the log."""
        return Position(self.xid, self.id)

    def encode(self) -> str:
        """Return the opaque text that clients keep."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


class SinceInvalid(InvalidInput):
    """The cursor is not one of /changes."""

    def __init__(self) -> None:
        super().__init__(
            "This cursor is not one from /changes. Use the `next_cursor` of the previous response.",
            pointer="/since",
            code="invalid_cursor",
        )


def decode(text: str) -> Cursor:
    """Return the cursor of a text; raise SinceInvalid for any other text."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise SinceInvalid from error


class SinceQuery(StrictSerializer):
    """The query parameters of changes."""

    noun = "query parameter"

    limit = LimitField()
    since = serializers.CharField(
        default=None,
        max_length=1000,
        help_text="`next_cursor` of the previous response. Leave it out to copy everything.",
    )


class ThingSerializer(StrictSerializer):
    """The current state of a resource that has changed."""

    kind = serializers.CharField(help_text="The singular name of the resource, such as `task`.")
    id = serializers.UUIDField()
    action = serializers.ChoiceField(["upserted", "deleted"])
    data = serializers.DictField(  # type: ignore[assignment] # the metaclass takes the fields out of the class
        allow_null=True,
        help_text="The resource as GET returns it. Null if it is in the trash or purged, or you may not see it.",
    )

    example = {
        "kind": "task",
        "id": TaskSerializer.example["id"],
        "action": "upserted",
        "data": TaskSerializer.example,
    }


class ChangesOut(StrictSerializer):
    """What has changed, each thing once."""

    results = ThingSerializer(many=True)
    next_cursor = serializers.CharField(help_text="Send it as `since` in the next request.")
    has_more = serializers.BooleanField(help_text="Whether to continue now, because there may be more.")

    example = {
        "results": [
            ThingSerializer.example,
            {"kind": "project", "id": "019aaf3e-7d10-7a00-8000-0000000000b2", "action": "deleted", "data": None},
        ],
        "next_cursor": "WyI0ZjFhIiwi",
        "has_more": False,
    }
