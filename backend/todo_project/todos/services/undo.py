"""Takes changes back, through the services: what they refuse cannot be undone.

The rows of the log are folded into one change of each thing (net_changes.py). First all of them are checked: each
thing still has to be as the change left it. Then they are taken back, in an order that always works:

1. What was moved to the trash is restored, parents before what they hold.
2. What was completed is reopened, and the reverse.
3. Fields get their old values, places too, parents before what they hold.
4. What was created or restored goes to the trash. By now it holds nothing that came from elsewhere.

All this is logged as other writes are, so it can be undone itself.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from todo_project.accounts.models import User
from todo_project.errors import NOT_FOUND, Conflict, InvalidInput, NotFound
from todo_project.todos.models import Change, ChangeQuerySet, OwnedRow, Task
from todo_project.todos.services import (
    completion,
    fields,
    filters,
    labels,
    locks,
    placement,
    projects,
    sections,
    tasks,
    trash,
    trees,
    undo_content,
    undo_labels,
)
from todo_project.todos.services.net_changes import LISTS, MODELS, NetChange, Thing, fold
from todo_project.todos.services.undo_content import CannotUndo, named

THINGS_MAX = 500
_STATES = ("deleted_at", "completed_at")
_Things = Mapping[Thing, OwnedRow]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """The services that write a kind of thing; `settable` are the columns that go back to old values."""

    settable: tuple[str, ...]
    update: Callable[..., object]
    trash: Callable[..., object]
    restore: Callable[..., object]


_KINDS = {
    "project": _Kind(
        settable=("name", "color", "parent_id", "is_archived", "position"),
        update=projects.update_project,
        trash=trash.trash_project,
        restore=trash.restore_project,
    ),
    "label": _Kind(
        settable=("name", "color"),
        update=labels.update_label,
        trash=trash.trash_label,
        restore=trash.restore_label,
    ),
    "filter": _Kind(
        settable=("name", "query", "is_pinned", "position"),
        update=filters.update_filter,
        trash=filters.trash_filter,
        restore=filters.restore_filter,
    ),
    "section": _Kind(
        settable=("name", "project_id", "position"),
        update=sections.update_section,
        trash=trash.trash_section,
        restore=trash.restore_section,
    ),
    "task": _Kind(
        settable=(
            *("title", "description", "priority", "reminders", "position"),
            *(*LISTS, *placement.KEYS, *fields.COMBINED),
        ),
        update=tasks.update_task,
        trash=trash.trash_task,
        restore=trash.restore_task,
    ),
}


def undo_change(*, user: User, change_id: int, now: dt.datetime) -> list[Thing]:
    """Take one change back, and return the thing; raises NotFound, access.RoleTooLow, and CannotUndo."""
    return _undo(user, Change.objects.visible_to(user.pk).filter(id=change_id), now)


def undo_request(*, user: User, request_id: str, now: dt.datetime) -> list[Thing]:
    """Take back all that a request of the user changed, or nothing; raises as undo_change does."""
    made = Change.objects.for_people().of_request(request_id, actor_id=user.pk)
    seen = made.visible_to(user.pk)
    if seen.exists() and made.exclude(has_left=True).exclude(id__in=seen.values("id")).exists():
        raise CannotUndo(
            "The request also changed things that you cannot see any more. Undo its changes one by one."
        )
    return _undo(user, seen, now)


@transaction.atomic
def _undo(user: User, rows: ChangeQuerySet, now: dt.datetime) -> list[Thing]:
    rows = rows.exclude(has_left=True).order_by("id")
    first = rows.first()
    if first is None:
        raise NotFound(NOT_FOUND)
    nets = fold(rows.filter(kind__in=MODELS).iterator(), at_most=THINGS_MAX)
    if len(nets) > THINGS_MAX:
        raise CannotUndo(
            f"The request changed more than {THINGS_MAX} things. Undo its changes one by one, by their ids."
        )
    tree = trees.locked_around(user_id=user.pk, ids=_ids(nets))
    _check_other_kinds(rows, nets, tree)
    nets = [net for net in nets if _has_effect(net)]
    if not nets:
        raise CannotUndo(
            f"{named(first.kind, first.object_id)} got no value that could be changed back. "
            "Undo the change it came with."
        )
    things = _things(user, nets)
    taken_back = [net for net in nets if not _goes_along(net, things, nets)]
    for net in taken_back:
        _check(user, net, things.get(net.thing), tree)
    came_with = undo_content.came_with(first)
    undo_labels.take_off_trashed(taken_back)
    labels = undo_labels.before_move(taken_back, first_id=first.id)
    _change_back(taken_back, things, came_with=came_with, user=user, now=now)
    undo_labels.put_back(labels)
    _trash(taken_back, things, came_with=came_with, user=user, now=now)
    return [net.thing for net in nets]


def _ids(nets: Sequence[NetChange]) -> set[uuid.UUID]:
    """Return the ids of the things, of the places where they were and are, and of their next tasks."""
    names = (*placement.KEYS, "next_task_id")
    places = (side.get(name) for net in nets for side in (net.old, net.new) for name in names)
    return {net.object_id for net in nets} | {each for each in places if each is not None}


def _things(user: User, nets: Sequence[NetChange]) -> dict[Thing, OwnedRow]:
    """Return the things, locked, so that they stay as they are checked."""
    found: dict[Thing, OwnedRow] = {}
    for kind, model in MODELS.items():
        ids = [net.object_id for net in nets if net.kind == kind]
        seen = model.objects.visible_to(user.pk).filter(id__in=ids).locked()  # type: ignore[attr-defined] # each has objects
        found |= {(kind, each.id): each for each in seen}
    return found


def _goes_along(net: NetChange, things: _Things, nets: Sequence[NetChange]) -> bool:
    """Return whether this is a task in the trash that moved, and moves back, with its parent or section."""
    task = things.get(net.thing)
    if not isinstance(task, Task) or task.deleted_at is None or not net.new.keys() <= {*placement.KEYS}:
        return False
    return any(other.thing in (("task", task.parent_id), ("section", task.section_id)) for other in nets)


# --- what cannot be taken back


def _check_other_kinds(rows: ChangeQuerySet, nets: Sequence[NetChange], tree: trees.ProjectTree) -> None:
    """Raise CannotUndo for changes of other kinds, but not for memberships that followed from those of projects."""
    moves = {"parent_id", "owner_id"}
    moved = [net.object_id for net in nets if net.kind == "project" and (net.is_new or moves & net.new.keys())]
    along = {each.id for project_id in moved if project_id in tree for each in trees.under(tree, project_id)}
    other = rows.exclude(kind__in=MODELS).exclude(kind="member", project_id__in=along).first()
    if other is not None:
        raise CannotUndo(f"The change of a {other.kind} cannot be taken back here. Change the {other.kind} itself.")


def _has_effect(net: NetChange) -> bool:
    """Return whether there is something to take back; the rest follows from other changes."""
    return not net.is_trashed if net.is_new else net.is_purged or bool(_compared(net))


def _compared(net: NetChange) -> list[str]:
    also = ("owner_id",) if net.kind == "project" else ()
    return [name for name in net.new if name in {*_KINDS[net.kind].settable, *_STATES, *also}]


def _check(user: User, net: NetChange, thing: OwnedRow | None, tree: trees.ProjectTree) -> None:
    """Raise CannotUndo unless the thing is as the change left it."""
    name = named(*net.thing)
    if thing is None or net.is_purged:
        raise CannotUndo(f"{name} is not there any more, so it cannot be changed back.")
    if net.kind not in ("label", "filter") and getattr(thing, "project_id", thing.id) not in tree:
        raise locks.moved(net.kind)
    if net.is_new:
        return
    if net.kind == "project" and "owner_id" in net.new:
        raise CannotUndo(
            f"{name} got another owner, because it was transferred or moved into a project of somebody else. That "
            "cannot be taken back here. The new owner can move it or transfer it."
        )
    if thing.deleted_at is not None and not net.is_trashed:
        raise CannotUndo(f"{name} is in the trash. Restore it first.")
    _check_values(user, net, thing)


def _check_values(user: User, net: NetChange, thing: OwnedRow) -> None:
    for column in _compared(net):
        if column in net.torn:
            where = f"`{fields.shown_as(column)}` of {named(*net.thing, at_start=False)}"
            raise CannotUndo(f"{where} was changed in between by another request. Change it yourself.")
        is_kept = _has_links(thing, net, column) if column in LISTS else getattr(thing, column) == net.new[column]
        if not is_kept:
            raise _changed_later(user, net, column)
    if isinstance(thing, Task) and not net.new.keys().isdisjoint(placement.KEYS):
        _check_place(user, net, thing)


def _check_place(user: User, net: NetChange, task: Task) -> None:
    """Raise CannotUndo if another part of the task's place is not as it was: the three belong together."""
    for column in placement.KEYS:
        if column not in net.new:
            later = Change.objects.of_task(task.id).later(net.thing, net.last_id, column).order_by("id").first()
            if later is not None and later.sides(Task)[0][column] != getattr(task, column):
                raise _changed_later(user, net, column)


