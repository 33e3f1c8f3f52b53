"""What has changed for a person: the steps of GET /changes.

The log says which things were touched since the cursor. What is sent is their present state, or that they are gone,
so it does no harm to send a thing again. Two things take more than that:

- A project that comes into sight is copied whole, page by page, before the log is read further.
- For a project that goes out of sight, one tombstone is enough: it takes along what the project holds. Only labels
  and comments need tombstones of their own: labels are in no project, and the task of a comment may have moved.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from django.conf import settings

from todo_project.api import pagination
from todo_project.db.changes import position
from todo_project.db.changes.position import Horizon, Position
from todo_project.db.rows import is_after
from todo_project.errors import Gone
from todo_project.todos.api.kinds import kinds
from todo_project.todos.api.serializers.changes import Copying, Cursor, HolderPage, SinceInvalid, decode
from todo_project.todos.models import Change, LogRow, VisibleLog

# how many lists and projects one request reads for its page
_STEPS_MAX = 40
# how many tasks one step reads the things of
_HOLDERS = 50

# by kind and id: the present state, or None for what is gone
Things = dict[tuple[str, uuid.UUID], Any]


class CursorExpired(Gone):
    """The log does not have all changes since the cursor, or it is another account's."""


class Step(NamedTuple):
    """What one step found, where to continue, and whether there may be more."""

    things: Things
    cursor: Cursor
    has_more: bool = True


class Feed:
    """One request for the changes of a person."""

    def __init__(self, user: Any, since: str | None, *, limit: int, now: dt.datetime) -> None:
        """Read the cursor; raise SinceInvalid and CursorExpired."""
        given = None if since is None else decode(since)
        self._user = user
        self._limit = limit
        self._now = now
        # The horizon first: a project that comes into sight before it must be among those that are seen.
        self._horizon = position.horizon()
        if given is not None:
            _check(given, user.pk, self._horizon, now)
            given = msgspec.structs.replace(given, user_id=user.pk)
        end = self._horizon.end
        self._log = VisibleLog.since(user.pk, end if given is None else given.position)
        self._start = given or Cursor(self._horizon.epoch, now, *end, Copying(next(iter(kinds))), user_id=user.pk)

    def read(self) -> Step:
        """Return at most `limit` things."""
        done = Step({}, self._start)
        for _ in range(_STEPS_MAX):
            room = self._limit - len(done.things)
            if not room or not done.has_more:
                break
            step = self._step(done.cursor, room)
            done = Step(done.things | step.things, step.cursor, step.has_more)
        return done

    def _step(self, cursor: Cursor, room: int) -> Step:
        if cursor.copying is None:
            return self._follow(cursor, room)
        if kinds[cursor.copying.kind].holders is not None:
            return self._copy_held(cursor, cursor.copying, room)
        if cursor.copying.project_id is None:
            found, copying = self._copy_all(cursor.copying, room)
        else:
            found, copying = self._copy_project(cursor.copying, cursor.copying.project_id, room)
        things = {(cursor.copying.kind, each.id): each for each in found}
        return Step(things, msgspec.structs.replace(cursor, copying=copying))

    def _copy_all(self, copying: Copying, room: int) -> tuple[list[Any], Copying | None]:
        """Return a page of the list of a kind, and how to go on."""
        query = {"limit": room, "cursor": copying.page, "updated_since": None, "include_deleted": False}
        page = kinds[copying.kind].resource.page(query).page_from_primary(self._user)
        if page["next_cursor"] is not None:
            return page["results"], Copying(copying.kind, page=page["next_cursor"])
        return page["results"], _next_kind(copying)

    def _copy_project(self, copying: Copying, project_id: uuid.UUID, room: int) -> tuple[list[Any], Copying | None]:
        """Return the next things of a kind in a project, and how to go on."""
        kind = kinds[copying.kind]
        rows = kind.in_project(kind.resource.present(self._user.pk), project_id)
        if copying.last is not None:
            rows = rows.after_id(copying.last)
        found = kind.resource.structs(rows.order_by("id")[:room])
        if len(found) == room:
            return found, Copying(copying.kind, project_id, last=found[-1].id)
        return found, _next_kind(copying)

    def _copy_held(self, cursor: Cursor, copying: Copying, room: int) -> Step:
        """Send the next things that the next tasks hold."""
        kind, place = kinds[copying.kind], cursor.holders or HolderPage()
        query = {"limit": _HOLDERS, "cursor": place.start, "project_id": copying.project_id}
        tasks = kinds["task"].resource.page(query | {"updated_since": None, "include_deleted": False})
        page = tasks.page_from_primary(self._user, kind.holders)
        end = page["next_cursor"]
        ids = [task.id for task in page["results"]]  # type: ignore[attr-defined] # each has an id
        rows = kind.resource.present(self._user.pk).filter(task_id__in=ids)
        if place.last is not None:
            # When a task leaves the page, another comes in, whose things may be before the last one.
            rows, end = rows.filter(is_after(("task_id", "id"), place.last)), _earlier(place.end, end)
        found = kind.resource.structs(rows.order_by("task_id", "id")[:room])
        things = {(copying.kind, each.id): each for each in found}
        if len(found) == room:
            last = (found[-1].task_id, found[-1].id)
            return Step(things, msgspec.structs.replace(cursor, holders=HolderPage(place.start, end, last)))
        if end is not None:
            return Step(things, msgspec.structs.replace(cursor, holders=HolderPage(end)))
        return Step(things, msgspec.structs.replace(cursor, copying=_next_kind(copying), holders=None))

    def _follow(self, cursor: Cursor, room: int) -> Step:
        """Read the log, to its end or to the next project that has come into sight."""
        rows = self._log.rows(cursor.position, self._horizon.end, count=room)
        touched: Things = {}
        for row in rows:
            touched |= dict.fromkeys(self._touched(row))
            if self._has_come_into_sight(row):
                copying = Copying(next(iter(kinds)), row.project_id)
                return Step(present(self._user.pk, touched), _moved(cursor, row.after, copying=copying))
        if len(rows) < room:
            end = _moved(cursor, self._horizon.end, at=self._now)
            return Step(present(self._user.pk, touched), end, has_more=False)
        return Step(present(self._user.pk, touched), _moved(cursor, rows[-1].after))

    def _touched(self, row: LogRow) -> Iterable[tuple[str, uuid.UUID]]:
        if row.kind in kinds:
            return [(row.kind, row.object_id)]
        if row.kind == "member" and row.user_id == self._user.pk and row.project_id is not None:
            return [("project", row.project_id)]
        return []

    def _has_come_into_sight(self, row: LogRow) -> bool:
        is_gain = row.changes_owner or (row.kind, row.action) == ("member", Change.Action.CREATED)
        return is_gain and row.user_id == self._user.pk and row.project_id in self._log.projects


