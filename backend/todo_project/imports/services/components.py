"""Parses the text of an iCalendar file into components (RFC 5545, section 3).

The file is read once, and the cost is linear in its size whatever it contains. Components, lines and nesting are
counted while reading: beyond a limit, the file is unusable or the component gets a `defect`.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from todo_project.errors import InvalidInput

MAX_LINES_OF_FILE = 500_000
MAX_COMPONENTS = 100_000
MAX_COMPONENT_LINES = 10_000
MAX_COMPONENT_CHARACTERS = 5 * 1024 * 1024
MAX_PARAMETERS = 50
MAX_DEPTH = 4
_MAX_CALENDAR_PROPERTIES = 100

_LINE = re.compile(rb"[^\n]+")
_EDGE = re.compile(r"[ \t]*(BEGIN|END)[ \t]*:[ \t]*([^\s]+)\s*\Z", re.IGNORECASE)
_EDGE_LENGTH = 200
_NAME = re.compile(r"([A-Za-z0-9_.-]++)[ \t]*+(?=[:;])")
# Possessive, so that a line of many megabytes is scanned once. A quoted value may hold any of : ; ,
_PARAMETERS = re.compile(r"""((?:;[^":;]*+(?:"[^"]*+"[^":;]*+)*+)*+):""")
_PARAMETER = re.compile(r""";([^";]*+(?:"[^"]*+"[^";]*+)*+)""")
_ESCAPE = re.compile(r"\\([\\,;:nN])")
_DATES = re.compile(r"[0-9]{8}[0-9TZ,]*", re.IGNORECASE)
_CALENDAR_OR_TASK = re.compile(rb"BEGIN[ \t]*:[ \t]*V(?:CALENDAR|TODO|EVENT|JOURNAL)", re.IGNORECASE)
# These never contain each other, so the start of one ends another that has no END line.
_SIBLINGS = frozenset({"VTODO", "VEVENT", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"})

_NO_END = "Its END line is missing."
_TOO_DEEP = f"Its components are nested more than {MAX_DEPTH} levels deep."
_TOO_MANY_LINES = f"It has more than {MAX_COMPONENT_LINES} lines."
_TOO_LONG = f"It is larger than {MAX_COMPONENT_CHARACTERS} characters."
_NUL = "It contains a NUL character."
NOT_A_CALENDAR = "This is not an iCalendar file: it has no line BEGIN:VCALENDAR. Export your tasks as .ics."
_ZIP = b"PK\x03\x04"


class UnusableFile(InvalidInput):
    """The file as a whole cannot be imported."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, pointer="/file", code="unusable_file")


class UnusableComponent(Exception):
    """One component cannot be imported; the message is the reason. The rest of the file can be."""


@dataclass(frozen=True, slots=True)
class Line:
    """A content line: the name in upper case, the parameters, and the value as it is written."""

    name: str
    parameters: Mapping[str, str]
    value: str
    is_broken: bool = False


@dataclass(eq=False)
class Component:
    """A component: its own lines, its child components, and the reason if it cannot be used."""

    name: str
    raw_lines: list[str] = field(default_factory=list)
    children: list[Component] = field(default_factory=list)
    defect: str = ""

    @functools.cached_property
    def lines(self) -> list[Line]:
        """The parsed content lines."""
        return [parse_line(line) for line in self.raw_lines]

    @property
    def text(self) -> str:
        """The component as iCalendar text, with unfolded lines."""
        return "\r\n".join([*self.text_lines(), ""])

    def value_of(self, name: str) -> str | None:
        """Return the first value of a property, without parsing the other lines."""
        for raw in self.raw_lines:
            if raw[: len(name)].upper() == name and (line := parse_line(raw)).name == name:
                return line.value.strip() or None
        return None

    def text_lines(self) -> Iterator[str]:
        """Yield the lines of `text`: the component's own, then those of its children."""
        yield f"BEGIN:{self.name}"
        yield from self.raw_lines
        for child in self.children:
            yield from child.text_lines()
        yield f"END:{self.name}"


@dataclass(slots=True)
class Contents:
    """The contents of a file: components with the number of their calendar, calendar properties, and defects."""

    components: list[tuple[int, Component]] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    defects: list[str] = field(default_factory=list)


class _Parser:
    """Follows BEGIN and END lines; `_open` is the path from an outermost component to the innermost one."""

    def __init__(self) -> None:
        self.contents = Contents()
        self.calendars = 0
        self._in_calendar = False
        self._open: list[Component] = []
        self._lines = 0
        self._characters = 0
        self._lines_outside = 0

    def parse(self, lines: Iterator[str]) -> None:
        for line in lines:
            edge = _EDGE.match(line) if line[:1] in "BEbe \t" and len(line) < _EDGE_LENGTH else None
            if edge is None:
                self._add_line(line)
            elif edge[1].upper() == "BEGIN":
                self._begin(edge[2].upper())
            else:
                self._end(edge[2].upper())
        self._close("The file ends within it.")
        if self._in_calendar:
            self.contents.defects.append("The file ends before END:VCALENDAR, so it may be incomplete.")
        if self._lines_outside and self.calendars:
            self.contents.defects.append(f"{self._lines_outside} lines are outside of any component.")

    def _begin(self, name: str) -> None:
        if name == "VCALENDAR":
            self._close(_NO_END)
            self.calendars += 1
            self._in_calendar = True
        elif not self._open or name in _SIBLINGS:
            self._close(_NO_END)
            self._open = [Component(name)]
            self._lines = self._characters = 0
        elif not self._is_usable(0):
            return
        elif len(self._open) > MAX_DEPTH:
            self._mark(_TOO_DEEP)
        else:
            child = Component(name)
            self._open[-1].children.append(child)
            self._open.append(child)

    def _end(self, name: str) -> None:
        if name == "VCALENDAR":
            self._close(_NO_END)
            self._in_calendar = False
        elif len(self._open) > 1 and name == self._open[-1].name:
            self._open.pop()
        elif self._open and name == self._open[0].name:
            self._close("The END line of one of its components is missing." if len(self._open) > 1 else "")
        elif self._open:
            self._mark(f"It has a line END:{name[:40]} without a BEGIN line.")

    def _add_line(self, line: str) -> None:
        if self._open:
            if self._is_usable(len(line)):
                self._open[-1].raw_lines.append(line)
                if "\x00" in line:
                    self._mark(_NUL)
        elif not self._in_calendar:
            self._lines_outside += bool(line.strip())
        elif len(self.contents.properties) < _MAX_CALENDAR_PROPERTIES:
            parsed = parse_line(line[:1000])
            self.contents.properties.setdefault(parsed.name, parsed.value)

    def _is_usable(self, characters: int) -> bool:
        """Count a line of the open component; return whether to keep the line."""
        self._lines += 1
        self._characters += characters
        if self._lines > MAX_COMPONENT_LINES:
            self._mark(_TOO_MANY_LINES)
        elif self._characters > MAX_COMPONENT_CHARACTERS:
            self._mark(_TOO_LONG)
        return not self._open[0].defect

    def _mark(self, defect: str) -> None:
        self._open[0].defect = self._open[0].defect or defect

    def _close(self, defect: str) -> None:
        if not self._open:
            return
        component = self._open[0]
        component.defect = component.defect or defect
        self._open = []
        self.contents.components.append((self.calendars, component))
        if len(self.contents.components) > MAX_COMPONENTS:
            raise UnusableFile(f"The file holds more than {MAX_COMPONENTS} components. Split it.")


def parse(data: bytes) -> Contents:
    """Return the components of a file; raise UnusableFile if it is not an iCalendar file or exceeds a limit."""
    parser = _Parser()
    parser.parse(_lines(decoded_file(data)))
    contents = parser.contents
    if not parser.calendars and not any(component.name in _SIBLINGS for _, component in contents.components):
        raise UnusableFile(NOT_A_CALENDAR)
    return contents


def parse_stored(text: str) -> Component | None:
    """Return the first component of a stored text, which `Component.text` or an earlier release wrote."""
    try:
        found = [component for _, component in parse(text.encode()).components]
    except UnusableFile:
        return None
    return found[0] if found and not found[0].defect else None


def decoded_file(data: bytes) -> bytes:
    """Return the file in UTF-8 or another superset of ASCII, without a byte order mark.

    Raises UnusableFile if it certainly is not an iCalendar file. This is cheap, so it can be checked before the
    file is stored.
    """
    if data.startswith(_ZIP):  # the search below could find an uncompressed file in the archive
        raise UnusableFile("This is a ZIP archive. Unpack it and send the .ics files in it, one at a time.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise UnusableFile("The file is empty. Export your tasks as an iCalendar file (.ics) and send that.")
    if not _CALENDAR_OR_TASK.search(data):
        raise UnusableFile(NOT_A_CALENDAR)
    return data


def unescaped(value: str) -> str:
    """Unescape a TEXT (section 3.3.11)."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def has_same_content(old: str, new: str) -> bool:
    """Return whether two versions of a task differ at most in DTSTAMP, which every export changes."""
    return _without_stamp(old) == _without_stamp(new)


def parse_line(line: str) -> Line:
    """Parse a content line; if that is not possible, the result has `is_broken` and what is known of the name."""
    found = _NAME.match(line)
    if found is None:
        return Line(line[:60].strip(), {}, line, is_broken=True)
    name = found[1].upper()
    head = _PARAMETERS.match(line, found.end())
    if head is None:
        return Line(name, {}, line[found.end() :], is_broken=True)
    value = line[head.end() :]
    if not head[1]:
        return Line(name, {}, value)
    return _line_with_parameters(name, *_with_unquoted_zone(head[1], value))


def _with_unquoted_zone(head: str, value: str) -> tuple[str, str]:
    """Repair an unquoted TZID such as `GMT+05:30`, whose part after the colon looks like the value."""
    if ":" in value and ";TZID=" in head.upper():
        rest, _, dates = value.rpartition(":")
        if _DATES.fullmatch(dates.strip()):
            return f"{head}:{rest}", dates
    return head, value


def _line_with_parameters(name: str, head: str, value: str) -> Line:
    found = itertools.islice(_PARAMETER.finditer(head), MAX_PARAMETERS + 1)
    pairs = [each[1].partition("=") for each in found]
    parameters = {key.strip().upper(): given.strip().strip('"') for key, _, given in pairs}
    is_broken = len(pairs) > MAX_PARAMETERS or not all(equals and key.strip() for key, equals, _ in pairs)
    return Line(name, parameters, value, is_broken=is_broken)


def _lines(data: bytes) -> Iterator[str]:
    """Yield the unfolded lines. They are unfolded before decoding, because a fold may split a character."""
    data = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    data = data.replace(b"\n ", b"").replace(b"\n\t", b"")
    for count, found in enumerate(_LINE.finditer(data)):
        if count >= MAX_LINES_OF_FILE:
            raise UnusableFile(f"The file has more than {MAX_LINES_OF_FILE} lines. Split it.")
        yield _decoded(found[0])


def _decoded(line: bytes) -> str:
    """Decode UTF-8, or the encoding that Windows and old phones use."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def _without_stamp(text: str) -> list[str]:
    return [line for line in _lines(text.encode()) if line[:7].upper() != "DTSTAMP"]
