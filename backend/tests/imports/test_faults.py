"""Files that were read wrongly once, each with the right answer. All go through the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.imports.calendars import calendar, todo
from tests.imports.stories import counts, imported, task
from todo_project.todos.models import Task

pytestmark = pytest.mark.django_db

DATED_ZONE = """BEGIN:VTIMEZONE
TZID:Workshop
BEGIN:STANDARD
DTSTART;VALUE=DATE:20200101
RDATE;VALUE=DATE:20240101,20250101
TZOFFSETFROM:+1000
TZOFFSETTO:+1000
END:STANDARD
END:VTIMEZONE"""


def said(report: dict[str, Any], name: str) -> str:
    (detail,) = [each["detail"] for each in report["unsupported"] if each["property"] == name]
    return str(detail)


class TestZones:
    @pytest.mark.parametrize(
        ("tzid", "at", "zone"),
        [
            ("UTC-3", "2027-01-10T13:00:00Z", "Etc/GMT+3"),
            ("UTC+3", "2027-01-10T07:00:00Z", "Etc/GMT-3"),
            ("gmt-0300", "2027-01-10T13:00:00Z", "Etc/GMT+3"),
            ("GMT+0", "2027-01-10T10:00:00Z", "GMT+0"),
            ("GMT+00:00", "2027-01-10T10:00:00Z", "UTC"),
            ("+0200", "2027-01-10T08:00:00Z", "Etc/GMT-2"),
        ],
    )
    def test_an_offset_of_whole_hours_is_a_zone(self, alice, tzid, at, zone):
        report = imported(alice, calendar(todo(f'DUE;TZID="{tzid}":20270110T100000')))
        assert task(alice)["due"] == {"at": at, "time_zone": zone}
        assert report["unsupported"] == []

    @pytest.mark.parametrize(
        "line",
        [
            'DUE;TZID="GMT+05:30":20270110T100000',
            "DUE;TZID=GMT+05:30:20270110T100000",
            "DUE;TZID=GMT+05:30;VALUE=DATE-TIME:20270110T100000",
            "DUE;TZID=(UTC+05:30) Chennai, Kolkata:20270110T100000",
            "DUE;TZID=UTC+0530:20270110T100000",
            'DUE;TZID="(UTC+01:00) Amsterdam, Berlin":20270110T053000',  # summer time, whose rules it does not say
        ],
    )
    def test_an_offset_that_is_no_zone_is_the_instant_and_the_report_says_so(self, alice, line):
        report = imported(alice, calendar(todo(line)))
        assert task(alice)["due"] == {"at": "2027-01-10T04:30:00Z", "time_zone": None}
        assert "no IANA name" in said(report, "DUE;TZID")

    @pytest.mark.parametrize("tzid", ["UTC+15", "UTC-13", "UTC+3:75", "UTC three", "GMT+", "+5"])
    def test_what_is_no_offset_is_an_unknown_zone(self, alice, tzid):
        report = imported(alice, calendar(todo(f'DUE;TZID="{tzid}":20270110T100000')))
        assert task(alice)["due"]["at"] == "2027-01-10T10:00:00Z"
        assert "unknown" in said(report, "DUE;TZID")

    def test_the_file_s_own_definition_of_an_offset_comes_first(self, alice):
        zone = DATED_ZONE.replace("Workshop", "UTC-3")
        imported(alice, calendar(zone, todo("DUE;TZID=UTC-3:20270110T100000")))
        assert task(alice)["due"]["at"] == "2027-01-10T00:00:00Z"

    def test_a_definition_with_dates_is_read(self, alice):
        imported(alice, calendar(DATED_ZONE, todo("DUE;TZID=Workshop:20270110T090000")))
        assert task(alice)["due"]["at"] == "2027-01-09T23:00:00Z"

    @pytest.mark.parametrize(
        "changes", [["20260101", "20260601T000000"], ["20260101T000000/PT1H", "20260601T000000Z"]]
    )
    def test_the_dates_of_a_definition_may_be_written_in_other_ways(self, alice, changes):
        summer = (
            "BEGIN:DAYLIGHT\nDTSTART:20250601T000000\nTZOFFSETFROM:+1000\nTZOFFSETTO:+1100\n"
            f"RDATE:{changes[1]}\nEND:DAYLIGHT\nEND:VTIMEZONE"
        )
        zone = DATED_ZONE.replace("20250101", f"20250101,{changes[0]}").replace("END:VTIMEZONE", summer)
        for month, at in (("02", "2026-01-31T23:00:00Z"), ("07", "2026-06-30T22:00:00Z")):
            imported(alice, calendar(zone, todo(f"DUE;TZID=Workshop:2026{month}01T090000")))
            assert task(alice)["due"]["at"] == at


class TestRules:
    @pytest.mark.parametrize("count", ["0", "-1", "-12", "00", "1001", "99999999999999999999"])
    def test_a_count_that_cannot_be_counted_means_without_an_end(self, alice, count):
        report = imported(
            alice, calendar(todo("DTSTART:20270110T100000Z", f"RRULE:FREQ=WEEKLY;COUNT={count};BYDAY=SU"))
        )
        assert task(alice)["recurrence"]["rule"] == "FREQ=WEEKLY;BYDAY=SU"
        assert f"COUNT={count}" in said(report, "RRULE")

    @pytest.mark.parametrize(
        ("start", "until", "kept"),
        [
            # in the zone of the start, whatever the account's is
            (";TZID=America/New_York:20261201T200000", "20261202T200000", "20261202T200000"),
            (":20261201T200000Z", "20261202T200000", "20261202T200000Z"),
            (":20261201T200000", "20261202T200000", "20261202T200000"),
            (";VALUE=DATE:20261201", "20261202T000000", "20261202"),
            (";VALUE=DATE:20261201", "20261202", "20261202"),
            (":20261201T200000Z", "20261202T200000Z", "20261202T200000Z"),
        ],
    )
    def test_an_until_in_local_time_is_in_the_zone_of_the_start(self, alice, start, until, kept):
        alice.user.time_zone = "Asia/Shanghai"
        alice.user.save()
        imported(alice, calendar(todo(f"DTSTART{start}", f"RRULE:FREQ=DAILY;UNTIL={until}")))
        assert task(alice)["recurrence"]["rule"] == f"FREQ=DAILY;UNTIL={kept}"

    def test_an_until_in_a_zone_that_only_the_file_defines(self, alice):
        imported(
            alice,
            calendar(
                DATED_ZONE, todo("DTSTART;TZID=Workshop:20261201T090000", "RRULE:FREQ=DAILY;UNTIL=20261202T090000")
            ),
        )
        assert task(alice)["recurrence"]["rule"] == "FREQ=DAILY;UNTIL=20261201T230000Z"

    @pytest.mark.parametrize("is_update", [False, True])
    @pytest.mark.parametrize(
        ("zone", "first", "others"),
        [
            ("Europe/Paris", "20270328T023000", ["2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"]),
            ("Australia/Sydney", "20271003T020000", ["2027-10-02T16:00:00Z", "2027-10-03T15:00:00Z"]),
            ("America/Santiago", "20270905T000000", ["2027-09-05T04:00:00Z", "2027-09-06T03:00:00Z"]),
        ],
    )
    def test_a_series_that_begins_at_a_skipped_time_has_that_time_later(
        self, alice, zone, first, others, is_update
    ):
        if is_update:
            imported(alice, calendar(todo("DUE:20270101T100000Z", "RRULE:FREQ=DAILY")))
        imported(alice, calendar(todo(f"DUE;TZID={zone}:{first}", "RRULE:FREQ=DAILY")))
        shown = task(alice)
        (second,) = alice.api.get(f"/tasks/{shown['id']}/occurrences?n=1").json()["results"]
        assert [each["due"]["at"] for each in (shown, second)] == others

    def nexts(self, alice, *lines, name="start"):
        """Complete the first two tasks of a series of somebody in Berlin; give the dates of both next ones."""
        alice.user.time_zone = "Europe/Berlin"
        alice.user.save()
        imported(alice, calendar(DATED_ZONE, todo(*lines)))
        found, shown = [], task(alice)
        while len(found) < 2 and (id_ := alice.api.post(f"/tasks/{shown['id']}/complete").json()["next_task_id"]):
            shown = alice.api.get(f"/tasks/{id_}").json()
            found.append(shown[name].get("at") or shown[name]["date"])
        return found

    def test_a_series_in_utc_stays_in_utc(self, alice):
        """Where it is Monday, when it is Tuesday in Berlin, also after a change of the clocks there."""
        weekly = ("DTSTART:20270315T233000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO")
        assert self.nexts(alice, *weekly) == ["2027-03-22T23:30:00Z", "2027-03-29T23:30:00Z"]

    def test_the_days_that_a_series_in_utc_skips_are_those_of_utc(self, alice):
        daily = ("DUE:20270111T233000Z", "RRULE:FREQ=DAILY", "EXDATE:20270112T233000Z")
        assert self.nexts(alice, *daily, name="due") == ["2027-01-13T23:30:00Z", "2027-01-14T23:30:00Z"]

    def test_a_due_date_in_utc_keeps_its_distance_from_a_start_elsewhere(self, alice):
        dates = ("DTSTART;TZID=Europe/Berlin:20270327T090000", "DUE:20270327T100000Z", "RRULE:FREQ=DAILY")
        assert self.nexts(alice, *dates, name="due") == ["2027-03-28T09:00:00Z", "2027-03-29T09:00:00Z"]

    def test_the_days_that_a_series_in_a_zone_without_a_name_skips_are_the_account_s(self, alice):
        """In which it recurs: here it is 22:00 of the day before."""
        zone = "TZID=Workshop"
        daily = (f"DUE;{zone}:20270112T070000", "RRULE:FREQ=DAILY", f"EXDATE;{zone}:20270113T070000")
        assert self.nexts(alice, *daily, name="due") == ["2027-01-13T21:00:00Z", "2027-01-14T21:00:00Z"]

    def test_a_local_until_is_met_after_the_clocks_changed(self, alice):
        daily = ("DTSTART;TZID=America/New_York:20270313T200000", "RRULE:FREQ=DAILY;UNTIL=20270314T200000")
        assert self.nexts(alice, *daily) == ["2027-03-15T00:00:00Z"]

    @pytest.mark.parametrize(
        ("date", "rule"),
        [
            ("DUE;VALUE=DATE:20270101", "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29"),
            ("DTSTART:20270104T233000Z", "FREQ=DAILY;INTERVAL=7;BYDAY=TU"),  # a Monday in UTC
        ],
    )
    def test_a_rule_that_its_date_never_meets_again_is_named_and_the_task_is_kept(self, alice, date, rule):
        alice.user.time_zone = "Europe/Berlin"
        alice.user.save()
        report = imported(alice, calendar(todo(date, f"RRULE:{rule}")))
        assert task(alice)["recurrence"] is None
        assert "never occurs again" in said(report, "RRULE")

    def test_the_last_task_of_a_series_keeps_its_rule(self, alice):
        imported(alice, calendar(todo("DUE;VALUE=DATE:20261207", "RRULE:FREQ=DAILY;UNTIL=20261207")))
        assert task(alice)["recurrence"]["rule"] == "FREQ=DAILY;UNTIL=20261207"

    def test_start_and_due_are_both_kept(self, alice):
        dates = ("DTSTART;VALUE=DATE:20261207", "DUE;VALUE=DATE:20261210")
        imported(alice, calendar(todo(*dates, "RRULE:FREQ=WEEKLY;BYDAY=MO")))
        shown = task(alice)
        assert (shown["start"], shown["due"]) == ({"date": "2026-12-07"}, {"date": "2026-12-10"})


class TestStates:
    @pytest.mark.parametrize(
        ("zone", "at"),
        [
            ("UTC", "2025-01-01T12:00:00Z"),
            ("Asia/Shanghai", "2025-01-01T04:00:00Z"),
            ("Pacific/Honolulu", "2025-01-01T22:00:00Z"),
        ],
    )
    def test_a_task_that_was_completed_on_a_date_is_done_on_that_date(self, alice, zone, at):
        alice.user.time_zone = zone
        alice.user.save()
        report = imported(alice, calendar(todo("STATUS:COMPLETED", "COMPLETED;VALUE=DATE:20250101")))
        assert task(alice)["completed_at"] == at
        assert report["unsupported"] == []

    def test_a_cancelled_task_is_not_open_and_its_state_is_kept(self, alice):
        report = imported(alice, calendar(todo("STATUS:CANCELLED", "LAST-MODIFIED:20261101T090000Z")))
        assert task(alice)["completed_at"] == "2026-11-01T09:00:00Z"
        assert "CANCELLED" in said(report, "STATUS")
        assert "STATUS:CANCELLED" in Task.objects.get().ical
        assert counts(imported(alice, calendar(todo("STATUS:NEEDS-ACTION")))) == (0, 1, 0)
        assert task(alice)["completed_at"] is None

    @pytest.mark.parametrize("lines", [(), ("DTSTAMP:20261101T090000Z",), ("SUMMARY:", "UID:  ")])
    def test_an_empty_task_is_none_and_the_report_says_why(self, alice, lines):
        report = imported(alice, calendar(todo(*lines, uid=None, summary=None), todo()))
        assert counts(report) == (1, 0, 0)
        ((reason),) = [each["reason"] for each in report["skipped"]]
        assert "empty" in reason

    def test_created_counts_what_this_import_made(self, alice):
        series = todo("DTSTART:20261201T090000Z", "RRULE:FREQ=DAILY", uid="s")
        change = todo("DTSTART:20261202T110000Z", "RECURRENCE-ID:20261202T090000Z", uid="s")
        report = imported(alice, calendar(series, change, todo(), todo(), todo(uid="2")))
        assert report["created"] == len(alice.api.get("/tasks").json()["results"]) == 3


class TestOccurrences:
    SERIES = todo("DTSTART:20261201T090000Z", "RRULE:FREQ=DAILY", uid="s")
    CHANGED = todo("DTSTART:20261202T110000Z", "RECURRENCE-ID:20261202T090000Z", uid="s", summary="Later")

    @pytest.mark.parametrize("reverse", [False, True])
    def test_a_changed_occurrence_is_kept_with_its_series_and_named(self, alice, reverse):
        parts = [self.CHANGED, self.SERIES] if reverse else [self.SERIES, self.CHANGED]
        report = imported(alice, calendar(*parts))
        assert counts(report) == (1, 0, 0)
        assert report["skipped"] == []
        assert "occurrence" in said(report, "RECURRENCE-ID")
        assert task(alice, "s")["title"] == "Water the plants"
        assert "SUMMARY:Later" in Task.objects.get().ical
        assert counts(imported(alice, calendar(*parts))) == (0, 0, 1)

    def test_another_change_of_an_occurrence_is_kept_too_and_changes_nothing_else(self, alice):
        imported(alice, calendar(self.SERIES, self.CHANGED))
        before = task(alice, "s")
        assert counts(imported(alice, calendar(self.SERIES, self.CHANGED.replace("Later", "Sooner")))) == (0, 1, 0)
        assert "SUMMARY:Sooner" in Task.objects.get().ical
        assert {**task(alice, "s"), "updated_at": before["updated_at"]} == before

    def test_a_changed_occurrence_without_its_series_is_skipped(self, alice):
        report = imported(alice, calendar(self.CHANGED))
        assert counts(report) == (0, 0, 0)
        assert [each["uid"] for each in report["skipped"]] == ["s"]
