"""The report of an import: counts, skipped components, and unsupported properties."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from todo_project.imports.services.components import UnusableComponent, UnusableFile

MAX_REPORTED = 200_000
MAX_NAMED = 200
_MAX_REASONS = 10
_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Skipped:
    """A component that was not imported, and the reason."""

    uid: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A property (or `PROPERTY;PARAMETER`) that no field can store, and the reason unless it is obvious."""

    property: str
    component: str
    detail: str = ""


class UnsupportedProperties:
    """The unsupported properties of one task: each name once per component name, with the reasons."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str], dict[str, None]] = {}

    def add(self, component: str, name: str, detail: str = "") -> None:
        """Add a property; raise UnusableComponent if there are too many."""
        name = name.replace("\x00", "�")[:_NAME_LENGTH]
        reasons = self._reasons.setdefault((component, name), {})
        if detail and len(reasons) < _MAX_REASONS:
            reasons[detail] = None
        if len(self._reasons) > MAX_NAMED:
            raise UnusableComponent(f"It has more than {MAX_NAMED} unsupported properties.")

    def all(self) -> list[Unsupported]:
        """Return the unsupported properties in the order of the file."""
        return [
            Unsupported(name, component, " ".join(reasons)) for (component, name), reasons in self._reasons.items()
        ]


@dataclass(slots=True)
class ImportReport:
    """The report of one file."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    unsupported: list[tuple[str | None, Unsupported]] = field(default_factory=list)

    def skip(self, uid: str | None, reason: str) -> None:
        """Report a component that is not imported; raise UnusableFile if there is too much to report."""
        self.skipped.append(Skipped(uid, reason))
        self._check_size()

    def add(self, uid: str | None, *unsupported: Unsupported) -> None:
        """Report unsupported properties of the task with this UID, or of the file if it is None."""
        self.unsupported += ((uid, each) for each in unsupported)
        self._check_size()

    def as_values(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "skipped": [{"uid": each.uid, "reason": each.reason} for each in self.skipped],
            "unsupported": [
                {"uid": uid, "property": each.property, "component": each.component, "detail": each.detail}
                for uid, each in self.unsupported
            ],
        }

    def _check_size(self) -> None:
        if len(self.skipped) + len(self.unsupported) > MAX_REPORTED:
            raise UnusableFile(f"The report would have more than {MAX_REPORTED} entries. Split the file.")
