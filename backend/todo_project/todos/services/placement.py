"""Where a task may be: its project, section and parent.

Whoever changes where tasks are, or how many, locks the project first, then the section, then the tasks. A project
that is put into the trash is locked the same way, so no task can slip into it meanwhile.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from todo_project.db.compiled import CompiledObjects, CompiledQuery
from todo_project.db.owned import OwnedQuery, Read
from todo_project.errors import Conflict, InvalidInput, Problems
from todo_project.todos.models import Label, OwnedQuerySet, Project, Section, Task
from todo_project.todos.services import positions, rows, trash

KEYS = ("project_id", "section_id", "parent_id")
DEPTH_MAX = 10
_ID = models.UUIDField()

Projects = dict[uuid.UUID, Project]


class MovedMeanwhile(Conflict):
    """Somebody else moved the task at the same moment."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project, and a section and a parent in it."""

    project_id: uuid.UUID
    section_id: uuid.UUID | None
    parent_id: uuid.UUID | None


def _lock(**wanted: Any) -> Any:
    owner_id = wanted.pop("owner_id")
    return Project.objects.visible_to(owner_id).alive().filter(**wanted).select_for_update(no_key=True)


# What a new task needs as a rule.
_LOCK_INBOX = CompiledObjects(Project, lambda owner_id: _lock(owner_id=owner_id, is_inbox=True), {"owner_id": _ID})
_LOCK_NAMED = CompiledObjects(Project, _lock, {"owner_id": _ID, "id": _ID})
OPEN_TO_NEW_TASKS = CompiledQuery(
    lambda owner_id, project_id: (
        Project.objects.visible_to(owner_id).alive().filter(id=project_id, is_archived=False).values_list("id")
    ),
    {"owner_id": _ID, "project_id": _ID},
)


def lock_projects(*, owner_id: uuid.UUID, fields: Mapping[str, Any], task_id: uuid.UUID | None = None) -> Projects:
    """Give the projects that a task comes from and may go to, locked until the transaction ends."""
    if task_id is None and fields.get("project_id"):
        return {project.id: project for project in _LOCK_NAMED.all(owner_id=owner_id, id=fields["project_id"])}
    if task_id is None and not any(fields.get(name) for name in KEYS):
        return {project.id: project for project in _LOCK_INBOX.all(owner_id=owner_id)}
    tasks = Task.objects.visible_to(owner_id)
    wanted = Q() if task_id is None else Q(id__in=tasks.filter(id=task_id).values("project_id"))
    if fields.get("project_id"):
        wanted |= Q(id=fields["project_id"])
    elif fields.get("parent_id"):
        wanted |= Q(id__in=tasks.filter(id=fields["parent_id"]).values("project_id"))
    elif fields.get("section_id"):
        sections = Section.objects.visible_to(owner_id).filter(id=fields["section_id"])
        wanted |= Q(id__in=sections.values("project_id"))
    elif task_id is None or "project_id" in fields:
        wanted |= Q(is_inbox=True)
    found = Project.objects.visible_to(owner_id).alive().filter(wanted)
    # always in the order of the ids, so that two who lock them do not wait for each other
    locked = found.order_by("id").select_for_update(of=("self",), no_key=True)
    return {project.id: project for project in locked}


_LABEL_IDS = CompiledQuery(
    lambda task_id: Label.objects.shown_on(task_id).order_by("id").values_list("id"), {"task_id": _ID}
)


def locked_task(tasks: OwnedQuerySet[Task], *, task_id: uuid.UUID, expected_versions: rows.Versions = None) -> Task:
    """Give the task with its `label_ids`, locked until the transaction ends; see rows.locked.

    The labels are read by a statement of their own: one that waits for a lock sees the row itself as it is after
    the wait, but everything else as it was before.
    """
    task = rows.locked(tasks, row_id=task_id, expected_versions=expected_versions)
    task.label_ids = [row[0] for row in _LABEL_IDS.rows({"task_id": task.id})]
    return task


def _spots(*, owner_id: Any, **wanted: Any) -> Any:
    mine: OwnedQuerySet[Task] = Task.objects.visible_to(owner_id)
    last = _behind(mine.filter(Q(section_id=None), project_id=OuterRef("id")))
    return Project.objects.visible_to(owner_id).alive().filter(**wanted).values_list("id", Subquery(last))


