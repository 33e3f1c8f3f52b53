"""The serializers of tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from django.conf import settings
from django.db import models
from django.utils import timezone
from rest_framework import serializers

from todo_project.accounts.models import User
from todo_project.api.listing import Resource, struct_for
from todo_project.api.serializers import (
    ChangesQuery,
    IdsField,
    MergePatch,
    RowIdField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
    TimestampField,
)
from todo_project.api.sorting import Chosen, Condition
from todo_project.db import compiled
from todo_project.todos.api.serializers.expansion import ExpandedSerializer, ExpandField, expansion
from todo_project.todos.api.serializers.fields import PositionField
from todo_project.todos.api.serializers.moments import (
    MomentChangeField,
    MomentField,
    RecurrenceChange,
    RecurrenceIn,
    ReminderField,
)
from todo_project.todos.api.serializers.sorting import SortField, order_of
from todo_project.todos.models import Task
from todo_project.todos.models.filtering.compiled import condition_of
from todo_project.todos.models.filtering.conditions import Context
from todo_project.todos.models.filtering.syntax import LENGTH_MAX, parse
from todo_project.todos.services.fields import ASSIGNEES_MAX, LABELS_MAX, REMINDERS_MAX, recurrence_of
from todo_project.todos.services.moments import from_columns

# A cursor of a sorted list holds a title: 500 characters of four bytes each take up to 2,700.
CURSOR_LENGTH_MAX = 4000


class TaskTitleField(StrictCharField):
    """A title, not blank, of at most TASK_TITLE_MAX_LENGTH characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": settings.TASK_TITLE_MAX_LENGTH} | options)


class DescriptionField(StrictCharField):
    """A text of at most TASK_DESCRIPTION_MAX_LENGTH characters, with its leading and trailing spaces."""

    def __init__(self, **options: Any) -> None:
        limit = settings.TASK_DESCRIPTION_MAX_LENGTH
        super().__init__(**{"max_length": limit, "allow_blank": True, "trim_whitespace": False} | options)


class TaskSerializer(StrictSerializer):
    """A task."""

    id = RowIdField()
    project_id = StrictUUIDField(
        required=False,
        allow_null=True,
        help_text="Default: the project of the parent or of the section, or else the Inbox.",
    )
    section_id = StrictUUIDField(required=False, allow_null=True)
    parent_id = StrictUUIDField(
        required=False, allow_null=True, help_text="The task that this one is a subtask of."
    )
    title = TaskTitleField()
    description = DescriptionField(required=False)
    priority = StrictIntegerField(required=False, min_value=0, max_value=4, help_text="4 is the most urgent.")
    labels = IdsField(noun="label", max_length=LABELS_MAX, required=False)
    assignees = IdsField(
        noun="person",
        max_length=ASSIGNEES_MAX,
        required=False,
        help_text="The ids of those who are to do it: members of the project, or its owner.",
    )
    reminders = serializers.ListField(child=ReminderField(), required=False, max_length=REMINDERS_MAX)
    position = PositionField(required=False, help_text="Sort key among its siblings. Default: last.")
    completed_at = TimestampField(allow_null=True, help_text="Set by `complete_task`, cleared by `reopen_task`.")
    comment_count = StrictIntegerField(read_only=True, help_text="How many comments the task has.")
    created_at = TimestampField()
    updated_at = TimestampField()
    deleted_at = TimestampField(allow_null=True)
    next_task_id = StrictUUIDField(
        read_only=True,
        allow_null=True,
        help_text="The task that completing this recurring one created. Null if it is in another project now.",
    )
    uid = serializers.CharField(read_only=True, allow_null=True, help_text="The iCalendar UID of an imported task.")
    due = MomentField()
    start = MomentField()
    deadline = MomentField()
    recurrence = RecurrenceIn(required=False, allow_null=True)

    computed = ("position",)
    never_null_in_answers = ("project_id",)
    added_in_answers = {"expanded": ExpandedSerializer}
    changed_by_others = ("comment_count", "next_task_id")
    request_example = {
        "title": "Water the tomatoes",
        "priority": 3,
        "due": {"at": "2026-11-30T09:00:00Z", "time_zone": "Europe/Berlin"},
        "recurrence": {"rule": "FREQ=WEEKLY;BYDAY=MO", "mode": "schedule"},
        "reminders": [{"offset_seconds": -900, "relative_to": "due"}],
    }
    example = request_example | {
        "id": "019aaf3e-7d10-7a00-8000-0000000000a1",
        "project_id": "019aaf3e-7d10-7a00-8000-0000000000b1",
        "section_id": None,
        "parent_id": None,
        "description": "",
        "labels": [],
        "assignees": [],
        "start": None,
        "deadline": None,
        "position": "i1",
        "completed_at": None,
        "comment_count": 0,
        "next_task_id": None,
        "uid": None,
        "created_at": "2026-11-29T08:00:00Z",
        "updated_at": "2026-11-29T08:00:00Z",
        "deleted_at": None,
    }


