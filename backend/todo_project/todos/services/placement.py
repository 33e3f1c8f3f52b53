"""The place of a task (project, section and parent), and the invariant that every write keeps.

1. The project, section and parent of a task that is not in the trash are not in the trash.
2. A task's section belongs to the task's project.
3. A subtask has the same project and section as its parent, in the trash too.
4. The owner of a task, a section and a sub-project is the owner of their project, whoever created them.
5. `is_next_elsewhere` says whether the next task of a series is in another project, so that it is not shown.

Moving a task therefore moves its descendants, and a subtask that moves to another project or section leaves its
parent. `find` determines the place that a request asks for, `place_for_restore` that of a task that is restored
from the trash. `move` and `move_section` write it; nothing else writes these three columns of an existing task.
Only `inheritance.hand_over` writes owners too.

The callers have locked the projects, and lock the tasks (locks.py); `find` locks the section between the two.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.lookups import Exact

from todo_project.db.among import Among
from todo_project.errors import Conflict, InputErrors, InvalidInput
from todo_project.todos.models import OwnedQuerySet, Section, Task
from todo_project.todos.services import access, assignees, locks, rows, task_labels
from todo_project.todos.services.access import Action

_KINDS = {"project_id": "project", "section_id": "section", "parent_id": "task"}
KEYS = tuple(_KINDS)
DEPTH_MAX = 10


class TaskExistsAgain(Conflict):
    """The project has another task with the same iCalendar UID."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project, and a section and a parent in it."""

    project_id: uuid.UUID
    section_id: uuid.UUID | None
    parent_id: uuid.UUID | None


# --- which place


def find(
    *,
    user_id: uuid.UUID,
    fields: Mapping[str, Any],
    projects: locks.Projects,
    task: Task | None,
    errors: InputErrors,
) -> Place:
    """Return the place that the fields ask for, and add invalid values to `errors`; `task` is None for a new task.

    If the fields name no project, the project is that of the named parent or section, or the current one, or the
    Inbox. With a named parent, the section is the parent's. A task that moves to another project or section without
    a named parent leaves its parent. Raises the collected errors if there is no valid project, and RoleTooLow
    unless the user may add tasks to it; `locks.locked_task` has checked the project that the task is in.
    """
    if task is not None and task.project_id not in projects:
        raise locks.moved()
    parent = _parent(user_id, fields.get("parent_id"), errors)
    section = _section(user_id, fields.get("section_id"), errors)
    project = _project(user_id, fields, projects, task=task, holder=parent or section)
    if project is None:
        if fields.get("project_id"):
            errors.add(missing("project", "/project_id"))
        errors.raise_if_any()
        raise locks.moved()
    if task is None or task.project_id != project.id:
        _check_role(user_id, project, fields)
    _check(project, task, (parent, section), errors)
    if parent is not None:
        with errors.collecting():
            _check_nesting(task, parent)
        return Place(project_id=project.id, section_id=parent.section_id, parent_id=parent.id)
    stays = task is not None and task.project_id == project.id
    old_section = task.section_id if task is not None and stays else None
    new_section: uuid.UUID | None = fields.get("section_id", old_section)
    keeps_parent = task is not None and stays and "parent_id" not in fields and new_section == old_section
    return Place(
        project_id=project.id,
        section_id=new_section,
        parent_id=task.parent_id if task is not None and keeps_parent else None,
    )


def _check_role(user_id: uuid.UUID, project: locks.LockedProject, fields: Mapping[str, Any]) -> None:
    """Raise RoleTooLow unless the user may add tasks to the project, and InvalidInput if the user just lost it."""
    unseen = next((missing(kind, f"/{name}") for name, kind in _KINDS.items() if fields.get(name)), None)
    access.require(Action.EDIT, user_id=user_id, project_id=project.id, owner_id=project.owner_id, unseen=unseen)


def _parent(user_id: uuid.UUID, parent_id: uuid.UUID | None, errors: InputErrors) -> Task | None:
    if parent_id is None:
        return None
    parent = Task.objects.visible_to(user_id).alive().filter(id=parent_id).first()
    if parent is None:
        errors.add(missing("task", "/parent_id"))
    return parent


def _section(user_id: uuid.UUID, section_id: uuid.UUID | None, errors: InputErrors) -> Section | None:
    if section_id is None:
        return None
    sections = Section.objects.visible_to(user_id).alive().filter(id=section_id)
    section = sections.select_for_update(of=("self",), no_key=True).first()
    if section is None:
        errors.add(missing("section", "/section_id"))
    return section


