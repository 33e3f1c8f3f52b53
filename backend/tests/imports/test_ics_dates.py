"""What becomes of the dates of a VTODO, and of its completion."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.imports.calendars import LOCATED_ZONE, OWN_ZONE, todo
from tests.imports.reader import NOW, read, utc
from todo_project.imports.services import zones


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
            # a time that the change skips has the offset before it (RFC 5545, section 3.3.5)
            ("20260329T020000", utc(2026, 3, 29, 1)),
            ("20260329T025959", utc(2026, 3, 29, 1, 59, 59)),
            ("20260329T030000", utc(2026, 3, 29, 1)),
            ("20261025T033000", utc(2026, 10, 25, 2, 30)),
        ],
    )
    def test_a_zone_that_only_the_file_defines_gives_the_instant_and_is_named(self, written, at):
        task, named = read(OWN_ZONE, todo(f"DUE;TZID=Our office:{written}"))
        assert task.values.due == {"at": at, "time_zone": None}
        assert list(named) == ["DUE;TZID"]

    @pytest.mark.parametrize(
        "tzid", ["(UTC+01:00) Amsterdam, Berlin", r"(UTC+01:00) Amsterdam\, Berlin", "Berlin; Bern, Rome"]
    )
    def test_a_zone_is_found_though_its_tzid_is_a_text_with_escapes(self, tzid):
        text = tzid.replace("\\", "").replace(",", r"\,").replace(";", r"\;")
        zone = OWN_ZONE.replace("Our office", text)
        task, named = read(zone, todo(f'DUE;TZID="{tzid}":20260716T080000'))
        assert task.values.due == {"at": utc(2026, 7, 16, 6), "time_zone": None}
        assert list(named) == ["DUE;TZID"]

    def test_a_definition_may_repeat_the_time_of_its_start(self):
        """As HCL Notes writes it."""
        zone = OWN_ZONE.replace("BYDAY=-1SU;BYMONTH=3", "BYMINUTE=0;BYHOUR=2;BYDAY=-1SU;BYMONTH=3")
        task, _ = read(zone, todo("DUE;TZID=Our office:20260716T080000"))
        assert task.values.due == {"at": utc(2026, 7, 16, 6), "time_zone": None}

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

    @pytest.mark.parametrize(
        "last_sunday", ["BYDAY=SU;BYMONTHDAY=25,26,27,28,29,30,31", "BYMONTHDAY=-7,-6,-5,-4,-3,-2,-1;BYDAY=SU"]
    )
    def test_a_definition_may_say_its_days_in_another_way(self, last_sunday):
        zone = OWN_ZONE.replace("BYDAY=-1SU", last_sunday)
        for written, at in (
            ("20260716T080000", utc(2026, 7, 16, 6)),
            ("20261025T033000", utc(2026, 10, 25, 2, 30)),
        ):
            assert read(zone, todo(f"DUE;TZID=Our office:{written}"))[0].values.due == {"at": at, "time_zone": None}

    @pytest.mark.parametrize(
        ("limit", "last"),
        [
            ("UNTIL=20070101T000000Z", 2006),
            ("UNTIL=20070325T005959Z", 2006),
            ("UNTIL=20070325T010000Z", 2007),
            ("UNTIL=20070325", 2007),
            ("UNTIL=20070325T020000", 2007),
            ("UNTIL=00010101T000000Z", 2005),
            ("UNTIL=99991231T235959Z", 2009),
            ("COUNT=1", 2005),
            ("COUNT=3", 2007),
        ],
    )
    def test_a_definition_has_a_summer_as_long_as_its_rule_lasts(self, limit, last):
        zone = OWN_ZONE.replace("16010101T020000", "20050327T020000").replace("BYMONTH=3", f"BYMONTH=3;{limit}")
        summers = [
            year
            for year in range(2005, 2010)
            if read(zone, todo(f"DUE;TZID=Our office:{year}0716T080000"))[0].values.due["at"].hour == 6
        ]
        assert summers == list(range(2005, last + 1))

    @pytest.mark.parametrize(
        ("tzid", "due", "named"),
        [
            # in the file it has a summer, as in New York
            ("EST", {"at": utc(2026, 7, 16, 12), "time_zone": None}, ["DUE;TZID"]),
            ("EST5EDT", {"at": utc(2026, 7, 16, 12), "time_zone": "EST5EDT"}, []),
            ("America/Lima", {"at": utc(2026, 7, 16, 13), "time_zone": "America/Lima"}, []),
            ("SA Pacific Standard Time", {"at": utc(2026, 7, 16, 13), "time_zone": "America/Bogota"}, []),
        ],
    )
    def test_a_short_name_is_the_zone_that_the_file_defines(self, tzid, due, named):
        """RFC 5545, section 3.2.19."""
        zone = OWN_ZONE.replace("Our office", tzid).replace("+0200", "-0400").replace("+0100", "-0500")
        task, found = read(zone, todo(f"DUE;TZID={tzid}:20260716T080000"))
        assert task.values.due == due
        assert list(found) == named

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
        ("completed", "at", "named"),
        [
            (":20261123T120000Z", NOW, []),
            # noon of today in Honolulu, and a clock that is ahead
            (";TZID=Pacific/Honolulu:20261123T120000", NOW, []),
            (":20261124T120000Z", NOW, []),
            (":20261124T120001Z", utc(2026, 4, 17, 18, 43, 2), ["COMPLETED"]),
            (":99991231T235959Z", utc(2026, 4, 17, 18, 43, 2), ["COMPLETED"]),
        ],
    )
    def test_no_task_is_done_in_the_future(self, completed, at, named):
        task, found = read(todo("LAST-MODIFIED:20260417T184302Z", f"COMPLETED{completed}"))
        assert task.values.completed_at == at
        assert [name for name in found if name == "COMPLETED"] == named

    @pytest.mark.parametrize(
        ("lines", "named"),
        [
            (("STATUS:NEEDS-ACTION",), []),
            (("PERCENT-COMPLETE:0",), []),
            (("PERCENT-COMPLETE:40",), ["PERCENT-COMPLETE"]),
            (("STATUS:IN-PROCESS",), ["STATUS"]),
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
