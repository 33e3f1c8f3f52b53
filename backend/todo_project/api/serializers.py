"""Fields and serializers that every resource uses. They validate input; they never save."""

from __future__ import annotations

import datetime as dt
import functools
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.core.signals import setting_changed
from django.http import QueryDict
from drf_spectacular.drainage import set_override
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from todo_project.api.pagination import LimitField

# RFC 3339, section 5.6; a missing offset gets a message of its own
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")

# how much a time may lose in a client that counts in milliseconds
_ROUNDING = dt.timedelta(milliseconds=1)


_S = TypeVar("_S", bound="StrictSerializer")


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields, so that a misspelt one is not ignored silently.

    Endpoint.body accepts `read_only` and `computed` fields whose values are unchanged. `example` and
    `request_example` appear in the OpenAPI document.
    """

    example: ClassVar[dict[str, Any]]
    request_example: ClassVar[dict[str, Any]]
    # fields that a response may leave out
    optional_in_answers: ClassVar[tuple[str, ...]] = ()
    # texts that can also be computed, and then be longer than the `max_length` of what a client may choose
    computed: ClassVar[tuple[str, ...]] = ()
    never_null_in_answers: ClassVar[tuple[str, ...]] = ()
    # fields that only some responses have, because the client asked for them
    added_in_answers: ClassVar[Mapping[str, type[serializers.Serializer[Any]]]] = {}
    # query parameters with several values
    comma_separated: ClassVar[tuple[str, ...]] = ()
    # read-only fields that other people's requests change, so a client that read the row before may have others
    changed_by_others: ClassVar[tuple[str, ...]] = ()
    noun: ClassVar[str] = "field"
    default_error_messages = {"invalid": "Send a JSON object."}

    def to_internal_value(self, data: Any) -> Any:
        """Validate the input; report fields that cannot be set together with the other errors."""
        refused = self._refused(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not refused or not isinstance(error.detail, dict):
                raise
            raise serializers.ValidationError({**error.detail, **refused}) from error
        if refused:
            raise serializers.ValidationError(refused)
        return value

    def _refused(self, data: Mapping[str, Any]) -> dict[str, list[ErrorDetail]]:
        return {name: [self._refusal(name)] for name in sorted(set(data) - self._settable)}

    def _refusal(self, name: str) -> ErrorDetail:
        if name in self.fields:
            return ErrorDetail(
                "This field is read-only, and the value differs from the stored one. Leave it out.", "read_only"
            )
        return ErrorDetail(f"This {self.noun} is unknown. Check its spelling, or leave it out.", "unknown_field")

    @functools.cached_property
    def _settable(self) -> frozenset[str]:
        return frozenset(name for name, field in self.fields.items() if not field.read_only)

    def sent_back(self, data: Any) -> dict[str, Any]:
        """Return the values in the body that the client cannot have chosen, by their fields."""
        if not isinstance(data, Mapping):
            return {}
        return {
            name: value
            for name, value in data.items()
            if name in self.fields and not self._can_be_chosen(name, value)
        }

    def _can_be_chosen(self, name: str, value: Any) -> bool:
        if name in self.computed:
            field: Any = self.fields[name]
            return not isinstance(value, str) or len(value) <= field.max_length
        return name in self._settable

    def is_same(self, name: str, given: Any, value: Any) -> bool:
        """Return whether the client sent the stored value; a time may have lost its microseconds.

        `updated_at` may also be older, because a repeated request has the value from before its first run.
        """
        if given is None or value is None:
            return given is value
        try:
            read = self.fields[name].to_internal_value(given)
        except serializers.ValidationError:
            return False
        if isinstance(value, dt.datetime):
            later = read - value
            return bool(abs(later) < _ROUNDING or (name == "updated_at" and later < dt.timedelta()))
        return bool(read == value)

    def is_older(self, given: Any, updated_at: Any) -> bool:
        """Return whether the client sent an `updated_at` from before the last change."""
        try:
            read: dt.datetime = self.fields["updated_at"].to_internal_value(given)
        except serializers.ValidationError:
            return False
        return bool(read <= updated_at - _ROUNDING)


@functools.cache
def shared_serializer(kind: type[_S], *, partial: bool = False) -> _S:
    """Return one shared serializer per class: creating its fields costs more than validating most bodies.

    Validation does not modify the serializer, so requests in several threads can share it.
    """
    return kind(partial=partial)


@functools.lru_cache(maxsize=200)
def query_values(kind: type[StrictSerializer], text: str) -> Mapping[str, Any]:
    """Return the values of a query string, as WSGI has it; unknown and repeated parameters are errors.

    Clients send the same few again and again. Validating one takes a twentieth of its request.
    """
    parameters = QueryDict(text.encode("iso-8859-1"))
    twice = [name for name, values in parameters.lists() if len(values) > 1]
    if twice:
        raise serializers.ValidationError(
            {name: ErrorDetail("Send this parameter once.", "repeated") for name in twice}
        )
    values: Mapping[str, Any] = shared_serializer(kind).run_validation(parameters.dict())
    return values


def _forget(**_: Any) -> None:
    shared_serializer.cache_clear()
    query_values.cache_clear()


# Fields read their limits from the settings when they are created.
setting_changed.connect(_forget)


class StrictCharField(serializers.CharField):
    """A JSON string."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers, which DRF would convert."""
        if not isinstance(data, str):
            self.fail("invalid")
        value: str = super().to_internal_value(data)
        return value


