"""However hostile or large a file is, its cost is bounded: function calls, statements, what a task holds."""

from __future__ import annotations

import contextlib
import cProfile
import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.imports.calendars import alarm, calendar, todo
from tests.imports.stories import counts, imported, send, task
from tests.todos.stories import make_section
from todo_project.imports.services import alarms, components, ics, writing, zones
from todo_project.imports.services.report import ImportReport
from todo_project.todos.models import Task
from todo_project.todos.services.fields import REMINDERS_MAX

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
UTC = zones.Zone("UTC", dt.UTC)
MEBIBYTE = 1024 * 1024
BEGIN = b"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:1\r\n"


def many_dates(count: int, tzid: str = "Own") -> str:
    """Define a zone whose offset changes at that many moments."""
    dates = ",".join(f"{1970 + number // 28 % 80}01{1 + number % 28:02}T000000" for number in range(count))
    return (
        f"BEGIN:VTIMEZONE\nTZID:{tzid}\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\n"
        f"TZOFFSETTO:+0100\nRDATE:{dates}\nEND:STANDARD\nEND:VTIMEZONE"
    )


def many_rules(count: int) -> str:
    """Define a zone with that many rules, each of which gives a change for every year of three centuries."""
    rule = (
        "BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\n"
        "RRULE:FREQ=YEARLY;BYDAY=-1SU\nEND:STANDARD\n"
    )
    return f"BEGIN:VTIMEZONE\nTZID:Own\n{rule * count}END:VTIMEZONE"


