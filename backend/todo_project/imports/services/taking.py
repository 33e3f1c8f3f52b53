"""Takes properties out of a component. Whatever nobody took is named at the end, so nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from todo_project.imports.services.content import Component, Line, UnusableComponent

MAX_NAMED = 200
_MAX_REASONS = 10
_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A property (or `PROPERTY;PARAMETER`) of a component that no field holds, and why, if that is not plain."""

    property: str
    component: str
    detail: str = ""


class Findings:
    """What no field of a task holds, each name once per kind of component, with every reason that was given."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str], dict[str, None]] = {}

    def name(self, component: str, name: str, detail: str = "") -> None:
        """Name a property; raises UnusableComponent when there are too many to be anybody's task."""
        name = name.replace("\x00", "�")[:_NAME_LENGTH]
        reasons = self._reasons.setdefault((component, name), {})
        if detail and len(reasons) < _MAX_REASONS:
            reasons[detail] = None
        if len(self._reasons) > MAX_NAMED:
            raise UnusableComponent(f"It has more than {MAX_NAMED} properties that have no field here.")

    def all(self) -> tuple[Unsupported, ...]:
        """Give all that were named, in the order of the file."""
        return tuple(
            Unsupported(name, component, " ".join(reasons)) for (component, name), reasons in self._reasons.items()
        )


class Taker:
    """The lines of one component, each to be taken by whoever stores it."""

    def __init__(self, component: Component, findings: Findings) -> None:
        self.component = component
        self.findings = findings
        self._left: dict[str, list[Line]] = {}
        for line in component.lines:
            if line.is_broken:
                self.name(line.name, "This line is not written as the format asks.")
            elif line.value.strip():
                self._left.setdefault(line.name, []).append(line)

    def look(self, name: str) -> Line | None:
        """Give the first line with the name and leave it to be taken, or named."""
        lines = self._left.get(name)
        return lines[0] if lines else None

    def take(self, name: str, *, parameters: Collection[str] = ()) -> Line | None:
        """Give the first line with the name; the others are named, and each parameter that the caller ignores."""
        lines = self.take_all(name, parameters=parameters)
        if len(lines) > 1:
            self.name(name, "It is given more than once; the first is kept.")
        return lines[0] if lines else None

    def take_all(self, name: str, *, parameters: Collection[str] = ()) -> list[Line]:
        """Give all lines with the name; each parameter that the caller ignores is named."""
        lines = self._left.pop(name, [])
        for line in lines:
            for parameter in line.parameters:
                if parameter not in parameters:
                    self.name(f"{name};{parameter}")
        return lines

    def name(self, name: str, detail: str = "") -> None:
        """Name a property of this component that no field holds."""
        self.findings.name(self.component.name, name, detail)

    def name_rest(self) -> None:
        """Name all that nobody took."""
        for name in list(self._left):
            self.name(name)
        self._left.clear()


def name_whole(component: Component, findings: Findings) -> None:
    """Name a component that has no counterpart here, and each of its properties, and those within it."""
    findings.name(component.name, component.name, "Components of this kind have no counterpart here.")
    Taker(component, findings).name_rest()
    for child in component.children:
        name_whole(child, findings)