class TaskPatch(MergePatch, TaskSerializer):
    """A JSON merge patch of a task."""

    due = MomentChangeField()
    start = MomentChangeField()
    deadline = MomentChangeField()
    recurrence = RecurrenceChange(required=False, allow_null=True)

    cleared = {"description": str, "priority": int, "labels": list, "assignees": list, "reminders": list}
    request_example = {"priority": 4, "due": {"date": "2026-12-01"}, "recurrence": None}


class MoveIn(StrictSerializer):
    """The new place of a task: beside another task, or at the end of a project, section or parent."""

    project_id = StrictUUIDField(required=False, allow_null=True)
    section_id = StrictUUIDField(required=False, allow_null=True)
    parent_id = StrictUUIDField(required=False, allow_null=True)
    before = StrictUUIDField(required=False, help_text="Move right before this task, into its place.")
    after = StrictUUIDField(required=False, help_text="Move right after this task, into its place.")

    request_example = {"project_id": "019aaf3e-7d10-7a00-8000-0000000000b1"}

    def validate(self, attrs: Any) -> Any:
        """Refuse `before` together with `after`."""
        if "before" in attrs and "after" in attrs:
            raise serializers.ValidationError({"after": "Send `before` or `after`, not both."})
        return attrs


class TaskQuery(ChangesQuery):
    """The query parameters of the list of tasks."""

    comma_separated = ("sort", "expand")

    cursor = serializers.CharField(
        default=None, max_length=CURSOR_LENGTH_MAX, help_text="`next_cursor` of the previous page."
    )
    project_id = StrictUUIDField(default=None)
    section_id = StrictUUIDField(default=None)
    parent_id = StrictUUIDField(default=None, help_text="Only the subtasks of this task.")
    label_id = StrictUUIDField(default=None)
    assignee_id = StrictUUIDField(default=None, help_text="Only tasks that are assigned to this person.")
    is_completed = serializers.BooleanField(default=None, allow_null=True)
    filter = serializers.CharField(
        default=None, max_length=LENGTH_MAX, help_text="Such as `label:urgent & due<today+7d`; see docs/filters.md."
    )
    sort = SortField()
    expand = ExpandField()


_Answer = struct_for(TaskSerializer)
_expansion = expansion(_Answer)
# The columns begin with the fields that are stored in a single column; those of the other fields follow.
_COMBINED = ("next_task_id", "uid", "due", "start", "deadline", "recurrence")
_PLAIN = [name for name in _Answer.__struct_fields__ if name not in _COMBINED]
COLUMNS = (
    *({"labels": "label_ids", "assignees": "assignee_ids"}.get(name, name) for name in _PLAIN),
    *(f"{name}_{part}" for name in ("due", "start", "deadline") for part in ("date", "at", "time_zone")),
    *(
        "next_task_id",
        "is_next_elsewhere",
        "uid",
        "recurrence_rule",
        "recurrence_mode",
        "excluded_dates",
        "version",
    ),
)
_PLAIN_COUNT = len(_PLAIN)


# fmt: off
def shape(row: tuple[Any, ...]) -> msgspec.Struct:
    """Return the response for one tuple of COLUMNS."""
    (due_date, due_at, due_zone, start_date, start_at, start_zone, deadline_date, deadline_at, deadline_zone,
     next_task_id, is_next_elsewhere, uid, rule, mode, excluded_dates, _) = row[_PLAIN_COUNT:]
    return _Answer(
        *row[:_PLAIN_COUNT],
        None if is_next_elsewhere else next_task_id,
        uid or None,
        from_columns(due_date, due_at, due_zone),
        from_columns(start_date, start_at, start_zone),
        from_columns(deadline_date, deadline_at, deadline_zone),
        recurrence_of(rule, mode, excluded_dates),
    )
# fmt: on


def _narrow(
    rows: Any,
    *,
    label_id: Any = None,
    assignee_id: Any = None,
    is_completed: bool | None = None,
    **ids: Any,
) -> Any:
    if label_id is not None:
        rows = rows.showing_label(label_id)
    if assignee_id is not None:
        rows = rows.assigned_to(assignee_id)
    if is_completed is not None:
        rows = rows.completed() if is_completed else rows.open()
    return rows.filter(**ids)


def _condition(query: Mapping[str, Any]) -> Condition | None:
    """Return the condition of `filter`, or None without one."""
    text = query.get("filter")
    if text is None:
        return None
    parsed = parse(text)

    def condition(user: User) -> Callable[[Mapping[str, str | None]], compiled.Condition]:
        context = Context.of(user, now=timezone.now())
        return lambda kinds: condition_of(parsed, context.within(kinds))

    return condition


def _chosen(query: Mapping[str, Any]) -> Chosen:
    return Chosen(_condition(query), order_of(query), _expansion(query))


_FILTERS = ("project_id", "section_id", "parent_id", "label_id", "assignee_id")
RESOURCE = Resource(
    rows=Task.objects.with_links,
    columns=COLUMNS,
    struct=_Answer,
    shape=shape,
    filters={name: models.UUIDField() for name in _FILTERS},
    flags=("is_completed",),
    narrow=_narrow,
    place="project_id",
    chosen=_chosen,
)
