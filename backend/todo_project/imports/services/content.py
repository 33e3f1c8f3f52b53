"""iCalendar as text: where each component stands in a file, and its content lines (RFC 5545, section 3).

Everything here is linear in the size of the file and bounded, whatever the file holds: a component stays a span of
bytes until its turn comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from todo_project.errors import InvalidInput

MAX_COMPONENTS = 100_000
MAX_COMPONENT_BYTES = 5 * 1024 * 1024
MAX_LINES = 10_000
MAX_LINES_OF_FILE = 500_000
MAX_DEPTH = 4
_MAX_PROPERTIES = 100

# A line and the lines that continue it. The groups are atomic, so that a run of line ends is scanned once.
_LINE = re.compile(rb"[^\r\n]+(?:(?>\r*+\n|\r++)[ \t][^\r\n]*+)*+")
_FOLD = re.compile(rb"(?>\r*+\n|\r++)[ \t]")
_EDGE = re.compile(rb"[ \t]*(BEGIN|END)[ \t]*:[ \t]*([^\s]+)\s*\Z", re.IGNORECASE)
_NAME = re.compile(r"([A-Za-z0-9_.-]++)[ \t]*+(?=[:;])")
# All possessive: a line of many megabytes is looked at once. A quoted value may hold any of : ; ,
_PARAMETERS = re.compile(r"""((?:;[^":;]*+(?:"[^"]*+"[^":;]*+)*+)*+):""")
_PARAMETER = re.compile(r""";([^";]*+(?:"[^"]*+"[^";]*+)*+)""")
_CALENDAR_OR_TASK = re.compile(rb"BEGIN[ \t]*:[ \t]*V(?:CALENDAR|TODO|EVENT|JOURNAL)", re.IGNORECASE)
# These stand beside each other: the beginning of one is the end of an unfinished other.
_SIBLINGS = frozenset({"VTODO", "VEVENT", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"})

_TOO_DEEP = f"Its components are nested more than {MAX_DEPTH} deep."
NOT_A_CALENDAR = "This is not an iCalendar file: it has no line BEGIN:VCALENDAR. Export your tasks as .ics."
_ZIP = b"PK\x03\x04"


class UnusableFile(InvalidInput):
    """The file as a whole cannot be imported."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, pointer="/file", code="unusable_file")


class UnusableComponent(Exception):
    """One component cannot be imported; the message is the reason. The others of its file can."""


@dataclass(frozen=True, slots=True)
class Block:
    """A component that stands in a calendar or alone: where it is, and what is wrong with it, if anything."""

    calendar: int
    name: str
    start: int
    end: int
    problem: str = ""


@dataclass(slots=True)
class Outline:
    """What a file holds: its components, the properties of its calendars, and what is wrong between them."""

    blocks: list[Block] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """A content line: the name in upper case, the parameters, and the value as it is written."""

    name: str
    parameters: Mapping[str, str]
    value: str
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """A component's own lines and the components within it."""

    name: str
    lines: list[Line]
    children: list[Component]


class _Scanner:
    """Follows BEGIN and END through a file and notes each component that stands in a calendar or alone."""

    def __init__(self) -> None:
        self.outline = Outline()
        self.calendar = 0
        self.in_calendar = False
        self._open: tuple[str, int] | None = None
        self._within: list[str] = []
        self._problem = ""
        self._outside = 0
        self._too_deep = 0

    def read(self, data: bytes) -> Outline:
        """Note all components of the file."""
        for count, found in enumerate(_LINE.finditer(data)):
            if count > MAX_LINES_OF_FILE:
                raise UnusableFile(f"The file has more than {MAX_LINES_OF_FILE} lines. Split it.")
            line = found[0]
            edge = _edge(line)
            if edge is None:
                self._content(line)
            elif edge[1].upper() == b"BEGIN":
                self._begin(_decoded(edge[2]).upper(), found.start())
            else:
                self._end(_decoded(edge[2]).upper(), found.end())
        self._close(len(data), "The file ends within it.")
        if self.in_calendar:
            self.outline.problems.append("The file ends before END:VCALENDAR; it may be cut off.")
        if self._outside and self.calendar:
            self.outline.problems.append(f"{self._outside} lines stand outside every component.")
        return self.outline

    def _begin(self, name: str, at: int) -> None:
        if name == "VCALENDAR":
            self._close(at, "Its END line is missing.")
            self.calendar += 1
            self.in_calendar = True
        elif self._open is None or name in _SIBLINGS:
            self._close(at, "Its END line is missing.")
            self._open = (name, at)
        elif len(self._within) < MAX_DEPTH:
            self._within.append(name)
        else:
            self._problem = _TOO_DEEP
            self._too_deep += 1
            if self._too_deep > MAX_LINES:
                raise UnusableFile(_TOO_DEEP)

    def _end(self, name: str, at: int) -> None:
        if name == "VCALENDAR":
            self._close(at, "Its END line is missing.")
            self.in_calendar = False
        elif self._within and name == self._within[-1]:
            self._within.pop()
        elif self._open is not None and name == self._open[0]:
            self._close(at, "The END line of a component within it is missing." if self._within else "")
        else:
            self._problem = self._problem or f"It has an END:{name[:40]} that ends nothing."

    def _close(self, at: int, problem: str) -> None:
        if self._open is not None:
            name, start = self._open
            self.outline.blocks.append(Block(self.calendar, name, start, at, self._problem or problem))
            if len(self.outline.blocks) > MAX_COMPONENTS:
                raise UnusableFile(f"The file holds more than {MAX_COMPONENTS} components. Split it.")
        self._open = None
        self._within = []
        self._problem = ""

    def _content(self, line: bytes) -> None:
        if self._open is not None:
            return
        if not self.in_calendar:
            self._outside += bool(line.strip())
        elif len(self.outline.properties) < _MAX_PROPERTIES:
            parsed = parse_line(_decoded(_unfolded(line[:1000])))
            self.outline.properties.setdefault(parsed.name, parsed.value)


def outline(data: bytes) -> Outline:
    """Find the components of a file; raises UnusableFile for what is no iCalendar file at all."""
    if not _CALENDAR_OR_TASK.search(data):
        raise UnusableFile(NOT_A_CALENDAR)
    scanner = _Scanner()
    found = scanner.read(data)
    if not scanner.calendar and not any(block.name in _SIBLINGS for block in found.blocks):
        raise UnusableFile(NOT_A_CALENDAR)
    return found


def readable(data: bytes) -> bytes:
    """Give the file in an encoding that is ASCII's superset and without its mark; raises UnusableFile if empty."""
    if data.startswith(_ZIP):  # what is stored in it uncompressed would be found all the same, the rest not
        raise UnusableFile("This is a ZIP archive. Unpack it and send the .ics files in it, one at a time.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise UnusableFile("The file is empty. Export your tasks as an iCalendar file (.ics) and send that.")
    return data


def component(raw: bytes) -> Component:
    """Read one component that the outline found whole; raises UnusableComponent for what cannot be kept."""
    if b"\x00" in raw:
        raise UnusableComponent("It contains a NUL character, which no text here can hold.")
    if len(raw) > MAX_COMPONENT_BYTES:
        raise UnusableComponent(f"It is larger than {MAX_COMPONENT_BYTES} bytes.")
    # what everything else is in
    whole = Component("", [], [])
    stack = [whole]
    for count, line in enumerate(_lines(raw)):
        if count > MAX_LINES:
            raise UnusableComponent(f"It has more than {MAX_LINES} lines.")
        edge = _edge(line)
        if edge is None:
            stack[-1].lines.append(parse_line(_decoded(line)))
        elif edge[1].upper() == b"END":
            stack.pop()
        else:
            inner = Component(_decoded(edge[2]).upper(), [], [])
            stack[-1].children.append(inner)
            stack.append(inner)
    return whole.children[0]


def text(raw: bytes) -> str:
    """Give a component's text as it came, in whichever of its encodings reads it."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        # another encoding, or a line that is folded in the middle of a character
        return "\r\n".join(_decoded(line) for line in _lines(raw)) + "\r\n"


def same_content(old: bytes, new: bytes) -> bool:
    """Tell whether two versions of a component differ at most in DTSTAMP, which every export writes anew."""
    statements = ([line for line in _lines(raw) if line[:7].upper() != b"DTSTAMP"] for raw in (old, new))
    return next(statements) == next(statements)


def parse_line(line: str) -> Line:
    """Split a content line; one that cannot be split keeps what can be known of its name."""
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
    pairs = [pair.partition("=") for pair in _PARAMETER.findall(head[1])]
    parameters = {key.strip().upper(): given.strip().strip('"') for key, _, given in pairs}
    return Line(name, parameters, value, is_broken=not all(equals and key.strip() for key, equals, _ in pairs))


def uid_of(raw: bytes) -> str | None:
    """Give the UID of a component that cannot be read as a whole, to name it by."""
    for line in _lines(raw[:100_000]):
        if line[:3].upper() == b"UID":
            parsed = parse_line(_decoded(line))
            if parsed.name == "UID":
                return parsed.value.strip().replace("\x00", "�")[:255] or None
    return None


def _lines(raw: bytes) -> Iterator[bytes]:
    return (_unfolded(found[0]) for found in _LINE.finditer(raw))


def _edge(line: bytes) -> re.Match[bytes] | None:
    """Recognise BEGIN:name and END:name; no name is so long that they would be folded twice."""
    return _EDGE.match(_unfolded(line)) if line[:1] in b"BEbe \t" and len(line) < 200 else None


def _unfolded(line: bytes) -> bytes:
    if b"\n" not in line and b"\r" not in line:
        return line
    for fold in (b"\r\n ", b"\r\n\t", b"\n ", b"\n\t"):
        line = line.replace(fold, b"")
    return _FOLD.sub(b"", line) if b"\n" in line or b"\r" in line else line


def _decoded(line: bytes) -> str:
    """Read UTF-8; what is not, as the encoding that Windows and old phones write."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")
