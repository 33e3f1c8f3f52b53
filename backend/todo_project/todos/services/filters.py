"""Creates and changes saved filters. Every account begins with the usual ones, which are filters like any other."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import TypedDict

from django.db import transaction

from todo_project.accounts.models import User
from todo_project.db import positions
from todo_project.db.rows import uuid7
from todo_project.errors import Conflict, InvalidInput
from todo_project.todos.models import SavedFilter, SavedFilterQuerySet
from todo_project.todos.models.filtering.conditions import Context, to_q
from todo_project.todos.models.filtering.syntax import parse
from todo_project.todos.services import ordering, rows

FILTERS_MAX = 100
USUAL: Mapping[str, str] = {
    "Today": "is:open & due<=today",
    "Upcoming": "is:open & due>today & due<=today+7d",
    "Overdue": "overdue",
    "Inbox": "is:open & is:inbox",
    "Assigned to me": "is:open & assignee:me",
    "Completed": "is:done",
}
# a release takes less time, so that no account is older that the release before made beside this one
_RECENT = dt.timedelta(days=3)


class FilterValues(TypedDict, total=False):
    """The fields that a client can set."""

    name: str
    query: str
    is_pinned: bool
    position: str


class TooManyFilters(Conflict):
    """The account has FILTERS_MAX filters."""


def create_usual(*, user: User, now: dt.datetime) -> None:
    """Create the usual filters of a new account."""
    places = positions.spread(len(USUAL))
    SavedFilter.objects.bulk_create(
        SavedFilter(id=uuid7(), owner=user, name=name, query=query, position=place, created_at=now, updated_at=now)
        for (name, query), place in zip(USUAL.items(), places, strict=True)
    )


def add_missing(*, now: dt.datetime) -> None:
    """Create the usual filters of accounts that the previous release created during a deployment."""
    for user in SavedFilter.objects.lacking(since=now - _RECENT):
        create_usual(user=user, now=now)


@transaction.atomic
def create_filter(
    *, user: User, values: FilterValues, now: dt.datetime, filter_id: uuid.UUID | None = None
) -> SavedFilter:
    """Create a filter, at the end of the list unless `values` has a position.

    Raises TooManyFilters, IdTaken, and InvalidInput for a query that is not a filter.
    """
    _check_query(values["query"], user, now)
    _lock(user.pk)
    mine = SavedFilter.objects.visible_to(user.pk)
    _check_room(mine)
    position = values.get("position")
    found = SavedFilter(id=filter_id or uuid7(), owner=user, created_at=now, updated_at=now, **values)
    found.position = ordering.free(mine, position, now=now) if position else ordering.last(mine)
    rows.insert(SavedFilter.objects, found)
    return found


def put_filter(
    *,
    user: User,
    filter_id: uuid.UUID,
    values: FilterValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
    precondition: rows.Precondition = None,
) -> tuple[SavedFilter, bool]:
    """Create the filter with an id that the client chose, or replace its values; see rows.put.

    Values that are left out are reset to their defaults, except the position.
    """
    return rows.put(
        SavedFilter.objects.visible_to(user.pk),
        row_id=filter_id,
        precondition=precondition,
        create=lambda: create_filter(user=user, filter_id=filter_id, values=values, now=now),
        replace=lambda: update_filter(
            user_id=user.pk,
            filter_id=filter_id,
            changes={"is_pinned": False, **values},
            expected_versions=expected_versions,
            now=now,
        ),
    )


@transaction.atomic
def update_filter(
    *,
    user_id: uuid.UUID,
    filter_id: uuid.UUID,
    changes: FilterValues,
    now: dt.datetime,
    expected_versions: rows.Versions = None,
) -> SavedFilter:
    """Change the given fields; raises NotFound, StaleVersion, and InvalidInput for a query that is not a filter.

    A query that does not change is not checked, because what it names may be gone.
    """
    mine = SavedFilter.objects.visible_to(user_id)
    user = _lock(user_id)
    found = rows.locked(mine.alive(), row_id=filter_id, expected_versions=expected_versions)
    if changes.get("query", found.query) != found.query:
        _check_query(changes["query"], user, now)
    if changes.get("position", found.position) != found.position:
        others = mine.exclude(id=filter_id)
        changes = {**changes, "position": ordering.free(others, changes["position"], now=now)}
    rows.change(found, changes=changes, now=now)
    return found


@transaction.atomic
def trash_filter(
    *, user_id: uuid.UUID, filter_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> None:
    """Move a filter to the trash, unless it is there already; raises NotFound and StaleVersion."""
    found = rows.locked(SavedFilter.objects.visible_to(user_id), row_id=filter_id)
    if found.deleted_at is None:
        rows.compare(found, expected_versions=expected_versions)
        rows.change(found, changes={"deleted_at": now}, now=now)


@transaction.atomic
def restore_filter(
    *, user_id: uuid.UUID, filter_id: uuid.UUID, now: dt.datetime, expected_versions: rows.Versions = None
) -> SavedFilter:
    """Restore a filter, unless it is not in the trash; raises NotFound, StaleVersion and TooManyFilters."""
    mine = SavedFilter.objects.visible_to(user_id)
    _lock(user_id)
    found = rows.locked(mine, row_id=filter_id, expected_versions=expected_versions)
    if found.deleted_at is not None:
        _check_room(mine)
        rows.change(found, changes={"deleted_at": None}, now=now)
    return found


def _check_room(mine: SavedFilterQuerySet) -> None:
    if mine.alive().count() >= FILTERS_MAX:
        raise TooManyFilters(
            f"You have {FILTERS_MAX} filters, which is the limit. Delete one that you do not need."
        )


def _lock(user_id: uuid.UUID) -> User:
    """Lock the account until the transaction ends, so that the order of its filters is written by one request."""
    return User.objects.select_for_update(no_key=True).get(pk=user_id)


def _check_query(query: str, user: User, now: dt.datetime) -> None:
    try:
        to_q(parse(query), Context.of(user, now=now))
    except InvalidInput as error:
        raise InvalidInput(str(error), pointer="/query", code=error.input_code) from error