def _changed_later(user: User, net: NetChange, column: str) -> CannotUndo:
    later = Change.objects.visible_to(user.pk).later(net.thing, net.last_id, column).newest_first().first()
    which = f" by the change {later.id}. Undo that one first" if later is not None else ""
    name = named(*net.thing, at_start=False)
    return CannotUndo(f"`{fields.shown_as(column)}` of {name} was changed later{which}.")


def _has_links(task: OwnedRow, net: NetChange, name: str) -> bool:
    table, column = LISTS[name]
    present = set(table.objects.filter(task_id=task.id).values_list(column, flat=True))
    return present >= set(net.new[name]) and present.isdisjoint(net.old[name])


# --- taking back


def _change_back(
    nets: Sequence[NetChange], things: _Things, *, came_with: ChangeQuerySet, user: User, now: dt.datetime
) -> None:
    """Do the first three steps."""
    created = {net.object_id for net in nets if net.is_new}
    changed = [net for net in nets if not net.is_new]
    for net in _parents_first(changed, things, as_before=False):
        if net.is_trashed:
            _write(net, _KINDS[net.kind].restore, user, now)
    for net in changed:
        if net.kind == "task":
            _set_state(net, user, now, created=created, came_with=came_with)
    for net in _parents_first(changed, things, as_before=True):
        if values := _old_values(net, things[net.thing]):
            _write(net, _KINDS[net.kind].update, user, now, **values)


