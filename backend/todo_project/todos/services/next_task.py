"""Creates the next task of a series, with all that belongs to it, or moves a task to the next occurrence."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from todo_project.db import inserts
from todo_project.db.among import Among
from todo_project.db.rows import uuid7
from todo_project.todos.models import Task, TaskAssignee, TaskLabel
from todo_project.todos.services import fields, moments, ordering, placement, recurrence, rows, series
from todo_project.todos.services.moments import Moment

_COPIED = ("owner_id", *placement.KEYS, "position", *fields.CONTENT)
# what differs between the occurrences of a task
_MOVED = (
    *(f"{name}_{part}" for name in moments.NAMES for part in ("date", "at")),
    *("reminders", "recurrence_rule", "skipped_wall_times"),
)


@dataclass(frozen=True, kw_only=True)
class _Move:
    """The shift of the wall times, the zone of moments without one, and the current time."""

    shift: dt.timedelta
    zone: str
    now: dt.datetime


@dataclass(frozen=True, kw_only=True)
class _WallTimes:
    """The wall times of a task's moments and reminders in its series; see Task.skipped_wall_times."""

    task: Task
    zone: str

    def of(self, name: str, moment: Moment) -> dt.datetime:
        meant = (self.task.skipped_wall_times or {}).get(name)
        return moments.wall_time(
            moment, default_zone=self.zone, meant=dt.datetime.fromisoformat(meant) if meant else None
        )

    def keep(self, name: str, moment: Moment, wall: dt.datetime) -> None:
        """Store the wall time if a DST change skips it in the moment's zone."""
        if moments.wall_time(moment, default_zone=self.zone) != wall:
            self.task.skipped_wall_times = {**(self.task.skipped_wall_times or {}), name: wall.isoformat()}


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """The unsaved copies of a task and its subtasks, the task's first; `ids` maps originals to copies."""

    copies: list[Task]
    ids: dict[uuid.UUID, uuid.UUID]


def create(task: Task, *, default_zone: str, now: dt.datetime) -> Task | None:
    """Create the task that follows this one and return it, or None if the series is over.

    The caller has locked the project. `default_zone` is the zone of moments without one.
    """
    plan = _plan(task, default_zone=default_zone, now=now)
    if plan is None:
        return None
    following, *subtasks = plan.copies
    following.position = ordering.last_at(placement.place_of(task))
    inserts.insert([following])
    Task.objects.bulk_create(subtasks)
    _copy_labels(plan.ids)
    if task.assignee_ids or subtasks:  # otherwise there are none
        _copy_assignees(plan.ids)
    return following


def move_on(task: Task, *, default_zone: str, now: dt.datetime) -> bool:
    """Move a locked task and its subtasks to the next occurrence; return False if the series is over.

    That is the one after a completion on time: one before that could leave the task where it is, or move it back.
    The caller has locked the project.
    """
    found = {task.id: task} | {each.id: each for each in placement.all_below(task).alive().locked()}
    plan = _plan(task, default_zone=default_zone, now=_on_time(task, default_zone, now))
    if plan is None:
        return False
    moved = [
        found[task_id] for task_id, copy in zip(plan.ids, plan.copies, strict=True) if _take(found[task_id], copy)
    ]
    rows.save_all(Task.objects, moved, fields=_MOVED, now=now)
    return True


def _take(task: Task, copy: Task) -> bool:
    """Set the columns that differ between occurrences to those of the copy; return whether any changed."""
    # what an earlier occurrence has stays, for when this is undone
    copy.skipped_wall_times = {**(task.skipped_wall_times or {}), **(copy.skipped_wall_times or {})} or None
    changed = [name for name in _MOVED if getattr(task, name) != getattr(copy, name)]
    for name in changed:
        setattr(task, name, getattr(copy, name))
    return bool(changed)


def later_occurrences(task: Task, *, default_zone: str, now: dt.datetime) -> Iterator[Task]:
    """Yield the task as it is in each later occurrence, if all are completed on time; nothing is saved."""
    while (step := _step(task, default_zone, _on_time(task, default_zone, now))) is not None:
        task, _ = step
        yield task


def _on_time(task: Task, default_zone: str, now: dt.datetime) -> dt.datetime:
    """Return when a task is completed that is completed on time, or else now."""
    last = moments.of(task, "due") or moments.of(task, "start")
    return max(now, moments.start_of(last, default_zone=default_zone)) if last else now


def is_as_made(task: Task, following: Task, *, default_zone: str) -> bool:
    """Return whether the next task and its subtasks still are what completing this task creates.

    Versions do not tell that: trashing a label or moving another task makes new versions of tasks too. For the same
    reason, positions are not compared. Returns False if `task` itself has been changed since it was completed.
    """
    if task.completed_at is None or placement.place_of(task) != placement.place_of(following):
        return False
    plan = _plan(task, default_zone=default_zone, now=task.completed_at)
    if plan is None:
        return False
    found = [following, *placement.all_below(following).alive()]
    original = _links_of(plan.ids)
    links = {copy_id: original[task_id] for task_id, copy_id in plan.ids.items()}
    return _content(plan.copies, links) == _content(found, _links_of(each.id for each in found))


def _plan(task: Task, *, default_zone: str, now: dt.datetime) -> _Plan | None:
    step = _step(task, default_zone, now)
    if step is None:
        return None
    copy, move = step
    plan = _Plan(copies=[copy], ids={task.id: copy.id})
    _add_subtasks(plan, task, move)
    return plan


