"""The kinds of things that clients keep a copy of."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from todo_project.api.listing import Resource
from todo_project.todos.api.serializers import filters, labels, projects, sections, tasks
from todo_project.todos.services import fields


def _of_project(rows: Any, project_id: uuid.UUID) -> Any:
    return rows.filter(project_id=project_id)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of thing: its GET side, and a function that narrows its rows to a project.

    Things with a `task_id` are copied task by task, because no index has those of all projects in one order. Their
    `holders` is the condition on tasks that have any.

    `combine` makes what activity shows of the values of some columns: it adds the fields that the API makes of
    several columns, and hides what not everybody may read.
    """

    resource: Resource
    in_project: Callable[[Any, uuid.UUID], Any] = _of_project
    holders: Q | None = None
    combine: Callable[[Mapping[str, Any]], dict[str, Any]] = dict


def _labels_in_project(rows: Any, project_id: uuid.UUID) -> Any:
    return rows.filter(task_labels__task__project_id=project_id).distinct()


# by their names in the log (db/changes/registry.py), in the order in which they are sent
kinds: dict[str, Kind] = {
    "project": Kind(resource=projects.RESOURCE, in_project=lambda rows, project_id: rows.filter(id=project_id)),
    "label": Kind(resource=labels.RESOURCE, in_project=_labels_in_project),
    "section": Kind(resource=sections.RESOURCE),
    "task": Kind(resource=tasks.RESOURCE, combine=fields.combined),
    "filter": Kind(resource=filters.RESOURCE, in_project=lambda rows, project_id: rows.none()),
}


def tasks_with(ids: Collection[uuid.UUID], *, user_id: uuid.UUID) -> set[uuid.UUID]:
    """Return the ids of the tasks that hold things with these ids, as far as the user sees them."""
    held = [kind.resource.seen(user_id).filter(id__in=ids) for kind in kinds.values() if kind.holders is not None]
    return {task_id for rows in held for task_id in rows.values_list("task_id", flat=True)}


def register(name: str, kind: Kind) -> None:
    """Send the things of another app's kind, too. Call it in AppConfig.ready."""
    kinds[name] = kind