def _trash(
    nets: Sequence[NetChange], things: _Things, *, came_with: ChangeQuerySet, user: User, now: dt.datetime
) -> None:
    """Do the fourth step."""
    trashed = [net for net in nets if net.is_new or net.was_trashed]
    for net in trashed:
        undo_content.check(net, came_with)
    for net in _parents_first(trashed, things, as_before=False):
        _write(net, _KINDS[net.kind].trash, user, now)


def _parents_first(nets: Sequence[NetChange], things: _Things, *, as_before: bool) -> list[NetChange]:
    """Sort by the nesting as it is now, or as it was before the changes."""
    by_id = {net.object_id: net for net in nets}

    def parent(net: NetChange) -> NetChange | None:
        parent_id: Any = getattr(things[net.thing], "parent_id", None)
        return by_id.get(net.old.get("parent_id", parent_id) if as_before else parent_id)

    def depth(net: NetChange) -> int:
        count, above = 0, parent(net)
        while above is not None and count < len(nets):
            count, above = count + 1, parent(above)
        return count

    order = list(MODELS)
    return sorted(nets, key=lambda net: (order.index(net.kind), depth(net)))


def _write(net: NetChange, service: Callable[..., Any], user: User, now: dt.datetime, **values: Any) -> Any:
    who: dict[str, Any] = {"user": user} if net.kind == "task" else {"user_id": user.pk}
    try:
        return service(**who, **{f"{net.kind}_id": net.object_id}, now=now, **values)
    except CannotUndo:
        raise
    except (InvalidInput, Conflict) as error:
        raise CannotUndo(f"{named(*net.thing)} cannot be changed back: {error.detail}") from error


def _set_state(
    net: NetChange, user: User, now: dt.datetime, *, created: Collection[uuid.UUID], came_with: ChangeQuerySet
) -> None:
    """Reopen a task that was completed, or the reverse."""
    was, is_now = net.old.get("completed_at"), net.new.get("completed_at")
    if was is None and is_now is not None:
        task = _write(net, completion.reopen_task, user, now)
        if task.next_task_id in created:
            name = named("task", task.next_task_id)
            raise CannotUndo(f"{name} is no longer as the completion made it. Reopen the completed task instead.")
    elif was is not None and is_now is None:
        next_task_id = net.old.get("next_task_id")
        trashed = next_task_id is not None and came_with.trashed(next_task_id).exists()
        as_before = {"completed_at": was, "next_task_id": next_task_id, "restores_next": trashed}
        _write(net, completion.complete_again, user, now, **as_before)


def _old_values(net: NetChange, thing: OwnedRow) -> dict[str, Any]:
    """Return the old values as the service takes them that updates the thing."""
    # where a thing was in the trash may be gone
    left_out = {*placement.KEYS, "position"} if net.was_trashed else set()
    old = {name: net.old[name] for name in net.old if name in _KINDS[net.kind].settable and name not in left_out}
    if {"project_id", "section_id"} & old.keys():
        old.setdefault("position", _position_after(net, thing))
    if not old or not isinstance(thing, Task):
        return {"changes": old} if old else {}
    if not old.keys().isdisjoint(LISTS):
        task = Task.objects.with_links().get(id=net.object_id)
        present = {"labels": task.label_ids, "assignees": task.assignee_ids}
        old |= {
            name: sorted((set(present[name]) - set(net.new[name])) | set(old[name]))
            for name in LISTS
            if name in old
        }
    values = fields.combined(old)
    if values.get("recurrence"):
        values["recurrence"] = {"excluded_dates": [], **values["recurrence"]}
    changes = {name: value for name, value in values.items() if name not in fields.COMBINED}
    return {"changes": changes, "known_labels": undo_labels.taken_off(net, thing), "may_be_last": True}


def _position_after(net: NetChange, thing: OwnedRow) -> Any:
    """Return the position that the thing had after the change, which did not change it if it is not in the log."""
    later = Change.objects.later(net.thing, net.last_id, "position").order_by("id").first()
    return thing.position if later is None else later.sides(type(thing))[0]["position"]  # type: ignore[attr-defined] # what moves has one