def _project(
    user_id: uuid.UUID,
    fields: Mapping[str, Any],
    projects: locks.Projects,
    *,
    task: Task | None,
    holder: Task | Section | None,
) -> locks.LockedProject | None:
    if fields.get("project_id"):
        return projects.get(fields["project_id"])
    if holder is not None:
        return projects.get(holder.project_id)
    if fields.get("parent_id") or fields.get("section_id"):
        return None
    if task is not None and "project_id" not in fields:
        return projects[task.project_id]
    return next((each for each in projects.values() if each.is_inbox and each.owner_id == user_id), None)


def _check(
    project: locks.LockedProject, task: Task | None, held: tuple[Task | None, Section | None], errors: InputErrors
) -> None:
    if project.is_archived and (task is None or task.project_id != project.id):
        errors.add(archived())
    for holder, kind, pointer in zip(held, ("parent task", "section"), ("/parent_id", "/section_id"), strict=True):
        if holder is not None and holder.project_id != project.id:
            detail = f"The {kind} is in another project. Leave out `project_id`, or name the same project."
            errors.add(InvalidInput(detail, pointer=pointer, code="in_another_project"))
    parent, section = held
    if parent is None or section is None or parent.project_id != project.id:
        return
    if parent.section_id != section.id:
        detail = "A subtask is in the section of its parent. Leave out the section, or name the parent's."
        errors.add(InvalidInput(detail, pointer="/section_id", code="in_another_section"))


def missing(kind: str, pointer: str) -> InvalidInput:
    """Return the error for a place that does not exist, or that the caller may not see."""
    return InvalidInput(f"You have no {kind} with this id. Check the id.", pointer=pointer, code="not_found")


def archived() -> InvalidInput:
    """Return the error for a project that takes no tasks because it is archived."""
    return InvalidInput(
        "This project is archived, so no task can be added. Unarchive it, or choose another project.",
        pointer="/project_id",
        code="project_archived",
    )


def _check_nesting(task: Task | None, parent: Task) -> None:
    path, above = [parent.id], parent
    while above.parent_id is not None and len(path) < DEPTH_MAX:
        above = Task.objects.get(id=above.parent_id)
        path.append(above.id)
    height = 1 + (len(levels_below(task)) if task is not None else 0)
    check_nesting(task.id if task is not None else None, path=path, height=height)


def check_nesting(task_id: uuid.UUID | None, *, path: Sequence[uuid.UUID], height: int) -> None:
    """Raise InvalidInput if the task, with `height` levels including its own, cannot move below a parent.

    `path` is the ids of the parent and of the tasks above it.
    """
    if task_id in path:
        raise InvalidInput(
            "A task cannot become a subtask of itself or of its own subtasks. Choose another parent.",
            pointer="/parent_id",
            code="cycle",
        )
    if len(path) + height > DEPTH_MAX:
        raise InvalidInput(
            f"Tasks can be nested at most {DEPTH_MAX} levels deep. Choose a higher parent.",
            pointer="/parent_id",
            code="too_deep",
        )


def place_for_restore(task: Task) -> Place:
    """Return the place of a restored task: its old one, without a parent or section that is in the trash."""
    if task.parent is not None and task.parent.deleted_at is None:
        return place_of(task)
    has_section = task.section is not None and task.section.deleted_at is None
    return Place(project_id=task.project_id, section_id=task.section_id if has_section else None, parent_id=None)


def place_of(task: Task) -> Place:
    """Return the current place of the task."""
    return Place(project_id=task.project_id, section_id=task.section_id, parent_id=task.parent_id)


# --- writing it


def move(task: Task, place: Place, *, user_id: uuid.UUID, projects: locks.Projects, now: dt.datetime) -> set[str]:
    """Set the place of a locked task, which the caller saves, and save it for all descendants.

    In another project, they get its owner, and leave behind the labels and the assignees that may not go along.
    Returns the names of the changed fields. Raises TaskExistsAgain.
    """
    owner_id = projects[place.project_id].owner_id
    wanted: dict[str, Any] = {**asdict(place), "owner_id": owner_id}
    if place.project_id != task.project_id:
        along = all_below(task) | Task.objects.filter(id=task.id)
        check_uids_are_free(along.alive(), project_id=place.project_id)
        left = task_labels.leave_behind(along, user_id=user_id, project_id=place.project_id, owner_id=owner_id)
        task.label_ids = [label_id for label_id in task.label_ids if label_id not in left]
        assignees.take_off_strangers(along, project_id=place.project_id)
        task.assignee_ids = assignees.of(task)
        wanted["is_next_elsewhere"] = _is_next_elsewhere(task, along, project_id=place.project_id)
        _keep_next(along, project_id=place.project_id, now=now, but=task)
    new = {name: value for name, value in wanted.items() if getattr(task, name) != value}
    for name, value in new.items():
        setattr(task, name, value)
    if new.keys() - {"parent_id", "is_next_elsewhere"}:
        below = {name: wanted[name] for name in ("project_id", "section_id", "owner_id")}
        rows.update_all(all_below(task), now=now, **below)
    return {name.removesuffix("_id") for name in new}


