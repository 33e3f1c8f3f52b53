"""Shapes that the API's serializers share. They validate what comes in; they never save."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from todo_project.common.api.pagination import LimitField

# Set in a serializer's context when its data was JSON, where a type is a type; a query string has only text.
JSON_BODY = "json_body"

_Problems = dict[str, list[ErrorDetail]]


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, and JSON values that DRF would turn into another type.

    A misspelt field must not be dropped in silence, and `"false"` is no boolean.
    """

    def to_internal_value(self, data: Any) -> Any:
        """Validate; every unknown or ill-typed field is an error of its own beside the others."""
        wrong = self._wrong(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not wrong or not isinstance(error.detail, dict):
                raise
            raise serializers.ValidationError({**error.detail, **wrong}) from error
        if wrong:
            raise serializers.ValidationError(wrong)
        return value

    def _wrong(self, data: Mapping[str, Any]) -> _Problems:
        wrong: _Problems = {}
        typed = self.context.get(JSON_BODY, False)
        for name, value in data.items():
            field = self.fields.get(name)
            if field is None:
                wrong[name] = [ErrorDetail("This field does not exist here.", "unknown_field")]
            elif typed and not field.read_only and (type_name := _other_type(field, value)):
                wrong[name] = [ErrorDetail(f"This must be {type_name}.", "wrong_type")]
        return wrong


def _other_type(field: serializers.Field[Any, Any, Any, Any], value: Any) -> str:
    """Name the JSON type that the field wants when the value has another one."""
    if value is None:
        return ""  # null has its own rule: allow_null
    if isinstance(field, serializers.ListField) and isinstance(value, list) and field.child is not None:
        return next((f"a list, each {name}" for item in value if (name := _other_type(field.child, item))), "")
    if isinstance(field, serializers.ChoiceField) and not isinstance(field, serializers.MultipleChoiceField):
        return "" if type(value) in {type(choice) for choice in field.choices} else "one of its choices"
    for kind, types, name in _JSON_TYPES:
        if isinstance(field, kind):
            fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
            return "" if fits else name
    return ""


_JSON_TYPES: tuple[tuple[Any, tuple[type, ...], str], ...] = (
    (
        (
            serializers.CharField,
            serializers.UUIDField,
            serializers.DateTimeField,
            serializers.DateField,
        ),
        (str,),
        "a string",
    ),
    (serializers.BooleanField, (bool,), "true or false"),
    (serializers.IntegerField, (int,), "a whole number"),
    (serializers.FloatField, (int, float), "a number"),
)


class StrictCharField(serializers.CharField):
    """A JSON string, and nothing that could be made into one."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers, which DRF would turn into text."""
        if not isinstance(data, str):
            self.fail("invalid")
        value: str = super().to_internal_value(data)
        return value


class StrictBooleanField(serializers.BooleanField):
    """A JSON true or false; DRF alone would take "on" and 1 as well."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse everything but the two."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictIntegerField(serializers.IntegerField):
    """A JSON whole number; not true, not "3"."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse text and booleans, which DRF would turn into a number."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class UtcDateTimeField(serializers.DateTimeField):
    """An RFC 3339 time with an offset, given back in UTC."""

    def to_internal_value(self, value: Any) -> dt.datetime:
        """Refuse a time without an offset: nobody can say when it is."""
        if isinstance(value, str) and "T" not in value.upper() and " " not in value:
            self.fail("invalid", format="RFC 3339, such as 2026-11-30T09:00:00Z")
        try:
            parsed = super().to_internal_value(value)
        except (OverflowError, ValueError) as error:
            raise serializers.ValidationError("This time is out of range.", code="invalid") from error
        return parsed

    def enforce_timezone(self, value: dt.datetime) -> dt.datetime:
        """Give the time in UTC."""
        if value.tzinfo is None:
            raise serializers.ValidationError("Give the offset, such as Z or +08:00.", code="no_offset")
        try:
            return value.astimezone(dt.UTC)
        except OverflowError as error:
            raise serializers.ValidationError("This time is out of range.", code="invalid") from error


class PageQuery(StrictSerializer):
    """The query parameters that every list takes."""

    limit = LimitField()
    cursor = serializers.CharField(default=None, max_length=500, help_text="`next_cursor` of the page before.")


class ChangesQuery(PageQuery):
    """The query parameters of lists whose rows change."""

    updated_since = UtcDateTimeField(default=None, help_text="Only rows changed at or after this time.")
    include_deleted = serializers.BooleanField(default=False, help_text="Rows in the trash too.")
