"""Reads the tables of phrases: one text in each line, and what quick add must read in it."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from todo_project.quick_add.services.reading import Reading
from todo_project.quick_add.services.text import fold

FOLDER = Path(__file__).parent
_COLUMNS = 5


def id_of(name: str) -> uuid.UUID:
    """Return an id that follows from the name."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, name)


@dataclass(frozen=True)
class Known:
    """The names that texts may refer to."""

    known_projects: tuple[str, ...] = ()
    known_labels: tuple[str, ...] = ()
    known_people: tuple[str, ...] = ()
    known_sections: tuple[str, ...] = ()

    def projects(self) -> Mapping[str, uuid.UUID]:
        """Return the projects."""
        return _ids(self.known_projects)

    def sections(self, project_id: uuid.UUID) -> Mapping[str, uuid.UUID]:
        """Return the sections, which every project has."""
        return _ids(self.known_sections)

    def labels(self, project_id: uuid.UUID | None) -> Mapping[str, uuid.UUID]:
        """Return the labels."""
        return _ids(self.known_labels)

    def people(self, project_id: uuid.UUID | None) -> Mapping[str, uuid.UUID]:
        """Return the people."""
        return _ids(self.known_people)


def _ids(names: tuple[str, ...]) -> Mapping[str, uuid.UUID]:
    return {fold(name): id_of(name) for name in names}


@dataclass(frozen=True)
class Table:
    """A file with the time and the names with which its texts are read."""

    now: dt.datetime
    zone: str
    names: Known
    rows: tuple[tuple[str, ...], ...] = field(repr=False)


def table(name: str) -> Table:
    """Read a file."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    heads = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line)
    day, time, zone = heads["now"].split()
    rows = [line.split("|") for line in lines if line and not line.startswith("# ")]
    known = {kind: tuple(filter(None, heads.get(kind, "").split(", "))) for kind in _KINDS}
    return Table(
        now=dt.datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=zoneinfo.ZoneInfo(zone)),
        zone=zone,
        names=Known(*(known[kind] for kind in _KINDS)),
        rows=tuple((*(part.strip() for part in row), *[""] * (_COLUMNS - len(row))) for row in rows),
    )


_KINDS = ("projects", "labels", "people", "sections")


def row_of(text: str, reading: Reading, table: Table) -> tuple[str, ...]:
    """Return what was read as a row of the table."""
    return (text, reading.title, _due(reading, table), _rule(reading), " ".join(_marks(reading, table.names)))


def _due(reading: Reading, table: Table) -> str:
    if reading.due is None:
        return ""
    if "date" in reading.due:
        return reading.due["date"].isoformat()
    assert reading.due["time_zone"] == table.zone
    return f"{reading.due['at'].astimezone(zoneinfo.ZoneInfo(table.zone)):%Y-%m-%d %H:%M}"


def _rule(reading: Reading) -> str:
    if reading.recurrence is None:
        return ""
    return reading.recurrence["rule"] + (" !" if reading.recurrence["mode"] == "completion" else "")


def _marks(reading: Reading, names: Known) -> Iterator[str]:
    marks = reading.marks
    every = (*names.known_projects, *names.known_labels, *names.known_people, *names.known_sections)
    name_of = {id_of(name): name for name in every}
    if marks.project_id is not None:
        yield "#" + name_of[marks.project_id] + (f"/{name_of[marks.section_id]}" if marks.section_id else "")
    if marks.priority is not None:
        yield f"p{5 - marks.priority}"
    yield from (f"@{name_of[each]}" for each in marks.label_ids)
    yield from (f"@{name}*" for name in marks.new_labels)
    yield from (f"+{name_of[each]}" for each in marks.assignee_ids)
    if marks.description:
        yield f"// {marks.description}"