def move_section(
    section: Section, *, user_id: uuid.UUID, project_id: uuid.UUID, owner_id: uuid.UUID, now: dt.datetime
) -> None:
    """Move all tasks of the section to another project, including those in the trash; raise TaskExistsAgain."""
    tasks = Task.objects.filter(section_id=section.id)
    check_uids_are_free(tasks.alive(), project_id=project_id)
    assignees.take_off_strangers(tasks, project_id=project_id)
    task_labels.leave_behind(tasks, user_id=user_id, project_id=project_id, owner_id=owner_id)
    _keep_next(tasks, project_id=project_id, now=now)
    rows.update_all(tasks, now=now, project_id=project_id, owner_id=owner_id)


def _is_next_elsewhere(task: Task, along: OwnedQuerySet[Task], *, project_id: uuid.UUID) -> bool:
    """Return whether the next task will be in another project than the task, when these move to the project."""
    if task.next_task_id is None:
        return False
    together = Task.objects.filter(project_id=project_id) | along
    return not together.filter(id=task.next_task_id).exists()


def _keep_next(
    along: OwnedQuerySet[Task], *, project_id: uuid.UUID, now: dt.datetime, but: Task | None = None
) -> None:
    """Note for tasks of which only one moves, the task or its next one, whether both will be in the project."""
    staying = Task.objects.filter(next_task__in=along).exclude(id__in=along)
    moving = along.exclude(next_task=None).exclude(next_task__in=along)
    if but is not None:  # it is noted by the caller
        moving = moving.exclude(id=but.id)
    if staying.exists():
        note_next(staying, now=now, next_project_id=project_id)
    if moving.exists():
        note_next(moving, now=now, project_id=project_id)


def note_next(
    tasks: OwnedQuerySet[Task],
    *,
    now: dt.datetime,
    project_id: uuid.UUID | None = None,
    next_project_id: uuid.UUID | None = None,
) -> None:
    """Note for each of these tasks whether its next task is in another project.

    The project of the tasks, or that of the next ones, is passed if they are about to move there.
    """
    project = Value(project_id) if project_id else F("project_id")
    next_project = Value(next_project_id) if next_project_id else F("next_task__project_id")
    is_here = Q(next_task=None) | Q(Exact(project, next_project))
    rows.update_all(tasks.filter(is_here, is_next_elsewhere=True), now=now, is_next_elsewhere=False)
    rows.update_all(tasks.filter(~is_here, is_next_elsewhere=False), now=now, is_next_elsewhere=True)


def check_uids_are_free(tasks: OwnedQuerySet[Task], *, project_id: uuid.UUID) -> None:
    """Raise TaskExistsAgain if the project has another task with the iCalendar UID of one of these."""
    imported = tasks.exclude(uid="")
    if not imported.exists():
        return
    # the second exclude() is redundant, but lets the database use the index task_uid_once_per_project
    there = Task.objects.filter(project_id=project_id, uid__in=imported.values("uid")).exclude(uid="").alive()
    again = there.exclude(id__in=tasks.values("id")).first()
    if again is not None:
        raise TaskExistsAgain(
            f"The project already has this imported task: {again.title!r} ({again.id}). Delete that one first."
        )


# --- descendants


def levels_below(task: Task, **only: Any) -> list[list[uuid.UUID]]:
    """Return the ids of the task's descendants, level by level, including those in the trash.

    `only` filters each level, so descendants of a task that it excludes are excluded too.
    """
    levels: list[list[uuid.UUID]] = []
    level = [task.id]
    subtasks = Task.objects.filter(**only)
    while level := list(subtasks.filter(Among("parent_id", level)).values_list("id", flat=True)):
        levels.append(level)
    return levels


def all_below(task: Task, **only: Any) -> OwnedQuerySet[Task]:
    """Return all descendants of the task, including those in the trash; see levels_below."""
    ids = [each for level in levels_below(task, **only) for each in level]
    return Task.objects.filter(Among("id", ids))
