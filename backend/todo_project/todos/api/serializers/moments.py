"""The serializer fields for dates, times, recurrence and reminders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from todo_project.accounts.api.serializers import TimeZoneField
from todo_project.api.serializers import (
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictSerializer,
    UtcDateTimeField,
    shared_serializer,
)
from todo_project.errors import InvalidInput
from todo_project.todos.models import RULE_LENGTH
from todo_project.todos.services import recurrence
from todo_project.todos.services.fields import OFFSET_MAX_SECONDS

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

_DATE = {
    "type": "object",
    "description": "A whole day.",
    "properties": {"date": {"type": "string", "format": "date"}},
    "required": ["date"],
    "additionalProperties": False,
}
_TIME = {
    "type": "object",
    "description": "A time. A recurring task keeps its local time in `time_zone`, an IANA time zone.",
    "properties": {
        "at": {"type": "string", "format": "date-time"},
        "time_zone": {"type": ["string", "null"], "examples": ["Asia/Shanghai"]},
    },
    "required": ["at"],
    "additionalProperties": False,
}
# drf-spectacular adds null itself
MOMENT_SCHEMA: dict[str, Any] = {"oneOf": [_DATE, _TIME]}
_CHANGE = {
    "type": "object",
    "description": (
        "Either `date`, or `at` and `time_zone`. If you send only one of `at` and `time_zone`, the other keeps its "
        "value. Null removes a value."
    ),
    "properties": {
        "date": {"type": ["string", "null"], "format": "date"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "time_zone": {"type": ["string", "null"]},
    },
    "minProperties": 1,
    "additionalProperties": False,
}
_AT = {
    "type": "object",
    "properties": {"at": {"type": "string", "format": "date-time"}},
    "required": ["at"],
    "additionalProperties": False,
}
_OFFSET = {
    "type": "object",
    "properties": {
        "offset_seconds": {"type": "integer", "minimum": -OFFSET_MAX_SECONDS, "maximum": OFFSET_MAX_SECONDS},
        "relative_to": {"type": "string", "enum": ["due", "start"]},
    },
    "required": ["offset_seconds", "relative_to"],
    "additionalProperties": False,
}
REMINDER_SCHEMA: dict[str, Any] = {"oneOf": [_AT, _OFFSET]}


class StrictDateField(serializers.DateField):
    """A day as YYYY-MM-DD."""

    default_error_messages = {"invalid": "Write a day that exists, such as 2026-11-30."}

    def to_internal_value(self, value: Any) -> Any:
        """Refuse the other forms of ISO 8601 that Python accepts."""
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            self.fail("invalid")
        return super().to_internal_value(value)


class _DateIn(StrictSerializer):
    date = StrictDateField()


class _TimeIn(StrictSerializer):
    at = UtcDateTimeField()
    time_zone = TimeZoneField(allow_null=True, required=False)


class _OffsetIn(StrictSerializer):
    offset_seconds = StrictIntegerField(min_value=-OFFSET_MAX_SECONDS, max_value=OFFSET_MAX_SECONDS)
    relative_to = StrictChoiceField(["due", "start"])


class _AtIn(StrictSerializer):
    at = UtcDateTimeField()


# what the parser makes of JSON values other than objects
_JSON_TYPES = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise serializers.ValidationError(f"Send a JSON object, not {_JSON_TYPES[type(data)]}.", code="invalid")
    return dict(data)


def _validated(kind: type[StrictSerializer], data: Any, *, partial: bool = False) -> Any:
    return dict(shared_serializer(kind, partial=partial).run_validation(data))


def _neither() -> serializers.ValidationError:
    return serializers.ValidationError(
        "Send `date` or `at`. To remove both, set the whole field to null.", code="required"
    )


@extend_schema_field(MOMENT_SCHEMA, component_name="Moment")
class MomentField(serializers.Field[Any, Any, Any, Any]):
    """`{"date"}` or `{"at", "time_zone"}`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_null": True, "required": False} | options)

    def to_internal_value(self, data: Any) -> Any:
        """Return a date, or a time with its zone."""
        given = _object(data)
        if "date" in given and "at" in given:
            if given["date"] is given["at"] is None:
                raise _neither()
            raise serializers.ValidationError("Send `date` or `at`, and leave out the other.", code="date_and_time")
        if "date" in given:
            return _validated(_DateIn, given)
        if "at" not in given:
            raise _neither()
        return {"time_zone": None, **_validated(_TimeIn, given)}

    def to_representation(self, value: Any) -> Any:
        """Not used: rows are shaped without serializers."""
        return value


@extend_schema_field(_CHANGE, component_name="MomentChange")
class MomentChangeField(MomentField):
    """A moment in a merge patch: a new time keeps the zone, and a new zone keeps the time."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the new parts; null is allowed for the part that the other one replaces."""
        given = _object(data)
        kept = {name: value for name, value in given.items() if value is not None}
        if "date" in kept:
            return super().to_internal_value(kept)
        if "at" in given and "at" not in kept:
            raise _neither()
        changes = {name: value for name, value in given.items() if name != "date"}
        if not changes.keys() & {"at", "time_zone"}:
            return super().to_internal_value(changes)
        return _validated(_TimeIn, changes, partial=True)


class ExcludedDatesField(serializers.ListField):
    """The days that a series skips (EXDATE of RFC 5545)."""

    child = StrictDateField()

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": recurrence.EXCLUDED_DATES_MAX, "required": False} | options)

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the days as they are stored: sorted strings without duplicates."""
        return sorted({day.isoformat() for day in super().to_internal_value(data)})


class RecurrenceIn(StrictSerializer):
    """How a task recurs: an RRULE (RFC 5545) and its mode.

    The rule may contain FREQ, INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, COUNT, UNTIL and WKST. With the mode
    `schedule`, the next task is computed from the start, or from the due date if there is no start. With
    `completion`, it is computed from the day on which this task is completed.
    """

    optional_in_answers = ("excluded_dates",)

    rule = StrictCharField(max_length=RULE_LENGTH, help_text="For example `FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH`.")
    mode = StrictChoiceField(recurrence.MODES, default=recurrence.SCHEDULE)
    excluded_dates = ExcludedDatesField(help_text="Days that the series skips. Absent if there are none.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Default `excluded_dates` to an empty list."""
        return attrs if isinstance(self, RecurrenceChange) else {"excluded_dates": [], **attrs}

    def validate_rule(self, value: str) -> str:
        """Refuse rules that services cannot use."""
        try:
            recurrence.parse(value)
        except InvalidInput as error:
            raise serializers.ValidationError(error.detail, code=error.input_code) from error
        return value


class RecurrenceChange(RecurrenceIn):
    """A recurrence in a merge patch: absent fields keep their values."""

    rule = StrictCharField(required=False, max_length=RULE_LENGTH)
    mode = StrictChoiceField(recurrence.MODES, required=False)
    excluded_dates = ExcludedDatesField(allow_null=True)


@extend_schema_field(REMINDER_SCHEMA, component_name="Reminder")
class ReminderField(serializers.Field[Any, Any, Any, Any]):
    """`{"at"}`, or `{"offset_seconds", "relative_to"}`, where a negative offset is before the moment."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the reminder as it is stored, with `at` as a string in UTC."""
        given = _object(data)
        if "at" not in given:
            return _validated(_OffsetIn, given)
        at = _validated(_AtIn, given)["at"]
        return {"at": at.isoformat().replace("+00:00", "Z")}

    def to_representation(self, value: Any) -> Any:
        """Not used: rows are shaped without serializers."""
        return value
