"""Shapes that the API's serializers share. They validate what comes in; they never save."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from todo_project.api.pagination import LimitField

# of RFC 3339, section 5.6; that an offset is missing is said in other words
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
_Problems = dict[str, list[ErrorDetail]]


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, by name: a misspelt field must not be dropped in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Validate; every unknown field is an error of its own beside the others."""
        unknown = _unknown(set(data) - set(self.fields)) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not unknown or not isinstance(error.detail, dict):
                raise
            raise serializers.ValidationError({**error.detail, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return value


def _unknown(names: set[str]) -> _Problems:
    return {name: [ErrorDetail("This field does not exist here.", "unknown_field")] for name in sorted(names)}


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


class StrictUUIDField(serializers.UUIDField):
    """A UUID in its usual text form; DRF alone would make one of any number."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        """Refuse what is no text of 36 characters."""
        if not isinstance(data, str) or len(data) != 36:
            self.fail("invalid", value=data)
        value: uuid.UUID = super().to_internal_value(data)
        return value


class UtcDateTimeField(serializers.DateTimeField):
    """An RFC 3339 time with an offset, given back in UTC."""

    def to_internal_value(self, value: Any) -> dt.datetime:
        """Refuse a time without an offset: nobody can say when it is."""
        value = value.upper() if isinstance(value, str) else value  # RFC 3339 allows t and z
        if not isinstance(value, str) or not _TIME.fullmatch(value):
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