_SPOT_IN_INBOX = OwnedQuery(lambda owner_id: _spots(owner_id=owner_id, is_inbox=True))
_SPOT_IN_NAMED = OwnedQuery(_spots, {"id": _ID})


def read_of_spot(*, project_id: uuid.UUID | None) -> Read:
    """Give the read of where a new task of a project, or of the Inbox, may go: (project, the last position)."""
    return Read(_SPOT_IN_INBOX, {}) if project_id is None else Read(_SPOT_IN_NAMED, {"id": project_id})


def find(
    *, owner_id: uuid.UUID, fields: Mapping[str, Any], projects: Projects, task: Task | None, problems: Problems
) -> Place:
    """Give where the fields put a task, a new one if `task` is None; what cannot be is noted in `problems`.

    Without a project it is that of the parent or of the section, or stays, or is the Inbox. Without a section it
    is the parent's, without a parent there is none, unless the task stays in its project and keeps both.
    Raises what is noted when there is no place at all.
    """
    if task is not None and task.project_id not in projects:
        raise moved()
    parent = _parent(owner_id, fields.get("parent_id"), problems)
    section = _section(owner_id, fields.get("section_id"), problems)
    project = _project(fields, projects, task, parent or section)
    if project is None:
        if fields.get("project_id"):
            problems.add(_missing("project", "/project_id"))
        problems.raise_any()
        raise moved()
    _check(project, task, (parent, section), problems)
    if parent is not None:
        with problems.noted():
            _check_nesting(owner_id, task, parent)
    stays = task if task is not None and task.project_id == project.id else None
    return Place(
        project_id=project.id,
        section_id=_kept("section_id", fields, parent or stays),
        parent_id=_kept("parent_id", fields, stays),
    )


def moved() -> MovedMeanwhile:
    """Say so."""
    return MovedMeanwhile("This was moved or deleted at the same moment. Read it again.")


def _kept(name: str, fields: Mapping[str, Any], otherwise: Task | None) -> uuid.UUID | None:
    value: uuid.UUID | None = fields[name] if name in fields else getattr(otherwise, name, None)
    return value


def _parent(owner_id: uuid.UUID, parent_id: uuid.UUID | None, problems: Problems) -> Task | None:
    if parent_id is None:
        return None
    parent = Task.objects.visible_to(owner_id).alive().filter(id=parent_id).first()
    if parent is None:
        problems.add(_missing("task", "/parent_id"))
    return parent


def _section(owner_id: uuid.UUID, section_id: uuid.UUID | None, problems: Problems) -> Section | None:
    if section_id is None:
        return None
    sections = Section.objects.visible_to(owner_id).alive().filter(id=section_id)
    section = sections.select_for_update(of=("self",), no_key=True).first()
    if section is None:
        problems.add(_missing("section", "/section_id"))
    return section


def _project(
    fields: Mapping[str, Any], projects: Projects, task: Task | None, holder: Task | Section | None
) -> Project | None:
    if fields.get("project_id"):
        return projects.get(fields["project_id"])
    if holder is not None:
        return projects.get(holder.project_id)
    if fields.get("parent_id") or fields.get("section_id"):
        return None
    if task is not None and "project_id" not in fields:
        return projects[task.project_id]
    return next((project for project in projects.values() if project.is_inbox), None)


def _check(
    project: Project, task: Task | None, held: tuple[Task | None, Section | None], problems: Problems
) -> None:
    if project.is_archived and (task is None or task.project_id != project.id):
        detail = "This project is archived. Tasks in it can be changed and moved out, none can come in."
        problems.add(InvalidInput(detail, pointer="/project_id", code="project_archived"))
    for holder, pointer in zip(held, ("/parent_id", "/section_id"), strict=True):
        if holder is not None and holder.project_id != project.id:
            problems.add(InvalidInput("This is in another project.", pointer=pointer, code="in_another_project"))


def _missing(kind: str, pointer: str) -> InvalidInput:
    return InvalidInput(f"You have no {kind} with this id.", pointer=pointer, code="not_found")