class MergePatch(StrictSerializer):
    """A JSON merge patch (RFC 7396) of a resource with fields that cannot be null.

    Null sets those in `cleared` to the empty values that their functions return. Name it before the serializer of
    the resource.
    """

    cleared: ClassVar[Mapping[str, Callable[[], Any]]]

    def get_fields(self) -> dict[str, Any]:
        """Allow null for every field that can be cleared."""
        fields: dict[str, Any] = super().get_fields()
        for name in self.cleared:
            fields[name].allow_null = True
        return fields

    def to_internal_value(self, data: Any) -> Any:
        """Replace null with the empty value of fields that cannot be null."""
        values = super().to_internal_value(data)
        return values | {name: empty() for name, empty in self.cleared.items() if values.get(name, ...) is None}


class StrictBooleanField(serializers.BooleanField):
    """A JSON boolean."""

    default_error_messages = {"invalid": "Send true or false."}

    def to_internal_value(self, data: Any) -> bool:
        """Refuse "on", 1 and other values that DRF would convert."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictIntegerField(serializers.IntegerField):
    """A JSON integer."""

    default_error_messages = {"invalid": "Send a whole number."}

    def to_internal_value(self, data: Any) -> int:
        """Refuse strings and booleans, which DRF would convert."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class StrictChoiceField(serializers.ChoiceField):
    """One of several texts; the error lists them."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        self.error_messages["invalid_choice"] = f"Use one of these: {', '.join(map(str, self.choices))}."


class StrictUUIDField(serializers.UUIDField):
    """A UUID in its usual text form."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        """Refuse integers and other forms that DRF would convert."""
        if not isinstance(data, str) or len(data) != 36:
            self.fail("invalid", value=data)
        value: uuid.UUID = super().to_internal_value(data)
        return value


class IdsField(serializers.ListField):
    """A list of ids without duplicates; `noun` says what they identify."""

    child = StrictUUIDField()

    def __init__(self, *, noun: str, max_length: int, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.noun = noun
        items = {"type": "string", "format": "uuid"}
        schema = {"type": "array", "items": items, "maxItems": max_length, "uniqueItems": True}
        set_override(self, "field", schema)

    def to_internal_value(self, data: Any) -> list[uuid.UUID]:
        """Refuse repeated ids, each with its index."""
        ids: list[uuid.UUID] = super().to_internal_value(data)
        again: dict[Any, Any] = {
            position: [ErrorDetail(f"This {self.noun} is listed twice. List it once.", "repeated")]
            for position, id_ in enumerate(ids)
            if id_ in ids[:position]
        }
        if again:
            raise serializers.ValidationError(again)
        return ids


class UtcDateTimeField(serializers.DateTimeField):
    """An RFC 3339 time with an offset, returned in UTC."""

    default_error_messages = {"invalid": "Write a time that exists, such as 2026-11-30T09:00:00Z."}

    def to_internal_value(self, value: Any) -> dt.datetime:
        """Refuse a time that is not RFC 3339."""
        value = value.upper() if isinstance(value, str) else value  # RFC 3339 allows t and z
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            self.fail("invalid")
        try:
            parsed = super().to_internal_value(value)
        except (OverflowError, ValueError) as error:
            raise serializers.ValidationError(
                "This time is out of range. Use years 1 to 9999.", code="invalid"
            ) from error
        return parsed

    def enforce_timezone(self, value: dt.datetime) -> dt.datetime:
        """Refuse a time without an offset, and convert it to UTC."""
        if value.tzinfo is None:
            raise serializers.ValidationError("Add the offset, such as Z or +08:00.", code="no_offset")
        try:
            return value.astimezone(dt.UTC)
        except OverflowError as error:
            raise serializers.ValidationError(
                "This time is out of range. Use years 1 to 9999.", code="invalid"
            ) from error


class RowIdField(StrictUUIDField):
    """The id of a row, which is read-only: a client can only choose it in the path of a PUT."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"read_only": True} | options)


class TimestampField(UtcDateTimeField):
    """A read-only time."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"read_only": True} | options)


class NoBody(StrictSerializer):
    """The body of an operation that needs none: absent, or an empty object."""


class PageQuery(StrictSerializer):
    """The query parameters that every list takes."""

    noun = "query parameter"

    limit = LimitField()
    cursor = serializers.CharField(default=None, max_length=500, help_text="`next_cursor` of the previous page.")


class ChangesQuery(PageQuery):
    """The query parameters of lists whose rows change."""

    # by their names; the OpenAPI document says so
    deprecated: ClassVar[tuple[str, ...]] = ("updated_since",)

    updated_since = UtcDateTimeField(
        default=None, help_text="Deprecated: use `/changes`. Only rows changed at or after this time."
    )
    include_deleted = serializers.BooleanField(default=False, help_text="Include rows in the trash.")
