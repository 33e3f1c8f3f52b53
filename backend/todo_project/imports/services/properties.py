"""The properties of a component. Readers take the properties that they store; the rest is reported."""

from __future__ import annotations

from collections.abc import Collection

from todo_project.imports.services.components import Component, Line
from todo_project.imports.services.report import UnsupportedProperties


class Properties:
    """The content lines of a component that have not been taken yet."""

    def __init__(self, component: Component, notes: UnsupportedProperties) -> None:
        self.component = component
        self.notes = notes
        self._left: dict[str, list[Line]] = {}
        for line in component.lines:
            if line.is_broken:
                self.note(line.name, "This line is not a valid content line.")
            elif line.value.strip():
                self._left.setdefault(line.name, []).append(line)

    def __bool__(self) -> bool:
        """Return whether any property has a value."""
        return bool(self._left)

    def peek(self, name: str) -> Line | None:
        """Return the first line with the name without taking it."""
        lines = self._left.get(name)
        return lines[0] if lines else None

    def take(self, name: str, *, parameters: Collection[str] = ()) -> Line | None:
        """Take and return the first line with the name; note further lines and parameters not in `parameters`."""
        lines = self.take_all(name, parameters=parameters)
        if len(lines) > 1:
            self.note(name, "It occurs more than once; only the first is kept.")
        return lines[0] if lines else None

    def take_all(self, name: str, *, parameters: Collection[str] = ()) -> list[Line]:
        """Take and return all lines with the name; note parameters that are not in `parameters`."""
        lines = self._left.pop(name, [])
        for line in lines:
            for parameter in line.parameters:
                if parameter not in parameters:
                    self.note(f"{name};{parameter}")
        return lines

    def note(self, name: str, detail: str = "") -> None:
        """Note a property of this component that no field can store."""
        self.notes.add(self.component.name, name, detail)

    def note_rest(self) -> None:
        """Note every property that has not been taken."""
        for name in list(self._left):
            self.note(name)
        self._left.clear()


def note_component(component: Component, notes: UnsupportedProperties) -> None:
    """Note a component that is not supported, with its properties and children."""
    notes.add(component.name, component.name, "Components of this kind are not supported.")
    Properties(component, notes).note_rest()
    for child in component.children:
        note_component(child, notes)
