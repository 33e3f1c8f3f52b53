"""Recurrence: which rules are read, and when a task comes again."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.todos.test_occurrences import HORIZON, parsed, rules
from todo_project.errors import InvalidInput
from todo_project.todos.services import moments, recurrence, series
from todo_project.todos.services.moments import Moment

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)  # a Monday


def day(text: str) -> Moment:
    return {"date": dt.date.fromisoformat(text)}


def at(text: str, zone: str | None) -> Moment:
    return {"at": dt.datetime.fromisoformat(text), "time_zone": zone}


def next_of(
    rule: str,
    start: Moment,
    *,
    now: dt.datetime,
    mode: str = "schedule",
    zone: str = "UTC",
    end: Moment | None = None,
    excluded: tuple[str, ...] = (),
) -> tuple[Moment, str] | None:
    """Complete the occurrence and give the start of the next one, with what is left of the rule."""
    end = end or start
    start_wall, end_wall = (moments.wall_time(moment, default_zone=zone) for moment in (start, end))
    occurrence = series.Occurrence(
        start=start,
        start_wall=start_wall,
        end=end,
        end_wall=end_wall,
        zone=zone,
        excluded={dt.date.fromisoformat(day) for day in excluded},
    )
    found = series.next_of(recurrence.parse(rule), occurrence, mode=mode, now=now)
    if found is None:
        return None
    return moments.at_wall_time(start, start_wall + found.shift, default_zone=zone), found.rule


def starts(rule: str, first: Moment, length: int, **options: Any) -> list[str]:
    """Complete one after the other, each right when it is due, and give their days or times."""
    found: list[Any] = []
    moment: Moment | None = first
    while moment is not None and len(found) < length:
        value: Any = moment.get("date") or moment["at"]
        found.append(value)
        now = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time(), dt.UTC)
        moment, rule = next_of(rule, moment, now=now, **options) or (None, "")
    return [str(value).removesuffix("+00:00") for value in found]


@pytest.mark.parametrize(
    ("rule", "first", "rest"),
    [
        ("FREQ=DAILY", "2026-12-30", ["2026-12-31", "2027-01-01"]),
        ("FREQ=DAILY;INTERVAL=3", "2026-11-23", ["2026-11-26", "2026-11-29"]),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2026-11-27", ["2026-11-30", "2026-12-01"]),
        ("FREQ=DAILY;BYMONTHDAY=1,-1", "2026-11-27", ["2026-11-30", "2026-12-01", "2026-12-31"]),
        ("FREQ=WEEKLY", "2026-11-23", ["2026-11-30", "2026-12-07"]),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "2026-11-23", ["2026-11-26", "2026-11-30", "2026-12-03"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO", "2026-11-23", ["2026-11-29", "2026-12-07"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU", "2026-11-23", ["2026-12-06", "2026-12-07"]),
        ("FREQ=MONTHLY", "2026-12-31", ["2027-01-31", "2027-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-12-31", ["2027-01-31", "2027-02-28"]),
        ("FREQ=MONTHLY;BYDAY=2TU", "2026-11-10", ["2026-12-08", "2027-01-12"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", ["2026-12-25", "2027-01-29"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-11-13", ["2027-08-13", "2028-10-13"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30", ["2026-12-31", "2027-01-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15,-1;BYSETPOS=2,3", "2026-11-30", ["2026-12-15", "2026-12-31"]),
        ("FREQ=YEARLY;BYMONTH=1,2;BYDAY=SU;BYSETPOS=1,-1", "2026-11-30", ["2027-01-03", "2027-02-28"]),
        ("FREQ=YEARLY", "2028-02-29", ["2032-02-29"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-26", ["2027-11-25"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2026-11-26", ["2028-02-29"]),
        ("FREQ=YEARLY;BYDAY=53MO", "2026-11-26", ["2029-12-31"]),
    ],
)
def test_a_rule_gives_the_days_of_the_calendar(rule: str, first: str, rest: list[str]) -> None:
    assert starts(rule, day(first), len(rest) + 1) == [first, *rest]


def test_the_clock_time_stays_over_a_change_to_summer_time() -> None:
    berlin = starts("FREQ=DAILY", at("2027-03-27T08:00:00+00:00", "Europe/Berlin"), 3)
    assert berlin == ["2027-03-27 08:00:00", "2027-03-28 07:00:00", "2027-03-29 07:00:00"]
    own = starts("FREQ=DAILY", at("2027-03-27T08:00:00+00:00", None), 2, zone="Europe/Berlin")
    assert own == ["2027-03-27 08:00:00", "2027-03-28 07:00:00"]


@pytest.mark.parametrize(
    ("rule", "length"),
    [
        ("FREQ=DAILY;COUNT=1", 1),
        ("FREQ=DAILY;COUNT=3", 3),
        ("FREQ=DAILY;UNTIL=20261124", 2),
        ("FREQ=DAILY;UNTIL=20261124T000000Z", 2),
        ("FREQ=DAILY;UNTIL=20261124T235959Z", 2),
        ("FREQ=DAILY;UNTIL=20261124T000000", 2),
        ("FREQ=DAILY;UNTIL=20261123T235959", 1),
        ("FREQ=DAILY;UNTIL=20201124", 1),
    ],
)
def test_count_and_until_end_the_starts(rule: str, length: int) -> None:
    assert len(starts(rule, day("2026-11-23"), 9)) == length
    assert len(starts(rule, day("2026-11-23"), 9, mode="completion")) == length


def test_until_is_compared_as_a_time_where_there_is_one() -> None:
    first = at("2026-11-23T09:00:00+00:00", "Asia/Shanghai")
    assert len(starts("FREQ=DAILY;UNTIL=20261124T090000Z", first, 9)) == 2
    assert len(starts("FREQ=DAILY;UNTIL=20261124T085959Z", first, 9)) == 1
    assert len(starts("FREQ=DAILY;UNTIL=20261124", first, 9)) == 2


@pytest.mark.parametrize("account_zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_a_local_until_is_in_the_zone_of_the_start_whatever_the_accounts(account_zone: str) -> None:
    first = at("2026-12-02T01:00:00+00:00", "America/New_York")  # the 1st, 20:00
    assert len(starts("FREQ=DAILY;UNTIL=20261202T200000", first, 9, zone=account_zone)) == 2
    assert len(starts("FREQ=DAILY;UNTIL=20261202T195959", first, 9, zone=account_zone)) == 1


def test_a_local_until_of_a_start_without_a_zone_is_in_the_accounts() -> None:
    first = at("2026-12-02T01:00:00+00:00", None)
    assert len(starts("FREQ=DAILY;UNTIL=20261202T200000", first, 9, zone="America/New_York")) == 2
    assert len(starts("FREQ=DAILY;UNTIL=20261202T200000", first, 9, zone="UTC")) == 1


def test_until_holds_for_the_start_and_not_for_the_end() -> None:
    start, end = day("2026-12-01"), day("2026-12-03")
    assert starts("FREQ=WEEKLY;UNTIL=20261208", start, 9, end=end) == ["2026-12-01", "2026-12-08"]


def test_an_excluded_day_is_left_out_and_counted() -> None:
    excluded = ("2026-11-24", "2026-11-26")
    assert starts("FREQ=DAILY;COUNT=5", day("2026-11-23"), 9, excluded=excluded) == [
        "2026-11-23",
        "2026-11-25",
        "2026-11-27",
    ]
    assert starts("FREQ=DAILY;UNTIL=20261124", day("2026-11-23"), 9, excluded=excluded) == ["2026-11-23"]


def test_what_is_not_over_is_not_skipped_even_if_it_has_begun() -> None:
    now = dt.datetime(2026, 12, 8, 12, tzinfo=dt.UTC)  # a Tuesday
    monday, wednesday = day("2026-11-30"), day("2026-12-02")
    assert next_of("FREQ=WEEKLY", monday, end=wednesday, now=now) == (day("2026-12-07"), "FREQ=WEEKLY")
    assert next_of("FREQ=WEEKLY", monday, end=monday, now=now) == (day("2026-12-14"), "FREQ=WEEKLY")


def following(rule: str, moment: Moment, mode: str = "schedule") -> Moment | None:
    found = next_of(rule, moment, mode=mode, now=NOW)
    return None if found is None else found[0]


@pytest.mark.parametrize(
    ("due", "next_due"),
    [
        (day("2026-11-20"), day("2026-11-23")),  # today is not past
        (day("2026-11-23"), day("2026-11-24")),
        (day("2026-11-28"), day("2026-11-29")),  # done early
        (day("1990-11-30"), day("2026-11-23")),
        (at("2026-11-20T09:00:00+00:00", None), at("2026-11-24T09:00:00+00:00", None)),
        (at("2026-11-20T15:00:00+00:00", None), at("2026-11-23T15:00:00+00:00", None)),
    ],
)
def test_by_schedule_what_is_past_is_skipped(due: Moment, next_due: Moment) -> None:
    assert following("FREQ=DAILY", due) == next_due


@pytest.mark.parametrize(
    ("rule", "due", "next_due"),
    [
        ("FREQ=WEEKLY;INTERVAL=3", "1990-01-01", "2026-11-30"),
        ("FREQ=MONTHLY;INTERVAL=5", "1990-01-31", "2027-07-31"),
        ("FREQ=YEARLY;INTERVAL=4", "1992-02-29", "2028-02-29"),
        ("FREQ=YEARLY", "1992-02-29", "2028-02-29"),
        ("FREQ=MONTHLY;BYDAY=1MO", "1990-01-01", "2026-12-07"),
    ],
)
def test_a_long_forgotten_task_comes_again_when_its_rule_says(rule: str, due: str, next_due: str) -> None:
    assert following(rule, day(due)) == day(next_due)


def test_by_completion_the_day_it_was_done_counts() -> None:
    for due in ("2026-11-20", "2026-12-24"):
        assert following("FREQ=DAILY;INTERVAL=3", day(due), mode="completion") == day("2026-11-26")
    shanghai = at("2026-11-20T09:00:00+00:00", "Asia/Shanghai")
    again = at("2026-11-30T09:00:00+00:00", "Asia/Shanghai")
    assert following("FREQ=WEEKLY", shanghai, mode="completion") == again


def test_what_is_skipped_is_counted() -> None:
    found = next_of("FREQ=DAILY;COUNT=10", day("2026-11-20"), now=NOW)
    assert found == (day("2026-11-23"), "FREQ=DAILY;COUNT=7")
    assert following("FREQ=DAILY;COUNT=3", day("2026-11-20")) is None


@pytest.mark.parametrize(
    "rule",
    [
        "",
        ";",
        "DAILY",
        "FREQ=",
        "FREQ=HOURLY",
        "FREQ=SECONDLY",
        "freq=daily",
        "INTERVAL=2",
        "FREQ=DAILY;",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=367",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=1,2",
        "FREQ=DAILY;INTERVAL=+1",
        "FREQ=DAILY;INTERVAL=१",
        "FREQ=DAILY;INTERVAL=" + "9" * 400,
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=1001",
        "FREQ=DAILY;COUNT=2;UNTIL=20261231",
        "FREQ=DAILY;UNTIL=2026-12-31",
        "FREQ=DAILY;UNTIL=20261331",
        "FREQ=DAILY;UNTIL=20261231T0000",
        "FREQ=DAILY;UNTIL=20261231T240000",
        "FREQ=DAILY;UNTIL=00001231",
        "FREQ=DAILY;UNTIL=20261231T250000Z",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;BYSETPOS=1",
        "FREQ=DAILY;BYMONTHDAY=1;BYSETPOS=1",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=YEARLY;BYMONTH=2;BYSETPOS=2",
        "FREQ=YEARLY;BYDAY=MO;BYSETPOS=367",
        "FREQ=DAILY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=WEEKLY;WKST=1",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=1MO",
        "FREQ=MONTHLY;BYMONTH=2",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30,31",
        "FREQ=YEARLY;BYDAY=54MO",
        "FREQ=YEARLY;BYMONTH=1;BYDAY=MO,-6SU",
        "FREQ=DAILY\nDTSTART:20200101",
        "FREQ=DAILY\n",
        "RRULE:FREQ=DAILY",
        "FREQ=DAILY;X-A=1",
        "FREQ=DAILY;\0=1",
    ],
)
def test_what_is_not_on_the_list_is_refused(rule: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        recurrence.parse(rule)
    assert refused.value.pointer == "/recurrence/rule"
    assert refused.value.detail


@pytest.mark.parametrize("mode", recurrence.MODES)
@pytest.mark.parametrize("due", ["0001-01-02", "9999-12-20", "9999-12-31"])
@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;INTERVAL=7;BYDAY=TH", "FREQ=YEARLY;INTERVAL=366", "FREQ=DAILY;COUNT=9"]
)
def test_the_edges_of_the_calendar_are_no_error(rule: str, due: str, mode: str) -> None:
    for now in (NOW, dt.datetime.max.replace(tzinfo=dt.UTC)):
        next_of(rule, day(due), mode=mode, now=now, zone="Asia/Shanghai")


ENDS = ("", "COUNT=1", "COUNT=2", "COUNT=40", "UNTIL={day}", "UNTIL={day}T120000", "UNTIL={day}T120000Z")


@settings(max_examples=200)
@given(
    rules(),
    st.sampled_from(ENDS),
    st.sampled_from((0, 1, 2, 7, 31, 365)),
    st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
    st.sampled_from((dt.time(2, 30), dt.time(12), dt.time(20))),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    st.booleans(),
    st.sampled_from(recurrence.MODES),
    st.timedeltas(dt.timedelta(days=-3), dt.timedelta(days=40)),
)
def test_the_next_is_that_of_dateutil(
    rule: str,
    end: str,
    days: int,
    day: dt.date,
    clock: dt.time,
    zone: str,
    is_day: bool,
    mode: str,
    late: dt.timedelta,
) -> None:
    wall, until = dt.datetime.combine(day, dt.time() if is_day else clock), day + dt.timedelta(days=days)
    text = ";".join(part for part in (rule, end.format(day=f"{until:%Y%m%d}")) if part)
    assume(parsed(text) is not None)
    moment: Moment = moments.at_wall_time(
        {"date": day} if is_day else {"at": NOW, "time_zone": zone}, wall, default_zone=zone
    )
    assume(moments.wall_time(moment, default_zone=zone) == wall)
    now = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC) + late
    today = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if is_day:
        today = dt.datetime.combine(today.date(), dt.time())
    start = dt.datetime.combine(today.date(), wall.time()) if mode == recurrence.COMPLETION else wall

    reference: Any = rrule.rrulestr(rule, dtstart=start)
    series_of_dateutil = reference.replace(until=dt.datetime.combine(HORIZON, dt.time()))
    expected = None
    for passed, found in enumerate((time for time in series_of_dateutil if time > start), start=1):
        if end.startswith("COUNT") and passed >= int(end.removeprefix("COUNT=")):
            break
        if end.startswith("UNTIL") and not is_until(found, until, end, zone, is_day=is_day):
            break
        if mode == recurrence.COMPLETION or found >= today:
            expected = moments.at_wall_time(moment, found, default_zone=zone)
            break
    found_here = next_of(text, moment, now=now, mode=mode, zone=zone)
    if found_here is not None and str(found_here[0].get("date") or found_here[0]["at"]) > str(HORIZON):
        found_here = None
    assert (found_here[0] if found_here else None) == expected


def is_until(wall: dt.datetime, until: dt.date, end: str, zone: str, *, is_day: bool) -> bool:
    noon = dt.datetime.combine(until, dt.time(12))
    if is_day or end == "UNTIL={day}":
        return wall.date() <= until
    if not end.endswith("Z"):
        return wall <= noon
    return wall.replace(tzinfo=ZoneInfo(zone)) <= noon.replace(tzinfo=dt.UTC)
