"""Finds the marks of a text: #project, @label, +person, p1, // description, quotes and escapes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from todo_project.quick_add.services.text import LETTER, OPENING, QUOTES, Span, fold
from todo_project.todos.models import Priority
from todo_project.todos.models.tasks import LABEL_LENGTH

NEW_LABELS_MAX = 10
# of projects, labels and people in one text; a task can have more
_MARKS_MAX = 20
_NAME_LENGTH = 255
_BEFORE = rf"(?<![{LETTER}\\#@+&/.:=\-])"
_PROTECTED = re.compile(
    rf"(?P<escape>{_BEFORE}\\(?=[#@+!\"]))"
    r"|(?P<description>(?<!\S)//(?=\s|\Z))"
    rf"|(?P<address>(?<![{LETTER}])(?:[a-z]{{2,10}}://|www\.)\S+)"
    rf"|(?P<quote>[{OPENING}])"
    rf"|(?P<mark>{_BEFORE}[#@+])"
)
_PRIORITY = re.compile(
    rf"(?<![{LETTER}'/.\-:])(?:!?p(?P<p>[1-4])|(?P<bangs>!!!?))(?![{LETTER}!]|['/.\-][{LETTER}])"
)
_NEW_LABEL = re.compile(r"[^\W\d][\w\-]*")
_END_OF_NAME = re.compile(r"[\s,;:!?)\u3001\u3002]|\.(?!\w)|\Z")
# the name of the user among those who can be assigned
ME = "me"

Ids = Mapping[str, uuid.UUID]


class KnownNames(Protocol):
    """The names that the user may refer to, folded."""

    def projects(self) -> Ids:
        """Return the projects that the user may add tasks to."""
        ...

    def sections(self, project_id: uuid.UUID) -> Ids:
        """Return the sections of a project."""
        ...

    def labels(self, project_id: uuid.UUID | None) -> Ids:
        """Return the labels that the user may put on a task in a project; None is the Inbox."""
        ...

    def people(self, project_id: uuid.UUID | None) -> Ids:
        """Return those who can be assigned in a project, by e-mail address, and the user as "me"."""
        ...


@dataclass
class Marks:
    """The marks that were understood, and the parts of the text in which no more are looked for."""

    project_id: uuid.UUID | None = None
    section_id: uuid.UUID | None = None
    label_ids: list[uuid.UUID] = field(default_factory=list)
    new_labels: list[str] = field(default_factory=list)
    assignee_ids: list[uuid.UUID] = field(default_factory=list)
    priority: int | None = None
    description: str = ""
    spans: list[Span] = field(default_factory=list)
    protected: list[Span] = field(default_factory=list)


def find_marks(text: str, folded: str, names: KnownNames) -> Marks:
    """Return the marks. Of several projects or priorities, the last one counts."""
    marks = Marks()
    starts = _protect(text, folded, marks)
    ids = names.projects() if starts["#"] else {}
    projects = [found for start in starts["#"] if (found := _project(folded, start, ids, names))]
    for end, span, project_id, section_id in projects[-1:]:
        marks.project_id, marks.section_id = project_id, section_id
        marks.spans += [span, *([Span(span.end, end, "section")] if section_id else [])]
    ids = names.labels(marks.project_id) if starts["@"] else {}
    for start in starts["@"]:
        if label := _longest(folded, start + 1, ids) or _new_label(text, folded, start):
            _add_label(marks, start, label)
    ids = names.people(marks.project_id) if starts["+"] else {}
    for start in starts["+"]:
        _add_assignee(folded, start, ids, marks)
    _set_priority(folded, marks)
    return marks


def _protect(text: str, folded: str, marks: Marks) -> dict[str, list[int]]:
    """Find quotes, addresses, escapes and the description; return where marks begin, by their character."""
    starts: dict[str, list[int]] = {"#": [], "@": [], "+": []}
    position = 0
    while match := _PROTECTED.search(folded, position):
        start, position = match.span()
        match match.lastgroup:
            case "mark":
                starts[match[0]] = [*starts[match[0]], start][:_MARKS_MAX]
                position = _closing_quote(folded, position) or position
            case "quote":
                end = _closing_quote(folded, start)
                marks.protected += [Span(start, end, "quote")] if end else []
                position = end or position
            case "escape":
                marks.spans.append(Span(start, position, "escape"))
                position += 1
            case "description":
                marks.description = text[position:].strip()
                marks.spans.append(Span(start, len(text), "description"))
                break
            case _:
                marks.protected.append(Span(start, position, "address"))
    return starts


def _closing_quote(folded: str, start: int) -> int | None:
    """Return where the quoted text that begins here ends, with its quotes."""
    closing = QUOTES.get(folded[start : start + 1])
    end = -1 if closing is None else folded.find(closing, start + 1)
    return None if end < 0 else end + 1


def _project(
    folded: str, start: int, ids: Ids, names: KnownNames
) -> tuple[int, Span, uuid.UUID, uuid.UUID | None] | None:
    """Return the project that a mark names, perhaps with a section after a slash, and where it ends."""
    found = _longest(folded, start + 1, ids)
    with_section = _longest(folded, start + 1, ids, end_of_name=lambda end: folded[end : end + 1] == "/")
    if with_section and (not found or found[0] < with_section[0]):
        end, project_id = with_section
        section = _longest(folded, end + 1, names.sections(project_id))
        if section:
            return section[0], Span(start, end, "project"), project_id, section[1]
    return (found[0], Span(start, found[0], "project"), found[1], None) if found else None


def _longest(
    folded: str, start: int, ids: Ids, *, end_of_name: Callable[[int], object] | None = None
) -> tuple[int, uuid.UUID] | None:
    """Return the end and the id of the longest name that stands here, in quotes or not."""
    is_end = end_of_name or (lambda end: _END_OF_NAME.match(folded, end))
    quoted = _closing_quote(folded, start)
    if quoted is not None:
        found = ids.get(folded[start + 1 : quoted - 1])
        return (quoted, found) if found and is_end(quoted) else None
    if folded[start : start + 1].isspace():
        return None
    for end in range(min(len(folded), start + _NAME_LENGTH), start, -1):
        if is_end(end) and (found := ids.get(folded[start:end])):
            return end, found
    return None


def _add_label(marks: Marks, start: int, found: tuple[int, uuid.UUID | str]) -> None:
    """Add a label, known or new, that ends at this position."""
    end, label = found
    if isinstance(label, str):
        is_new = not _is_in(label, marks.new_labels)
        if is_new and len(marks.new_labels) == NEW_LABELS_MAX:
            return
        marks.new_labels += [label] if is_new else []
    else:
        marks.label_ids += [label] if label not in marks.label_ids else []
    marks.spans.append(Span(start, end, "label"))


def _is_in(name: str, names: Sequence[str]) -> bool:
    return fold(name) in (fold(each) for each in names)


def _new_label(text: str, folded: str, start: int) -> tuple[int, str] | None:
    """Return the end and the name of a label that does not exist yet: one word, or a text in quotes."""
    quoted = _closing_quote(folded, start + 1)
    if quoted is not None:
        name, end = text[start + 2 : quoted - 1].strip(), quoted
    else:
        match = _NEW_LABEL.match(text, start + 1)
        name, end = (match[0], match.end()) if match else ("", start)
    is_name = 0 < len(name) <= LABEL_LENGTH and _END_OF_NAME.match(folded, end)
    return (end, name) if is_name else None


def _add_assignee(folded: str, start: int, people: Ids, marks: Marks) -> None:
    found = _longest(folded, start + 1, people)
    if found:
        end, user_id = found
        marks.assignee_ids += [user_id] if user_id not in marks.assignee_ids else []
        marks.spans.append(Span(start, end, "assignee"))


def _set_priority(folded: str, marks: Marks) -> None:
    """Set the priority: p1 is the most urgent, `!!!` means p1 and `!!` means p2."""
    taken = [*marks.spans, *marks.protected]
    found = [
        match
        for match in _PRIORITY.finditer(folded)
        if not any(span.start < match.end() and match.start() < span.end for span in taken)
        and (match["p"] or _stands_alone(folded, match))
    ]
    for match in found[-1:]:
        marks.priority = Priority.URGENT + 1 - int(match["p"]) if match["p"] else len(match["bangs"]) + 1
        marks.spans.append(Span(*match.span(), "priority"))


def _stands_alone(folded: str, match: re.Match[str]) -> bool:
    return not f"{folded[: match.start()][-1:]}{folded[match.end() :][:1]}".strip()
