"""Fields that several resources share."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework.fields import empty

from todo_project.api.serializers import StrictCharField
from todo_project.db import positions
from todo_project.todos.models import Role

# the roles of a project, from the least to the greatest, as clients read them
ROLES = [role.label.lower() for role in Role]


class NameField(StrictCharField):
    """A name, which is trimmed and not blank."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 200} | options)


class ColorField(StrictCharField):
    """`#rrggbb`, or null."""

    default_validators = [
        RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "Write the colour as #rrggbb, such as #3b82f6.", "invalid_color")
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_null": True} | options)

    def run_validation(self, data: Any = empty) -> Any:
        """Return the colour in lower case, and "" for null, as they are stored."""
        return (super().run_validation(data) or "").lower()


class PositionField(StrictCharField):
    """A fractional index."""

    default_validators = [
        RegexValidator(
            positions.PATTERN,
            "Use digits and lower-case letters; the last character must not be 0.",
            "invalid_position",
        )
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": positions.CHOSEN_MAX_LENGTH, "trim_whitespace": False} | options)