def _check_nesting(owner_id: uuid.UUID, task: Task | None, parent: Task) -> None:
    depth, above = 1, parent
    while depth <= DEPTH_MAX:
        if task is not None and above.id == task.id:
            raise InvalidInput(
                "A task cannot be put under itself or its own subtasks.", pointer="/parent_id", code="cycle"
            )
        if above.parent_id is None:
            break
        depth += 1
        above = Task.objects.visible_to(owner_id).get(id=above.parent_id)
    height = 1 + (len(levels_below(task)) if task is not None else 0)
    if depth + height > DEPTH_MAX:
        raise InvalidInput(f"Tasks nest at most {DEPTH_MAX} deep.", pointer="/parent_id", code="too_deep")


def levels_below(task: Task) -> list[list[uuid.UUID]]:
    """Give the ids of the subtasks, of their subtasks, and so on, those in the trash too."""
    levels: list[list[uuid.UUID]] = []
    level = [task.id]
    while level := list(
        Task.objects.visible_to(task.owner_id).filter(parent_id__in=level).values_list("id", flat=True)
    ):
        levels.append(level)
    return levels


def all_below(task: Task) -> OwnedQuerySet[Task]:
    """Give everything under the task, what is in the trash too."""
    ids = [each for level in levels_below(task) for each in level]
    return Task.objects.visible_to(task.owner_id).filter(id__in=ids)


def put(task: Task, place: Place, *, now: dt.datetime, keeps_position: bool = False) -> set[str]:
    """Set the task's place, take its subtasks along, and give the names of the columns that changed.

    In another project or section it comes behind the others, unless it keeps its position. Raises
    trash.TaskExistsAgain for a project that has one of them by its UID.
    """
    if place.project_id != task.project_id:
        along = all_below(task).alive() | Task.objects.visible_to(task.owner_id).filter(id=task.id)
        trash.check_uids_are_free(along, project_id=place.project_id)
    new = {name for name in KEYS if getattr(place, name) != getattr(task, name)}
    for name in new:
        setattr(task, name, getattr(place, name))
    changed = {name.removesuffix("_id") for name in new}
    if new - {"parent_id"}:
        rows.update_all(all_below(task), now=now, project_id=task.project_id, section_id=task.section_id)
        if not keeps_position:
            task.position = last_position(place, owner_id=task.owner_id)
            changed.add("position")
    return changed


def place_of(task: Task) -> Place:
    """Give where the task is."""
    return Place(project_id=task.project_id, section_id=task.section_id, parent_id=task.parent_id)


def last_position(place: Place, *, owner_id: uuid.UUID) -> str:
    """Give a position behind everything in the place's project and section."""
    values = {"owner_id": owner_id, "project_id": place.project_id}
    if place.section_id is not None:
        values["section_id"] = place.section_id
        last = _LAST_IN_SECTION.rows(values)
    else:
        last = _LAST_OUTSIDE_SECTIONS.rows(values)
    return positions.between(last[0][0] if last else None, None)


def siblings(owner_id: uuid.UUID, place: Place) -> OwnedQuerySet[Task]:
    """Give the tasks of the place's project and section, whose positions are compared."""
    mine: OwnedQuerySet[Task] = Task.objects.visible_to(owner_id)
    return mine.filter(Q(section_id=place.section_id), project_id=place.project_id)


def _last_positions(*, owner_id: uuid.UUID, project_id: uuid.UUID, section_id: uuid.UUID | None = None) -> Any:
    place = Place(project_id=project_id, section_id=section_id, parent_id=None)
    return _behind(siblings(owner_id, place))


def _behind(tasks: OwnedQuerySet[Task]) -> Any:
    # the section too, or PostgreSQL sorts them all where it is null instead of taking the index's last
    return tasks.order_by("-section_id", "-position").values_list("position")[:1]


_LAST_OUTSIDE_SECTIONS = CompiledQuery(_last_positions, {"owner_id": _ID, "project_id": _ID})
_LAST_IN_SECTION = CompiledQuery(_last_positions, {"owner_id": _ID, "project_id": _ID, "section_id": _ID})