ALARMS = [
    line for minute in range(20) for line in alarm(f"TRIGGER;VALUE=DATE-TIME;TZID=Own:20260119T05{minute:02}00")
]
HOSTILE = {
    "ends": b"\r" * MEBIBYTE * 4,
    "ends-within": BEGIN + b"\r" * MEBIBYTE * 4,
    "folds": BEGIN + b"DESCRIPTION:a" + b"\r\n a" * MEBIBYTE,
    "nesting": BEGIN + b"BEGIN:A\n" * (MEBIBYTE // 4),
    "lines": BEGIN + b"X:1\n" * (MEBIBYTE // 4),
    "quotes": BEGIN + b"X;" + b'a="' * MEBIBYTE + b":x\r\nEND:VTODO\r\n",
    "parameters": BEGIN + b"X" + b";A=1" * MEBIBYTE + b":x\r\nEND:VTODO\r\n",
    "one-name": BEGIN + b"X-" + b"a" * MEBIBYTE * 4 + b"\r\nEND:VTODO\r\n",
    "blanks": BEGIN + b"RELATED-TO:" + b" " * MEBIBYTE * 4 + b"\r\nEND:VTODO\r\n",
    "colons": BEGIN + b"DUE;TZID=" + b":" * MEBIBYTE * 4 + b"\r\nEND:VTODO\r\n",
    "rule": BEGIN + b"RRULE:FREQ=DAILY;BYDAY=" + b"MO," * MEBIBYTE + b"\r\nDTSTART:20260101\r\nEND:VTODO\r\n",
    "labels": BEGIN + b"CATEGORIES:" + b"a," * MEBIBYTE + b"\r\nEND:VTODO\r\n",
    "exceptions": BEGIN + b"DTSTART:20260101\r\nRRULE:FREQ=DAILY\r\nEXDATE:" + b"20260102," * (MEBIBYTE // 2)
    + b"\r\nEND:VTODO\r\n",
    "alarms-of-one": BEGIN + "\r\n".join(alarm("TRIGGER:PT0S") * 25_000).encode() + b"\r\nEND:VTODO\r\n",
    "zone-and-alarms": calendar(many_dates(19_000), *[todo(*ALARMS, uid=f"{number}") for number in range(500)]),
    "zones": calendar(
        *[many_dates(4_000, f"Z{number}") for number in range(70)],
        *[todo(f"DUE;TZID=Z{number}:20260119T050000", uid=f"{number}") for number in range(70)],
    ),
    "zones-of-many-calendars": calendar(many_rules(60), todo("DUE;TZID=Own:20260119T050000")) * 150,
    "names-of-zones": calendar(
        *[todo(f"DUE;TZID={'a/' * 1000}{number}:20260119T050000", uid=f"{number}") for number in range(2_000)]
    ),
}  # fmt: skip


# How many function calls reading may take: half as many again as it takes.
CALLS_MAX = {
    "ends": 100, "ends-within": 300, "folds": 300, "one-name": 500, "blanks": 500, "colons": 500, "quotes": 500,
    "rule": 500, "parameters": 1_000, "exceptions": 7_500, "labels": 17_000, "names-of-zones": 800_000,
    "zones": 1_300_000, "zones-of-many-calendars": 4_300_000, "lines": 2_900_000, "alarms-of-one": 1_300_000,
    "nesting": 3_900_000, "zone-and-alarms": 2_700_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_take_a_limited_number_of_calls(name: str) -> None:
    """Calls are counted instead of time, which depends on the machine.

    A regular expression is one call. One that backtracks would not finish these files within hours.
    """
    calls_of(calendar(todo("DTSTART;TZID=Nowhere/1:20260119T050000", "RRULE:FREQ=DAILY")))  # fills the caches
    assert calls_of(HOSTILE[name]) < CALLS_MAX[name]


def calls_of(data: bytes) -> int:
    with contextlib.suppress(components.UnusableFile), cProfile.Profile() as profile:
        ics.read_tasks(components.parse(data), floating=UTC, now=NOW, report=ImportReport())
    return sum(entry.callcount for entry in profile.getstats())


class TestZones:
    def read(self, *parts: str) -> tuple[list[dt.datetime], ImportReport]:
        report = ImportReport()
        found = ics.read_tasks(components.parse(calendar(*parts)), floating=UTC, now=NOW, report=report)
        return [each.task.values.due["at"] for each in found if each.task.values.due], report

    def test_a_zone_with_thousands_of_changes_is_read_right(self) -> None:
        due, _ = self.read(many_dates(5_000), todo("DUE;TZID=Own:20260119T050000"))
        assert due == [dt.datetime(2026, 1, 19, 4, tzinfo=dt.UTC)]

    def test_a_zone_with_more_changes_than_are_read_is_unknown_and_named(self) -> None:
        due, report = self.read(many_dates(zones.MAX_TRANSITIONS + 1), todo("DUE;TZID=Own:20260119T050000"))
        assert due == [dt.datetime(2026, 1, 19, 5, tzinfo=dt.UTC)]
        assert [each.property for _, each in report.unsupported] == ["DUE;TZID"]

    def test_all_zones_of_a_file_have_a_limited_number_of_changes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In whichever calendar they are defined."""
        monkeypatch.setattr(zones, "MAX_TRANSITIONS_OF_FILE", 25)
        files = [
            calendar(many_dates(9, f"Z{number}"), todo(f"DUE;TZID=Z{number}:20260119T050000", uid=f"{number}"))
            for number in range(4)
        ]
        report = ImportReport()
        found = ics.read_tasks(components.parse(b"".join(files)), floating=UTC, now=NOW, report=report)
        hours = [each.task.values.due["at"].hour for each in found if each.task.values.due]
        assert hours == [4, 4, 5, 5]
        assert [uid for uid, _ in report.unsupported] == ["0", "1", "2", "3"]

    def test_a_calendar_with_too_many_zones_uses_the_first_ones_and_says_so(self) -> None:
        count = zones.MAX_DEFINITIONS + 1
        due, report = self.read(
            *[many_dates(1, f"Z{number}") for number in range(count)],
            *[todo(f"DUE;TZID=Z{number}:20260119T050000", uid=f"{number}") for number in range(count)],
        )
        assert [each.hour for each in due] == [4] * (count - 1) + [5]
        ((skipped),) = report.skipped
        assert f"VTIMEZONE Z{count - 1}" in skipped.reason


def test_alarms_are_counted_and_the_rest_is_named() -> None:
    lines = [line for second in range(alarms.MAX_READ + 5) for line in alarm(f"TRIGGER:-PT{second}M")]
    report = ImportReport()
    contents = components.parse(calendar(todo("DTSTART:20260119T050000Z", *lines)))
    (found,) = ics.read_tasks(contents, floating=UTC, now=NOW, report=report)
    assert len(found.task.values.reminders) == REMINDERS_MAX
    ((_, said),) = report.unsupported
    assert "105 alarms" in said.detail
    assert f"first {REMINDERS_MAX} are kept" in said.detail


@pytest.mark.parametrize(("name", "limit"), [("MAX_LABELS", 2), ("MAX_LABELLINGS", 5)])
def test_a_file_with_too_many_labels_is_refused(name: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ics, name, limit)
    data = calendar(*[todo("CATEGORIES:a,b,c", uid=f"{number}") for number in range(2)])
    with pytest.raises(components.UnusableFile, match="labels"):
        ics.read_tasks(components.parse(data), floating=UTC, now=NOW, report=ImportReport())


def test_a_line_with_too_many_parameters_is_named() -> None:
    report = ImportReport()
    parameters = "".join(f";P{number}=1" for number in range(components.MAX_PARAMETERS + 1))
    ics.read_tasks(
        components.parse(calendar(todo(f"LOCATION{parameters}:x"))), floating=UTC, now=NOW, report=report
    )
    assert [(each.property, "valid content line" in each.detail) for _, each in report.unsupported] == [
        ("LOCATION", True)
    ]


def family(count: int, parent: Callable[[int], int], *lines: str) -> bytes:
    """Write two parents and that many tasks below them."""
    tasks = [todo(f"RELATED-TO:p{parent(number)}", *lines, uid=f"{number}") for number in range(count)]
    return calendar(todo(uid="p0"), todo(uid="p1"), *tasks)


class TestStatements:
    @pytest.fixture
    def statements(self, alice: Person, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], int]:
        """Import a file and count the statements."""
        monkeypatch.setattr("todo_project.imports.services.imports.AT_ONCE_BYTES", 10 * MEBIBYTE)
        monkeypatch.setattr("todo_project.imports.services.imports.AT_ONCE_COMPONENTS", 100_000)

        def count(data: bytes) -> int:
            with CaptureQueriesContext(
                connection,
            ) as captured:
                imported(alice, data)
            return len(captured)

        return count

    @pytest.mark.django_db
    def test_ten_times_as_many_tasks_take_a_few_statements_for_each_further_batch(
        self, statements: Callable[[bytes], int], alice: Person
    ) -> None:
        daily = ("DUE;VALUE=DATE:20261201", "RRULE:FREQ=DAILY")

        def all_kinds(count: int) -> list[int]:
            """Make tasks, import them unchanged, change fields, rules and labels, change all parents."""
            return [
                statements(family(count, lambda n: n % 2, "CATEGORIES:a,b")),
                statements(family(count, lambda n: n % 2, "CATEGORIES:a,b")),
                statements(family(count, lambda n: n % 2, "CATEGORIES:b,c", "PRIORITY:1", *daily)),
                statements(family(count, lambda n: 1 - n % 2, "CATEGORIES:b,c", "PRIORITY:1", *daily)),
            ]

        few = all_kinds(10)
        section = make_section(alice, {"id": task(alice, "p1")["project_id"]})["id"]
        assert alice.api.patch(f"/tasks/{task(alice, 'p1')['id']}", {"section_id": section}).status_code == 200
        many = all_kinds(1_000)
        # two more batches; SQLite cuts what is written into pieces of 26 rows
        assert all(more < less + 60 for more, less in zip(many, few, strict=True)), (few, many)
        last = Task.objects.get(uid="999")
        assert last.parent is not None
        assert (last.parent.uid, last.section_id, last.priority) == ("p0", None, 4)

    @pytest.mark.django_db
    def test_a_thousand_tasks_that_find_their_parent_later_take_few_statements(
        self, statements: Callable[[bytes], int], alice: Person
    ) -> None:
        imported(alice, calendar(*[todo("RELATED-TO:p0", uid=f"{number}") for number in range(1_000)]))
        assert statements(calendar(todo(uid="p0"))) < 60
        assert Task.objects.filter(parent__uid="p0").count() == 1_000

    @pytest.mark.django_db
    def test_tasks_that_wait_for_another_parent_cost_nothing(
        self, statements: Callable[[bytes], int], alice: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        imported(alice, calendar(todo(uid="first")))
        few = statements(calendar(todo(uid="second")))
        imported(alice, calendar(*[todo("RELATED-TO:p0", uid=f"{number}") for number in range(100)]))
        assert Task.objects.filter(missing_parent_uid="p0").count() == 100

        def refuse(text: str) -> None:
            raise AssertionError(text)

        monkeypatch.setattr(components, "parse_stored", refuse)
        assert statements(calendar(todo(uid="third"))) == few

    @pytest.mark.django_db
    def test_the_stored_components_that_are_parsed_are_limited(
        self, alice: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tasks = [todo(uid=f"{number}") for number in range(5)]
        imported(alice, calendar(*tasks))
        monkeypatch.setattr(writing, "_STORED_FACTOR", 0)
        assert counts(imported(alice, calendar(*tasks, todo(uid="new")))) == (1, 0, 5)
        answer = send(alice, calendar(todo("PRIORITY:1", uid="1")))
        assert answer.status_code == 400
        assert "stored components" in answer.json()["errors"][0]["detail"]

    @pytest.mark.django_db
    def test_labels_that_only_the_database_finds_equal_take_few_statements(
        self, statements: Callable[[bytes], int]
    ) -> None:
        names = ["İ" + "x" * number for number in range(1, 90)]
        tasks = [todo(f"CATEGORIES:{name},{name.lower()}", uid=name) for name in names]
        assert statements(calendar(*tasks)) < 60
