"""Fields that several resources take."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework.fields import empty

from todo_project.api.serializers import StrictCharField
from todo_project.todos.models import POSITION_LENGTH
from todo_project.todos.services import positions


class NameField(StrictCharField):
    """A name that a person gave: not blank, without space around it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 200} | options)


class ColorField(StrictCharField):
    """`#rrggbb`; null is none. What comes in is in lower case, and empty for none."""

    default_validators = [
        RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "Give a colour as #rrggbb, such as #3b82f6.", "invalid_color")
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_null": True} | options)

    def run_validation(self, data: Any = empty) -> Any:
        """Give the colour in lower case, and "" for null."""
        return (super().run_validation(data) or "").lower()


class PositionField(StrictCharField):
    """A fractional index; half of the column's length is kept for what comes between two of them."""

    default_validators = [
        RegexValidator(
            positions.PATTERN.removesuffix("$") + r"\Z",
            "Give digits and lower-case letters, not ending in 0.",
            "invalid_position",
        )
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": POSITION_LENGTH // 2, "trim_whitespace": False} | options)
