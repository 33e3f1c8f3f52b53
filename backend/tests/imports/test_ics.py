"""What of a VTODO becomes which value, and that everything else is named."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.imports.calendars import LOCATED_ZONE, OWN_ZONE, alarm, calendar, todo
from todo_project.imports.services import zones
from todo_project.imports.services.ics import ImportedTask
from todo_project.imports.services.reading import Report, read_file

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def read(*components: str) -> tuple[ImportedTask, dict[str, str]]:
    """Read the one task of a file for somebody in Shanghai; give it and what was named, with the details."""
    report = Report()
    (found,) = read_file(calendar(*components), floating=_shanghai(), now=NOW, report=report)
    assert report.skipped == []
    return found.task, {each.property: each.detail for _, each in report.unsupported}


def skipped(*components: str) -> list[tuple[str | None, str]]:
    report = Report()
    read_file(calendar(*components), floating=_shanghai(), now=NOW, report=report)
    return [(each.uid, each.reason) for each in report.skipped]


def _shanghai() -> zones.Zone:
    zone = zones.named("Asia/Shanghai")
    assert zone is not None
    return zone


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]


class TestTexts:
    def test_escapes_are_resolved_and_folds_undone(self):
        task, named = read(todo(r"DESCRIPTION:Milk\, eggs\; bread\nand C:\\new", "  folder", summary="Sh", uid="a"))
        assert task.values.description == "Milk, eggs; bread\nand C:\\new folder"
        assert named == {}

    def test_a_fold_in_the_middle_of_a_character_is_undone(self):
        data = calendar(todo(summary="Käse")).replace("ä".encode(), b"\xc3\r\n \xa4")
        (found,) = read_file(data, floating=_shanghai(), now=NOW, report=Report())
        assert found.task.values.title == "Käse"
        assert "SUMMARY:Käse" in found.text

    def test_latin_1_is_read(self):
        data = calendar(todo(summary="Käse")).replace("ä".encode(), b"\xe4")
        (found,) = read_file(data, floating=_shanghai(), now=NOW, report=Report())
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


class TestDates:
    @pytest.mark.parametrize(
        ("line", "due"),
        [
            ("DUE;VALUE=DATE:20261130", {"date": dt.date(2026, 11, 30)}),
            ("DUE:20261130", {"date": dt.date(2026, 11, 30)}),
            ("DUE;VALUE=DATE:20261130T000000", {"date": dt.date(2026, 11, 30)}),
            ("DUE:20261130T090000Z", {"at": utc(2026, 11, 30, 9), "time_zone": None}),
            ("DUE:20261130T090000", {"at": utc(2026, 11, 30, 1), "time_zone": "Asia/Shanghai"}),
            ("DUE:20261130T090060", {"at": utc(2026, 11, 30, 1, 0, 59), "time_zone": "Asia/Shanghai"}),
            (
                "DUE;TZID=America/Chicago:20260716T180000",
                {"at": utc(2026, 7, 16, 23), "time_zone": "America/Chicago"},
            ),
            (
                'DUE;TZID="/mozilla.org/20050126_1/Europe/Berlin":20261130T090000',
                {"at": utc(2026, 11, 30, 8), "time_zone": "Europe/Berlin"},
            ),
            (
                "DUE;TZID=W. Europe Standard Time:20260716T090000",
                {"at": utc(2026, 7, 16, 7), "time_zone": "Europe/Berlin"},
            ),
            (
                "DUE;TZID=/example.org/20260101_1/UTC:20261130T080000",
                {"at": utc(2026, 11, 30, 8), "time_zone": "UTC"},
            ),
            (
                "DUE;TZID=/example.org/America/Argentina/Buenos_Aires:20261130T080000",
                {"at": utc(2026, 11, 30, 11), "time_zone": "America/Argentina/Buenos_Aires"},
            ),
            (
                "DUE;TZID=europe/berlin:20261130T080000Z",
                {"at": utc(2026, 11, 30, 8), "time_zone": "Europe/Berlin"},
            ),
        ],
    )
    def test_every_way_to_write_one(self, line, due):
        task, named = read(todo(line))
        assert task.values.due == due
        assert named == {}

    def test_a_zone_of_the_file_with_a_location_has_its_name(self):
        task, named = read(todo("DUE;TZID=Prague at home:20190112T080000"), LOCATED_ZONE)
        assert task.values.due == {"at": utc(2019, 1, 12, 7), "time_zone": "Europe/Prague"}
        assert named == {}

    @pytest.mark.parametrize(
        ("written", "at"),
        [
            ("15000101T080000", utc(1500, 1, 1, 7)),
            ("20260115T080000", utc(2026, 1, 15, 7)),
            ("20260716T080000", utc(2026, 7, 16, 6)),
            ("20260329T015959", utc(2026, 3, 29, 0, 59, 59)),
            ("20260329T030000", utc(2026, 3, 29, 1)),
            ("20261025T033000", utc(2026, 10, 25, 2, 30)),
        ],
    )
    def test_a_zone_that_only_the_file_defines_gives_the_instant_and_is_named(self, written, at):
        task, named = read(OWN_ZONE, todo(f"DUE;TZID=Our office:{written}"))
        assert task.values.due == {"at": at, "time_zone": None}
        assert list(named) == ["DUE;TZID"]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("TZOFFSETTO:+0100", "TZOFFSETTO:+9900"),
            ("TZOFFSETTO:+0100", "TZOFFSETTO:an hour"),
            ("DTSTART:16010101T030000", "DTSTART:16011399T030000"),
            ("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "RRULE:FREQ=SECONDLY"),
            ("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=1990"),
            ("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "RDATE:20261025T030000,20251026T030000,x"),
        ],
    )
    def test_a_definition_that_is_half_broken_is_used_as_far_as_it_goes(self, old, new):
        task, named = read(OWN_ZONE.replace(old, new), todo("DUE;TZID=Our office:20260716T080000"))
        assert task.values.due == {"at": utc(2026, 7, 16, 6), "time_zone": None}
        assert list(named) == ["DUE;TZID"]

    def test_a_definition_that_says_nothing_is_an_unknown_zone(self):
        nothing = "BEGIN:VTIMEZONE\nTZID:Our office\nEND:VTIMEZONE"
        _, named = read(nothing, todo("DUE;TZID=Our office:20260716T080000"))
        assert "unknown" in named["DUE;TZID"]

    def test_the_end_of_a_path_is_no_zone_by_itself(self):
        assert zones.named("Havana/Cuba") is None
        assert zones.named("Cuba") is not None

    def test_a_zone_that_nobody_knows_is_named_and_read_as_the_account_s(self):
        task, named = read(todo("DUE;TZID=Middle-earth/Shire:20261130T090000"))
        assert task.values.due == {"at": utc(2026, 11, 30, 1), "time_zone": "Asia/Shanghai"}
        assert "unknown" in named["DUE;TZID"]

    @pytest.mark.parametrize(
        "written",
        [
            "tomorrow",
            "20261332",
            "20260230",
            "20261130T250000",
            "00000101",
            "00010101T000000",
            "2026-11-30",
            "٢٠٢٦١١٣٠",
        ],
    )
    def test_what_is_no_date_is_named(self, written):
        task, named = read(todo(f"DUE:{written}"))
        assert task.values.due is None
        assert list(named) == ["DUE"]

    def test_a_due_date_before_the_start_is_kept_as_it_is(self):
        task, named = read(todo("DTSTART;VALUE=DATE:20261130", "DUE:20261101T090000Z"))
        assert task.values.start == {"date": dt.date(2026, 11, 30)}
        assert task.values.due == {"at": utc(2026, 11, 1, 9), "time_zone": None}
        assert named == {}

    @pytest.mark.parametrize(
        ("start", "duration", "due"),
        [
            ("DTSTART;VALUE=DATE:20261130", "P1W", {"date": dt.date(2026, 12, 7)}),
            ("DTSTART:20261130T090000Z", "PT90M", {"at": utc(2026, 11, 30, 10, 30), "time_zone": None}),
            (
                # a day of 25 hours, then one hour by the clock
                "DTSTART;TZID=Europe/Berlin:20261024T120000",
                "P1DT1H",
                {"at": utc(2026, 10, 25, 12), "time_zone": "Europe/Berlin"},
            ),
        ],
    )
    def test_start_and_duration_say_when_it_is_due(self, start, duration, due):
        task, named = read(todo(start, f"DURATION:{duration}"))
        assert task.values.due == due
        assert named == {}

    @pytest.mark.parametrize(
        "lines",
        [
            ("DURATION:PT1H",),
            ("DTSTART;VALUE=DATE:20261130", "DURATION:PT1H"),
            ("DTSTART;VALUE=DATE:20261130", "DURATION:an hour"),
            ("DTSTART;VALUE=DATE:20261130", "DURATION:P"),
            ("DTSTART;VALUE=DATE:20261130", "DURATION:P99999999W"),
            ("DTSTART:20261130T090000Z", "DURATION:PT" + "9" * 400 + "S"),
            ("DTSTART:20261130T090000Z", "DUE:20261130T100000Z", "DURATION:PT1H"),
        ],
    )
    def test_a_duration_that_says_nothing_is_named(self, lines):
        _, named = read(todo(*lines))
        assert list(named) == ["DURATION"]


class TestCompletion:
    @pytest.mark.parametrize(
        ("lines", "at"),
        [
            (("STATUS:COMPLETED", "COMPLETED:20260417T184302Z"), utc(2026, 4, 17, 18, 43, 2)),
            (("COMPLETED:20260417T184302Z",), utc(2026, 4, 17, 18, 43, 2)),
            (("PERCENT-COMPLETE:100", "COMPLETED:20260417T184302Z"), utc(2026, 4, 17, 18, 43, 2)),
            (("PERCENT-COMPLETE:100", "LAST-MODIFIED:20260417T184302Z"), utc(2026, 4, 17, 18, 43, 2)),
            # Synology: no Z, another name, and a share that it never updates
            (
                ("STATUS:COMPLETED", "LAST-MOD:20260111T085445", "PERCENT-COMPLETE:0", "PERCENT_COMPLETE:100"),
                utc(2026, 1, 11, 0, 54, 45),
            ),
            (("STATUS:COMPLETED", "DTSTAMP:20260102T030405Z"), utc(2026, 1, 2, 3, 4, 5)),
            (("STATUS:COMPLETED", "DTSTAMP:29990102T030405Z"), NOW),
            (("STATUS:COMPLETED",), NOW),
        ],
    )
    def test_a_done_task_is_done_at_the_best_known_time(self, lines, at):
        task, _ = read(todo(*lines))
        assert task.values.completed_at == at

    @pytest.mark.parametrize(
        ("lines", "named"),
        [
            (("STATUS:NEEDS-ACTION",), []),
            (("PERCENT-COMPLETE:0",), []),
            (("PERCENT-COMPLETE:40",), ["PERCENT-COMPLETE"]),
            (("STATUS:IN-PROCESS",), ["STATUS"]),
            (("STATUS:CANCELLED",), ["STATUS"]),
            (("STATUS:NEEDS-ACTION", "COMPLETED:20260417T184302Z"), ["COMPLETED"]),
            (("STATUS:NEEDS-ACTION", "PERCENT-COMPLETE:100"), ["PERCENT-COMPLETE"]),
        ],
    )
    def test_an_open_task_names_what_says_more(self, lines, named):
        task, found = read(todo(*lines))
        assert task.values.completed_at is None
        assert list(found) == named

    def test_what_contradicts_or_cannot_be_read_is_named(self):
        task, named = read(todo("STATUS:COMPLETED", "PERCENT-COMPLETE:0", "PERCENT_COMPLETE:100", "COMPLETED:soon"))
        assert task.values.completed_at == NOW
        assert set(named) == {"PERCENT-COMPLETE", "PERCENT_COMPLETE", "COMPLETED"}


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
        report = Report()
        file = calendar(todo("BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:20260119T050000Z", *lines, "END:VALARM"))
        read_file(file, floating=_shanghai(), now=NOW, report=report)
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
        "rule",
        [
            "FREQ=SECONDLY",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;COUNT=" + "9" * 500,
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
        assert task.values.recurrence_rule == "FREQ=DAILY;UNTIL=20260131T050000Z;INTERVAL=2"
        assert named == {}

    def test_a_rule_without_a_date_is_named(self):
        task, named = read(todo("RRULE:FREQ=DAILY"))
        assert task.values.recurrence_rule == ""
        assert list(named) == ["RRULE"]

    def test_exceptions_are_named(self):
        _, named = read(todo("DTSTART:20260121T130000Z", "RRULE:FREQ=DAILY", "EXDATE:20260122T130000Z"))
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
        report = Report()
        data = calendar(todo()).replace(b"VERSION:2.0", b"VERSION:2.0\r\nX-WR-CALNAME:Garden\r\nMETHOD:CANCEL")
        read_file(data, floating=_shanghai(), now=NOW, report=report)
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
