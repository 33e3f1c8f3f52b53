"""What of a VTODO becomes which value, and that everything else is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.imports.calendars import alarm, calendar, todo
from tests.imports.reader import NOW, read, shanghai, skipped, utc
from todo_project.imports.services.components import parse
from todo_project.imports.services.ics import read_tasks
from todo_project.imports.services.report import ImportReport


class TestTexts:
    def test_escapes_are_resolved_and_folds_undone(self):
        task, named = read(todo(r"DESCRIPTION:Milk\, eggs\; bread\nand C:\\new", "  folder", summary="Sh", uid="a"))
        assert task.values.description == "Milk, eggs; bread\nand C:\\new folder"
        assert named == {}

    def test_a_fold_in_the_middle_of_a_character_is_undone(self):
        data = calendar(todo(summary="Käse")).replace("ä".encode(), b"\xc3\r\n \xa4")
        (found,) = read_tasks(parse(data), floating=shanghai(), now=NOW, report=ImportReport())
        assert found.task.values.title == "Käse"
        assert "SUMMARY:Käse" in found.text

    def test_latin_1_is_read(self):
        data = calendar(todo(summary="Käse")).replace("ä".encode(), b"\xe4")
        (found,) = read_tasks(parse(data), floating=shanghai(), now=NOW, report=ImportReport())
        assert found.task.values.title == "Käse"

    @pytest.mark.parametrize("line", [(), ("SUMMARY:",)])
    def test_a_task_without_a_summary_gets_a_title_and_says_so(self, line):
        task, named = read(todo(*line, summary=None))
        assert task.values.title == "(no title)"
        assert "SUMMARY" in named

    def test_a_summary_that_is_too_long_begins_the_description(self, settings):
        settings.TASK_TITLE_MAX_LENGTH = 20
        task, named = read(todo("DESCRIPTION:More", summary="x" * 21))
        assert task.values.title == "x" * 19 + "…"
        assert task.values.description == "x" * 21 + "\n\nMore"
        assert "20 characters" in named["SUMMARY"]

    def test_a_description_that_is_too_long_is_a_reason_to_skip(self, settings):
        settings.TASK_DESCRIPTION_MAX_LENGTH = 10
        ((uid, reason),) = skipped(todo("DESCRIPTION:" + "x" * 11))
        assert uid == "task-1@example.org"
        assert "TASK_DESCRIPTION_MAX_LENGTH" in reason

    def test_the_second_of_two_is_named(self):
        task, named = read(todo("SUMMARY:Another"))
        assert task.values.title == "Water the plants"
        assert "more than once" in named["SUMMARY"]

    def test_a_parameter_that_is_not_kept_is_named(self):
        task, named = read(todo('DESCRIPTION;ALTREP="data:text/html,<b>x</b>":x'))
        assert task.values.description == "x"
        assert named == {"DESCRIPTION;ALTREP": ""}


@pytest.mark.parametrize(
    ("written", "kept"),
    [("0", 0), ("1", 4), ("2", 3), ("3", 3), ("4", 3), ("5", 2), ("6", 1), ("7", 1), ("8", 1), ("9", 1)],
)
def test_priorities_are_turned_around(written, kept):
    task, named = read(todo(f"PRIORITY:{written}"))
    assert (task.values.priority, named) == (kept, {})


@pytest.mark.parametrize("written", ["10", "-1", "high", "9" * 30, "１"])
def test_a_priority_that_is_none_is_named(written):
    task, named = read(todo(f"PRIORITY:{written}"))
    assert task.values.priority == 0
    assert "PRIORITY" in named


class TestReminders:
    START = ("DTSTART;TZID=America/Chicago:20260121T130000",)
    BOTH = (*START, "DUE;TZID=America/Chicago:20260121T130000")

    @pytest.mark.parametrize(
        ("dates", "trigger", "reminder"),
        [
            ((), "TRIGGER;VALUE=DATE-TIME:20260119T050000Z", {"at": "2026-01-19T05:00:00Z"}),
            ((), "TRIGGER:20260119T050000Z", {"at": "2026-01-19T05:00:00Z"}),
            (BOTH, "TRIGGER;VALUE=DURATION:-PT1H", {"offset_seconds": -3600, "relative_to": "start"}),
            (BOTH, "TRIGGER:PT15M", {"offset_seconds": 900, "relative_to": "start"}),
            (START, "TRIGGER:PT0S", {"offset_seconds": 0, "relative_to": "start"}),
            (BOTH, "TRIGGER;RELATED=END:-P1DT2H", {"offset_seconds": -93600, "relative_to": "due"}),
            (BOTH, "TRIGGER;RELATED=START:-P1W", {"offset_seconds": -604800, "relative_to": "start"}),
        ],
    )
    def test_a_trigger_is_a_reminder(self, dates, trigger, reminder):
        task, named = read(todo(*dates, *alarm(trigger)))
        assert task.values.reminders == [reminder]
        assert named == {}

    def test_an_alarm_before_the_start_of_a_task_without_one_counts_from_its_due_and_says_so(self):
        task, named = read(todo("DUE:20260121T130000Z", *alarm("TRIGGER:-PT1H")))
        assert task.values.reminders == [{"offset_seconds": -3600, "relative_to": "due"}]
        assert "DUE" in named["TRIGGER"]

    @pytest.mark.parametrize(
        "lines",
        [
            ("TRIGGER:-PT1H",),
            ("TRIGGER;RELATED=END:-PT1H",),
            ("TRIGGER:whenever",),
            ("TRIGGER:-PT",),
            ("TRIGGER;VALUE=DATE-TIME:19760401T005545Z",),
            ("TRIGGER:20260119T050000Z", "X-APPLE-PROXIMITY:DEPART"),
        ],
    )
    def test_a_trigger_that_is_no_reminder_is_named(self, lines):
        task, named = read(todo(*alarm(*lines)))
        assert task.values.reminders == []
        assert "TRIGGER" in named

    def test_a_trigger_more_than_a_year_away_is_named(self):
        task, named = read(todo(*self.START, *alarm("TRIGGER:-P400D")))
        assert task.values.reminders == []
        assert "year" in named["TRIGGER"]

    def test_a_trigger_in_an_unknown_zone_and_components_in_an_alarm_are_named(self):
        inner = ("BEGIN:VLOCATION", "NAME:Home", "END:VLOCATION")
        task, named = read(todo(*alarm("TRIGGER;VALUE=DATE-TIME;TZID=Nowhere:20260119T050000", *inner)))
        assert task.values.reminders == [{"at": "2026-01-18T21:00:00Z"}]
        assert set(named) == {"TRIGGER;TZID", "VLOCATION", "NAME"}

    def test_all_else_in_an_alarm_is_named(self):
        lines = ("DESCRIPTION:Reminder", "UID:a1", "X-WR-ALARMUID:a1", "REPEAT:4", "DURATION:PT5M", "ATTACH:Basso")
        report = ImportReport()
        file = calendar(todo("BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:20260119T050000Z", *lines, "END:VALARM"))
        read_tasks(parse(file), floating=shanghai(), now=NOW, report=report)
        named = {(each.component, each.property) for _, each in report.unsupported}
        assert named == {
            ("VALARM", name)
            for name in ("ACTION", "DESCRIPTION", "UID", "X-WR-ALARMUID", "REPEAT", "DURATION", "ATTACH")
        }

    def test_a_hundred_alarms_are_twenty_reminders_and_a_word(self):
        alarms = [line for minute in range(100) for line in alarm(f"TRIGGER:20260119T05{minute % 60:02d}00Z")]
        task, named = read(todo(*alarms))
        assert len(task.values.reminders) == 20
        assert "20" in named["VALARM"]

    def test_the_same_reminder_twice_is_one(self):
        task, named = read(todo(*alarm("TRIGGER:20260119T050000Z"), *alarm("TRIGGER:20260119T050000Z")))
        assert len(task.values.reminders) == 1
        assert named == {}


class TestRecurrence:
    @pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH;INTERVAL=2", "freq=monthly;"])
    def test_a_rule_of_the_allow_list_is_kept(self, rule):
        task, named = read(todo("DTSTART:20260121T130000Z", f"RRULE:{rule}"))
        assert task.values.recurrence_rule == rule.upper().rstrip(";")
        assert named == {}

    @pytest.mark.parametrize(
        ("start", "rule"),
        [
            (":20260121T093000Z", "FREQ=DAILY;BYHOUR=9;BYMINUTE=30;BYSECOND=0"),
            (";TZID=America/New_York:20260121T093000", "BYSECOND=00;BYHOUR=09;FREQ=DAILY"),
            # a date has no time, whatever the rule says (RFC 5545, section 3.3.10)
            (";VALUE=DATE:20260121", "FREQ=DAILY;BYHOUR=9,17"),
        ],
    )
    def test_a_rule_may_repeat_the_time_of_the_start(self, start, rule):
        task, named = read(todo(f"DTSTART{start}", f"RRULE:{rule}"))
        assert (task.values.recurrence_rule, named) == ("FREQ=DAILY", {})

    @pytest.mark.parametrize(
        "rule",
        [
            "FREQ=SECONDLY",
            "FREQ=DAILY;BYHOUR=13,17",
            "FREQ=DAILY;BYHOUR=14",
            "FREQ=DAILY;BYMINUTE=",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;INTERVAL=" + "9" * 500,
            "every day",
            "FREQ=DAILY;X=" + "Y" * 600,
        ],
    )
    def test_another_rule_is_named(self, rule):
        task, named = read(todo("DTSTART:20260121T130000Z", f"RRULE:{rule}"))
        assert task.values.recurrence_rule == ""
        assert list(named) == ["RRULE"]

    def test_an_end_without_a_zone_is_the_account_s_clock(self):
        task, named = read(todo("DTSTART:20260121T130000", "RRULE:FREQ=DAILY;UNTIL=20260131T130000;INTERVAL=2"))
        assert task.values.recurrence_rule == "FREQ=DAILY;UNTIL=20260131T130000;INTERVAL=2"
        assert named == {}

    def test_a_rule_without_a_date_is_named(self):
        task, named = read(todo("RRULE:FREQ=DAILY"))
        assert task.values.recurrence_rule == ""
        assert list(named) == ["RRULE"]

    @pytest.mark.parametrize(
        ("start", "exdate", "days"),
        [
            (":20260121T130000Z", "EXDATE:20260122T130000Z,20260124T130000Z", ("2026-01-22", "2026-01-24")),
            (";VALUE=DATE:20260121", "EXDATE;VALUE=DATE:20260122", ("2026-01-22",)),
            # in the zone of the start, where it is the day before
            (";TZID=America/New_York:20260121T200000", "EXDATE:20260123T010000Z", ("2026-01-22",)),
            (":20260121T030000", "EXDATE;TZID=UTC:20260121T190000", ("2026-01-22",)),
        ],
    )
    def test_exceptions_are_days_in_the_zone_of_the_start(self, start, exdate, days):
        task, named = read(todo(f"DTSTART{start}", "RRULE:FREQ=DAILY", exdate))
        assert (task.values.excluded_dates, named) == (days, {})

    @pytest.mark.parametrize(
        ("start", "days"),
        [
            # 02:30, also on the day on which 03:30 is meant, because the clocks skip that
            (";TZID=Europe/Berlin:20260326T023000", ("2026-03-27", "2026-03-29")),
            (";VALUE=DATE:20260326", ("2026-03-27", "2026-03-28", "2026-03-29")),
        ],
    )
    def test_an_exception_at_another_time_excludes_nothing_and_is_named(self, start, days):
        """RFC 5545, section 3.8.5.1."""
        exceptions = "EXDATE:20260327T013000Z,20260328T013100Z,20260329T013000Z"
        task, named = read(todo(f"DTSTART{start}", "RRULE:FREQ=DAILY", exceptions))
        assert task.values.excluded_dates == days
        assert list(named) == ["EXDATE"] * (len(days) == 2)

    @pytest.mark.parametrize(
        ("zone", "exdate"), [("America/New_York", "00010101T000000Z"), ("Asia/Tokyo", "99991231T235959Z")]
    )
    def test_an_exception_outside_the_years_1_to_9999_is_named(self, zone, exdate):
        task, named = read(todo(f"DTSTART;TZID={zone}:20260121T130000", "RRULE:FREQ=DAILY", f"EXDATE:{exdate}"))
        assert task.values.excluded_dates == ()
        assert list(named) == ["EXDATE"]

    def test_exceptions_that_cannot_be_kept_are_named(self):
        _, named = read(todo("DTSTART:20260121T130000Z", "EXDATE:20260122T130000Z"))
        assert list(named) == ["EXDATE"]
        task, named = read(todo("DTSTART:20260121T130000Z", "RRULE:FREQ=DAILY", "EXDATE:soon,20260122"))
        assert task.values.excluded_dates == ("2026-01-22",)
        assert list(named) == ["EXDATE"]
        days = ",".join(f"20{year}01{day:02}" for year in range(26, 56) for day in range(1, 29))
        task, named = read(todo("DTSTART:20260121T130000Z", "RRULE:FREQ=DAILY", f"EXDATE:{days}"))
        assert len(task.values.excluded_dates) == 500
        assert list(named) == ["EXDATE"]


class TestIdentity:
    def test_a_task_without_a_uid_gets_one_of_its_content(self):
        first, named = read(todo("DTSTAMP:20260101T000000Z", uid=None))
        again, _ = read(todo("DTSTAMP:20270101T000000Z", uid=None))
        other, _ = read(todo(uid=None, summary="Something else"))
        assert first.uid == again.uid != other.uid
        assert "UID" in named

    def test_a_uid_that_is_too_long_is_kept_as_its_digest_and_found_as_a_parent(self):
        uid = "x" * 300
        task, named = read(todo(uid=uid))
        child, _ = read(todo(f"RELATED-TO:{uid}", uid="child"))
        assert len(task.uid) <= 255
        assert child.values.parent_uid == task.uid
        assert "UID" in named

    def test_parents_are_kept_and_other_relations_named(self):
        task, named = read(todo("RELATED-TO;RELTYPE=PARENT:p1"))
        assert (task.values.parent_uid, named) == ("p1", {})
        task, named = read(todo("RELATED-TO;RELTYPE=SIBLING:s1", "RELATED-TO:p1", "RELATED-TO:p2"))
        assert task.values.parent_uid == "p1"
        assert list(named) == ["RELATED-TO"]

    def test_a_task_is_not_its_own_parent(self):
        task, named = read(todo("RELATED-TO:task-1@example.org"))
        assert task.values.parent_uid == ""
        assert list(named) == ["RELATED-TO"]

    @pytest.mark.parametrize("written", [":20260417T163203Z", ":20260418T003203", ";TZID=UTC:20260417T163203"])
    def test_created_is_kept(self, written):
        task, named = read(todo(f"CREATED{written}"))
        assert task.created_at == utc(2026, 4, 17, 16, 32, 3)
        assert named == {}

    @pytest.mark.parametrize("written", ["29990101T000000Z", "16010101T000000Z", "20260417", "once"])
    def test_a_created_that_is_not_sane_is_named(self, written):
        task, named = read(todo(f"CREATED:{written}"))
        assert task.created_at is None
        assert list(named) == ["CREATED"]


class TestLabels:
    def test_categories_are_labels_once_whatever_their_case(self):
        task, named = read(todo(r"CATEGORIES:Home,Garden\, front,home", "CATEGORIES:Work", "CATEGORIES:,  ,"))
        assert task.values.labels == ("Home", "Garden, front", "Work")
        assert named == {}

    def test_what_no_label_can_hold_is_named(self):
        task, named = read(todo("CATEGORIES:" + "x" * 101, "CATEGORIES:ok"))
        assert task.values.labels == ("ok",)
        assert list(named) == ["CATEGORIES"]


class TestTheRest:
    def test_all_that_has_no_field_is_named_and_what_is_empty_is_not(self):
        lines = [
            "LOCATION:",
            "GEO:1.0;2.0",
            "CLASS:PRIVATE",
            "URL:https://example.org",
            "ATTACH;VALUE=URI:https://x",
            "SEQUENCE:3",
            "DTSTAMP:20260101T000000Z",
            "LAST-MODIFIED:20260101T000000Z",
            "X-A;B=C:D",
            "TRANSP: ",
        ]
        _, named = read(todo(*lines))
        assert set(named) == {
            "GEO", "CLASS", "URL", "ATTACH", "SEQUENCE", "DTSTAMP", "LAST-MODIFIED", "X-A"
        }  # fmt: skip

    def test_a_line_that_is_no_property_is_named_by_its_beginning(self):
        _, named = read(todo("this is not how it is written", "X-BROKEN;A:B", 'X-QUOTES;A="b:c'))
        assert set(named) == {"this is not how it is written", "X-BROKEN", "X-QUOTES"}

    def test_components_within_that_have_no_counterpart_are_named_with_all_that_is_in_them(self):
        _, named = read(
            todo("BEGIN:VLOCATION", "NAME:Home", "BEGIN:X-MORE", "X-DEEP:1", "END:X-MORE", "END:VLOCATION")
        )
        assert set(named) == {"VLOCATION", "NAME", "X-MORE", "X-DEEP"}

    def test_properties_of_the_calendar_are_named(self):
        report = ImportReport()
        data = calendar(todo()).replace(b"VERSION:2.0", b"VERSION:2.0\r\nX-WR-CALNAME:Garden\r\nMETHOD:CANCEL")
        read_tasks(parse(data), floating=shanghai(), now=NOW, report=report)
        assert [(uid, each.property, each.component) for uid, each in report.unsupported] == [
            (None, "X-WR-CALNAME", "VCALENDAR"),
            (None, "METHOD", "VCALENDAR"),
        ]

    def test_a_changed_occurrence_is_a_reason_to_skip(self):
        ((uid, reason),) = skipped(todo("RECURRENCE-ID:20260101T000000Z"))
        assert uid == "task-1@example.org"
        assert "occurrence" in reason


def test_nothing_is_neither_kept_nor_named():
    """Whatever the properties are, each is taken by a field or named."""
    kept: dict[str, Any] = {
        "SUMMARY": "x", "DESCRIPTION": "x", "PRIORITY": "1", "STATUS": "COMPLETED", "COMPLETED": "20260101T000000Z",
        "PERCENT-COMPLETE": "100", "DUE": "20260101", "DTSTART": "20260101", "CATEGORIES": "x", "UID": "x",
        "RRULE": "FREQ=DAILY", "RELATED-TO": "y", "CREATED": "20260101T000000Z",
    }  # fmt: skip
    others = ["ATTACH", "ATTENDEE", "CLASS", "COMMENT", "CONTACT", "DTSTAMP", "EXDATE", "GEO", "LAST-MODIFIED",
              "LOCATION", "ORGANIZER", "RDATE", "REQUEST-STATUS", "RESOURCES", "SEQUENCE", "URL", "COLOR", "IMAGE",
              "CONFERENCE", "TRANSP", "X-ANYTHING"]  # fmt: skip
    lines = [f"{name}:{value}" for name, value in kept.items()] + [f"{name}:1" for name in others]
    _, named = read(todo(*lines, uid=None, summary=None))
    assert set(named) == set(others)
