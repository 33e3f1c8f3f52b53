"""What a rule reads, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.backends.utils import truncate_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.migrations.state import ModelState, ProjectState


@dataclass(frozen=True)
class Incompatibility:
    """One operation that the previous release cannot work with: why, and what to do instead."""

    kind: str
    reason: str
    instead: str


@dataclass(frozen=True, kw_only=True)
class OperationContext:
    """The models before an operation, and what is known of the database."""

    app: str
    state: ProjectState
    connection: BaseDatabaseWrapper
    is_big: Callable[[str], bool]
    new_models: set[tuple[str, str]] = field(
        default_factory=set
    )  # created by pending migrations: the previous release does not use them
    is_new_app: bool = False  # the previous release has none of its tables

    def model(self, name: str) -> ModelState | None:
        """Return a model whose table the previous release may use, or nothing."""
        found = self.state.models[self.app, name.lower()]
        has_table = found.options.get("managed", True) and not found.options.get("proxy")
        return found if has_table and (self.app, name.lower()) not in self.new_models else None

    def table(self, name: str) -> str:
        """Return the table of one of the app's models."""
        given = self.state.models[self.app, name.lower()].options.get("db_table")
        length = self.connection.ops.max_name_length()
        return str(given or truncate_name(f"{self.app}_{name.lower()}", length))
