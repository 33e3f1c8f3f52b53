"""What `expand` adds to tasks: the things that their ids refer to, so that a screen takes one request."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from django.db.models import Count
from drf_spectacular.drainage import set_override
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from todo_project.accounts.models import User
from todo_project.api.listing import struct_for
from todo_project.api.serializers import StrictIntegerField, StrictSerializer, StrictUUIDField
from todo_project.api.sorting import Expansion
from todo_project.todos.models import Label, Project, Task
from todo_project.todos.services import people


class NamedSerializer(StrictSerializer):
    """The name and the color of a project or label."""

    id = StrictUUIDField()
    name = serializers.CharField()
    color = serializers.CharField(allow_null=True)


class AssigneeSerializer(StrictSerializer):
    """A person that a task is assigned to, as in the list of members."""

    user_id = StrictUUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()


class SubtaskCountsSerializer(StrictSerializer):
    """How many subtasks a task has, without those of its subtasks, and how many of them are completed."""

    total = StrictIntegerField()
    completed = StrictIntegerField()


class ExpandedSerializer(StrictSerializer):
    """What `expand` asked for, and nothing else."""

    project = NamedSerializer()
    labels = NamedSerializer(many=True)
    assignees = AssigneeSerializer(many=True)
    subtask_counts = SubtaskCountsSerializer()

    optional_in_answers = ("project", "labels", "assignees", "subtask_counts")


_Named = struct_for(NamedSerializer)
_Assignee = struct_for(AssigneeSerializer)
_Counts = struct_for(SubtaskCountsSerializer)
NAMES = tuple(ExpandedSerializer().fields)


class ExpandField(serializers.CharField):
    """The names of what is added, separated by commas."""

    def __init__(self) -> None:
        super().__init__(default=None, help_text="What to add to each task, in its field `expanded`.")
        items = {"type": "string", "enum": list(NAMES)}
        set_override(self, "field", {"type": "array", "items": items, "minItems": 1, "uniqueItems": True})

    def to_internal_value(self, data: Any) -> Any:
        """Return the names as a list; refuse unknown and repeated ones."""
        names = [name.strip() for name in super().to_internal_value(data).split(",")]
        for position, name in enumerate(names):
            if name not in NAMES:
                detail = f"{name[:50]!r} cannot be expanded. Use {', '.join(NAMES)}, separated by commas."
                raise serializers.ValidationError([ErrorDetail(detail, "unknown_expansion")])
            if name in names[:position]:
                detail = f"{name!r} is listed twice. List it once."
                raise serializers.ValidationError([ErrorDetail(detail, "repeated")])
        return names


class ExpandQuery(StrictSerializer):
    """The query parameters of a single task."""

    noun = "query parameter"
    comma_separated = ("expand",)

    expand = ExpandField()


# Each takes the caller and the tasks that the caller sees, and returns what belongs to one of them.
_Tasks = Sequence[Any]
_OfTask = Callable[[Any], Any]


def _projects(user: User, tasks: _Tasks) -> _OfTask:
    rows = Project.objects.visible_to(user.pk).filter(id__in={task.project_id for task in tasks})
    found = _named(rows)
    return lambda task: found.get(task.project_id)


def _labels(user: User, tasks: _Tasks) -> _OfTask:
    ids = {each for task in tasks for each in task.labels}
    found = _named(Label.objects.visible_to(user.pk).alive().filter(id__in=ids)) if ids else {}
    return lambda task: [found[each] for each in task.labels if each in found]


def _assignees(user: User, tasks: _Tasks) -> _OfTask:
    ids = [task.id for task in tasks if task.assignees]
    rows = people.assigned_to(ids).values_list("id", "email", "name") if ids else ()
    found = {row[0]: _Assignee(*row) for row in rows}
    return lambda task: [found[each] for each in task.assignees if each in found]


def _subtask_counts(user: User, tasks: _Tasks) -> _OfTask:
    rows = Task.objects.visible_to(user.pk).alive().filter(parent_id__in=[task.id for task in tasks]).order_by()
    counted = rows.values("parent_id").annotate(total=Count("id"), completed=Count("completed_at"))
    found = {row[0]: _Counts(*row[1:]) for row in counted.values_list("parent_id", "total", "completed")}
    return lambda task: found.get(task.id, _Counts(0, 0))


def _named(rows: Any) -> dict[uuid.UUID, Any]:
    return {row[0]: _Named(row[0], row[1], row[2] or None) for row in rows.values_list("id", "name", "color")}


_READERS: Mapping[str, Callable[[User, _Tasks], _OfTask]] = {
    "project": _projects,
    "labels": _labels,
    "assignees": _assignees,
    "subtask_counts": _subtask_counts,
}


def expansion(task: type[msgspec.Struct]) -> Callable[[Mapping[str, Any]], Expansion | None]:
    """Return what makes the expansion of a request for tasks, which are structs of this class."""
    names = task.__struct_fields__
    expanded_task = msgspec.defstruct(task.__name__, [*names, "expanded"], gc=False)

    def of(query: Mapping[str, Any]) -> Expansion | None:
        wanted = query.get("expand")
        if wanted is None:
            return None

        def expand(user: User, tasks: list[Any]) -> list[Any]:
            readers = {name: _READERS[name](user, tasks) for name in wanted}
            found = [{name: of_task(each) for name, of_task in readers.items()} for each in tasks]
            return [
                expanded_task(*msgspec.structs.astuple(each), added)
                for each, added in zip(tasks, found, strict=True)
            ]

        return expand

    return of