def present(user_id: uuid.UUID, touched: Iterable[tuple[str, uuid.UUID]]) -> Things:
    """Return the present state of things, kind by kind."""
    found: Things = {}
    for name, kind in kinds.items():
        ids = [object_id for touched_kind, object_id in touched if touched_kind == name]
        if ids:
            found |= dict.fromkeys((name, each) for each in ids)
            found |= {(name, each.id): each for each in kind.resource.present_structs(user_id, ids)}
    return found


def shaped(things: Things) -> list[dict[str, Any]]:
    """Return things as responses have them."""
    return [
        {"kind": kind, "id": id_, "action": "deleted" if data is None else "upserted", "data": data}
        for (kind, id_), data in things.items()
    ]


def _check(cursor: Cursor, user_id: uuid.UUID, horizon: Horizon, now: dt.datetime) -> None:
    copying = cursor.copying
    if copying is not None and copying.kind not in kinds:
        raise SinceInvalid
    oldest = now - dt.timedelta(days=settings.CHANGES_RETENTION_DAYS)
    is_known = cursor.epoch == horizon.epoch and oldest <= cursor.at and cursor.position <= horizon.end
    is_own = cursor.user_id in (None, user_id)
    if not (is_known and is_own) or _is_of_another_order(copying):
        raise CursorExpired(
            "This cursor cannot be continued. Send the request without `since`, and replace your copy with what "
            "you get."
        )


def _is_of_another_order(copying: Copying | None) -> bool:
    """Return whether an earlier release, which did not copy task by task, has begun a kind that tasks hold."""
    if copying is None or kinds[copying.kind].holders is None:
        return False
    return copying.page is not None or copying.last is not None


def _earlier(one: str | None, other: str | None) -> str | None:
    """Return the cursor of the list of tasks that comes first: those of one's own, with one id, before others."""
    if one is None or other is None:
        return one or other
    first, second = pagination.decode_ids(one, most=2), pagination.decode_ids(other, most=2)
    return one if (len(first), first) <= (len(second), second) else other


def _moved(cursor: Cursor, to: Position, **changes: Any) -> Cursor:
    return msgspec.structs.replace(cursor, xid=to.xid, id=to.id, **changes)


def _next_kind(copying: Copying) -> Copying | None:
    names = list(kinds)
    later = names[names.index(copying.kind) + 1 :]
    return Copying(later[0], copying.project_id) if later else None