def _step(task: Task, zone: str, now: dt.datetime) -> tuple[Task, _Move] | None:
    """Return the unsaved copy for the next occurrence, and its move; None if the series is over."""
    occurrence = _occurrence(task, zone)
    if occurrence is None or not task.recurrence_rule:
        return None
    rule = recurrence.parse(task.recurrence_rule)
    found = series.next_of(rule, occurrence, mode=task.recurrence_mode, now=now)
    if found is None:
        return None
    move = _Move(shift=found.shift, zone=zone, now=now)
    copy = _copy(task, move)
    copy.recurrence_rule = found.rule
    return copy, move


def _occurrence(task: Task, zone: str) -> series.Occurrence | None:
    start, due = moments.of(task, "start"), moments.of(task, "due")
    first, last = start or due, due or start
    if first is None or last is None:
        return None
    walls = _WallTimes(task=task, zone=zone)
    return series.Occurrence(
        start=first,
        start_wall=walls.of("start" if start else "due", first),
        end=last,
        end_wall=walls.of("due" if due else "start", last),
        zone=zone,
        excluded={dt.date.fromisoformat(day) for day in task.excluded_dates or ()},
    )


def _copy(task: Task, move: _Move) -> Task:
    copy = Task(id=uuid7(), created_at=move.now, updated_at=move.now)
    for name in _COPIED:
        setattr(copy, name, getattr(task, name))
    for name in moments.NAMES:
        for column, value in moments.columns(name, _moved(task, copy, name, move)).items():
            setattr(copy, column, value)
    _move_reminders(task, copy, move)
    return copy


def _moved(task: Task, copy: Task, name: str, move: _Move) -> Moment | None:
    """Return `due`, `start` or `deadline` of the copy, unchanged if it would leave the years 1 to 9999."""
    moment = moments.of(task, name)
    if moment is None:
        return None
    try:
        wall = _WallTimes(task=task, zone=move.zone).of(name, moment) + move.shift
        moved = moments.at_wall_time(moment, wall, default_zone=move.zone)
        _WallTimes(task=copy, zone=move.zone).keep(name, moved, wall)
    except (OverflowError, ValueError):
        return moment
    return moved


def _move_reminders(task: Task, copy: Task, move: _Move) -> None:
    """Shift the reminders with a fixed time by as much wall time as the task."""
    old, new = (_WallTimes(task=each, zone=move.zone) for each in (task, copy))
    anchor = _timed_moment(copy)
    near = (anchor[1]["at"], new.of(*anchor)) if anchor else None
    time_zone = anchor[1]["time_zone"] if anchor else None
    copy.reminders = [dict(reminder) for reminder in task.reminders]
    for index, reminder in enumerate(copy.reminders):
        if "at" not in reminder:
            continue
        name = f"reminders/{index}"
        moment: Moment = {"at": dt.datetime.fromisoformat(reminder["at"]), "time_zone": time_zone}
        try:
            wall = old.of(name, moment) + move.shift
            moment = moments.at_wall_time(moment, wall, default_zone=move.zone, near=near)
            new.keep(name, moment, wall)
        except (OverflowError, ValueError):  # it would leave the years 1 to 9999
            continue
        reminder["at"] = moment["at"].isoformat().replace("+00:00", "Z")


def _timed_moment(task: Task) -> tuple[str, Moment] | None:
    for name in ("due", "start", "deadline"):
        moment = moments.of(task, name)
        if moment is not None and "at" in moment:
            return name, moment
    return None


def _add_subtasks(plan: _Plan, task: Task, move: _Move) -> None:
    """Add the descendants as open tasks, shifted like the task; of each series only its last task."""
    for level in placement.levels_below(task):
        alive = Task.objects.alive().filter(Among("id", level), Among("parent_id", plan.ids))
        for subtask in alive.filter(next_task_id=None):
            copy = _copy(subtask, move)
            copy.parent_id = plan.ids[subtask.parent_id] if subtask.parent_id else None
            plan.copies.append(copy)
            plan.ids[subtask.id] = copy.id


def _copy_labels(copies: dict[uuid.UUID, uuid.UUID]) -> None:
    marks = TaskLabel.objects.filter(Among("task_id", copies)).values_list("task_id", "label_id")
    TaskLabel.objects.bulk_create(
        [TaskLabel(task_id=copies[task_id], label_id=label_id) for task_id, label_id in marks]
    )


def _copy_assignees(copies: dict[uuid.UUID, uuid.UUID]) -> None:
    assigned = TaskAssignee.objects.filter(Among("task_id", copies)).values_list("task_id", "user_id")
    TaskAssignee.objects.bulk_create(
        [TaskAssignee(task_id=copies[task_id], user_id=user_id) for task_id, user_id in assigned]
    )


_Links = Mapping[uuid.UUID, set[uuid.UUID]]


def _links_of(task_ids: Iterable[uuid.UUID]) -> _Links:
    """Return the ids of the labels, including those in the trash, and of the assignees by task."""
    links: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    ids = list(task_ids)
    for task_id, label_id in TaskLabel.objects.filter(Among("task_id", ids)).values_list("task_id", "label_id"):
        links[task_id].add(label_id)
    for task_id, user_id in TaskAssignee.objects.filter(Among("task_id", ids)).values_list("task_id", "user_id"):
        links[task_id].add(user_id)
    return links


def _content(tasks: Sequence[Task], links: _Links) -> Hashable:
    """Return what the first task and those below it say, for a comparison that ignores ids, order and versions."""
    children: dict[uuid.UUID | None, list[Task]] = defaultdict(list)
    for task in tasks:
        children[task.parent_id].append(task)

    def of(task: Task) -> Hashable:
        values = (
            getattr(task, name) for name in (*fields.CONTENT, "completed_at", "next_task_id", "comment_count")
        )
        own = tuple(json.dumps(value) if isinstance(value, list) else value for value in values)
        return own, frozenset(links[task.id]), frozenset(Counter(map(of, children[task.id])).items())

    return of(tasks[0])
