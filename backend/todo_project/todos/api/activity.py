"""The log of changes for people: a page of it, with the names and the values that the API has."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import Q

from todo_project.api import pagination
from todo_project.todos.api.kinds import kinds
from todo_project.todos.models import Change, ChangeQuerySet, Label, Membership, Project, Role, Task
from todo_project.todos.models.rows import SharedQuerySet
from todo_project.todos.services.fields import COMBINED

# shown of a project only, where it tells of a transfer
_OWNER = "owner_id"
_NEXT = "next_task_id"
_LABELS = "labels"
# stored as "" where the API has null
_NULL_IF_EMPTY = {"color", "uid"}


class _Seen(NamedTuple):
    """The ids that rows of a page name, as far as the reader sees what they are of."""

    projects: set[uuid.UUID]
    next_tasks: set[uuid.UUID]
    labels: set[uuid.UUID]


def page(rows: ChangeQuerySet, *, user_id: uuid.UUID, limit: int, cursor: str | None) -> dict[str, Any]:
    """Return a page of these rows, newest first."""
    last = pagination.decode_number(cursor)
    rows = rows.for_people().filter(_has_something_to_show()).newest_first()
    found = list((rows if last is None else rows.filter(id__lt=last))[: limit + 1])
    seen = _Seen(
        projects=_seen_projects(user_id, found),
        next_tasks=_seen_of(Task.objects.visible_to(user_id), found, _NEXT),
        labels=_seen_of(Label.objects.visible_to(user_id), found, _LABELS),
    )
    shaped = [
        _shape(row, seen) | {"request_id": row.request_id if row.actor_id == user_id else None} for row in found
    ]
    return dict(pagination.page(shaped, limit=limit, key=lambda index: (found[index].id,)))


def _has_something_to_show() -> Q:
    """Return the condition that a row has a field of the API, or says that a thing came or went.

    What else is logged has no meaning for people: when a project gets another owner, so does each of its tasks.
    """
    names = {name for kind in kinds.values() for name in kind.resource.fields} | {*COMBINED, "role"}
    is_transfer = Q(kind="project", fields__has_key=_OWNER)
    return ~Q(action=Change.Action.UPDATED) | Q(fields__has_any_keys=sorted(names)) | is_transfer


def _shape(row: Change, seen: _Seen) -> dict[str, Any]:
    fields = changed_fields(row)
    _hide_unseen(fields, seen.projects, by="parent_id" if row.kind == "project" else "project_id")
    if _NEXT in fields:
        fields[_NEXT] = {side: id_ if id_ in seen.next_tasks else None for side, id_ in fields[_NEXT].items()}
    if _LABELS in fields:
        fields[_LABELS] = {
            side: [id_ if id_ in seen.labels else None for id_ in ids] for side, ids in fields[_LABELS].items()
        }
    return {
        "id": row.id,
        "at": row.at,
        "actor_id": row.actor_id,
        "kind": row.kind,
        "object_id": row.object_id,
        "action": row.action,
        "fields": fields,
    }


def changed_fields(row: Change) -> dict[str, dict[str, Any]]:
    """Return the fields of a change by their names in the API, as {"from": …, "to": …}."""
    if row.kind == "member":
        old, new = (_roles(side) for side in row.sides(Membership))
        names: Iterable[str] = old
    elif row.kind in kinds:
        kind = kinds[row.kind]
        old, new = (_nulled(kind.combine(side)) for side in row.sides(kind.resource.model))
        shown = (*kind.resource.fields, _OWNER) if row.kind == "project" else kind.resource.fields
        names = (name for name in shown if name in old)
    else:
        return {}
    return {name: {"from": old[name], "to": new[name]} for name in names}


def _nulled(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value == "" and name in _NULL_IF_EMPTY else value for name, value in fields.items()}


def _roles(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": Role(columns["role"]).label.lower()} if "role" in columns else {}


def _seen_projects(user_id: uuid.UUID, rows: list[Change]) -> set[uuid.UUID]:
    """Return the projects between which these rows moved something, as far as the user sees them."""
    names = ((row, "parent_id" if row.kind == "project" else "project_id") for row in rows)
    moves = {uuid.UUID(each) for row, name in names for each in row.fields.get(name, ()) if each}
    if not moves:
        return set()
    return set(Project.objects.visible_to(user_id).filter(id__in=moves).values_list("id", flat=True))


def _seen_of(visible: SharedQuerySet[Any], rows: list[Change], name: str) -> set[uuid.UUID]:
    """Return the ids in a field of these rows that are of things which the user sees now."""
    sides = (side for row in rows for side in row.fields.get(name, ()) if side)
    named = {uuid.UUID(each) for side in sides for each in ([side] if isinstance(side, str) else side)}
    if not named:
        return set()
    return set(visible.filter(id__in=named).values_list("id", flat=True))


def _hide_unseen(fields: dict[str, dict[str, Any]], seen: set[uuid.UUID], *, by: str) -> None:
    """Replace by nulls what was in a project that the reader does not see; `by` is the field with the project.

    Of a task or a section, these are all values: another title may have come with the move. A project shows its own
    values wherever it is.
    """
    for side in ("from", "to"):
        if by in fields and fields[by][side] not in seen:
            for name in fields if by == "project_id" else [by]:
                fields[name][side] = None
