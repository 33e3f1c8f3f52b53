"""What holds for every text: spans, titles, time zones, and the time it takes."""

from __future__ import annotations

import datetime as dt
import re
import sys
import zoneinfo
from pathlib import Path
from re import _parser as sre  # type: ignore[attr-defined] # no public function returns the width of a pattern
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quick_add.phrases import FOLDER, Known, id_of, table
from todo_project.quick_add.services import languages as folder
from todo_project.quick_add.services import notation
from todo_project.quick_add.services.languages import languages
from todo_project.quick_add.services.reading import Reading, read
from todo_project.quick_add.services.text import fold
from todo_project.todos.services import occurrences, recurrence

NAMES = table("phrases_en.txt").names
NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
WIDTH_MAX = 500
PIECES = sorted(
    {
        piece
        for path in FOLDER.glob("*.txt")
        for row in table(path.name).rows
        for piece in re.split(r"(?<= )|(?= )", row[0])
    }
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(
        st.sampled_from([*PIECES, " ", ", ", '"', "\\", "#", "@", "+", "//", "！", "\u3000"]), max_size=12
    ).map("".join),
)


def read_now(text: str, *, now: dt.datetime = NOW, zone: str = "Europe/Berlin", names: Known = NAMES) -> Reading:
    return read(text, names=names, now=now, zone=zone)


def due(text: str, **context: Any) -> Any:
    """Return the due date, or the time in UTC."""
    found = read_now(text, **context).due
    return found and (found.get("date") or found["at"])


@given(text=TEXTS)
@settings(derandomize=True, deadline=None, database=None, max_examples=300)
def test_spans_are_sorted_and_without_them_the_text_is_the_title(text: str) -> None:
    reading = read_now(text)
    ends = [0]
    rest = ""
    for span in reading.spans:
        assert ends[-1] <= span.start < span.end <= len(text)
        rest += text[ends[-1] : span.start]
        ends.append(span.end)
    rest += text[ends[-1] :]
    assert re.sub(r"\s", "", rest) == re.sub(r"\s", "", reading.title)
    assert reading.title == " ".join(reading.title.split())
    assert read_now(text) == reading


@given(text=TEXTS)
@settings(derandomize=True, deadline=None, database=None, max_examples=300)
def test_the_first_due_date_fits_the_rule(text: str) -> None:
    reading = read_now(text)
    if reading.recurrence is None:
        return
    assert reading.due is not None
    rule = recurrence.parse(reading.recurrence["rule"])
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    day = reading.due.get("date") or reading.due["at"].astimezone(zone).date()
    weekdays = {weekday for nth, weekday in rule.weekdays if not nth}
    assert not weekdays or day.weekday() in weekdays
    assert not rule.months or day.month in rule.months
    before = day - dt.timedelta(days=1)
    if rule.weekdays or rule.month_days or rule.months:
        every = recurrence.parse(re.sub(r";(INTERVAL|COUNT|UNTIL)=\w+", "", rule.text))
        assert next(occurrences.after(every, before, earliest=day)) == day


@pytest.mark.parametrize("text", [row[0] for row in table("phrases_en.txt").rows[:40]])
def test_full_width_characters_mean_the_same(text: str) -> None:
    wide = "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)
    narrow, reading = read_now(text), read_now(wide)
    assert (reading.due, reading.recurrence, reading.spans) == (narrow.due, narrow.recurrence, narrow.spans)


def test_folding_keeps_every_character_in_its_place() -> None:
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x11000)]))
    assert len(fold(every)) == len(every)


@pytest.mark.parametrize(
    ("text", "zone", "time"),
    [
        ("dig tomorrow at 9", "Asia/Shanghai", "2026-11-25T01:00Z"),
        ("dig tomorrow at 9", "America/New_York", "2026-11-25T14:00Z"),
        # 2027-03-28 02:30 does not exist in Berlin: the offset before the change, as RFC 5545 says
        ("dig 28 mar at 2:30am", "Europe/Berlin", "2027-03-28T01:30Z"),
        # 2027-10-31 02:30 is there twice: the first
        ("dig 31 oct at 2:30am", "Europe/Berlin", "2027-10-31T00:30Z"),
        # in Kiritimati, it is tomorrow already
        ("dig today at 23:00", "Pacific/Kiritimati", "2026-11-24T09:00Z"),
        ("dig in 90 minutes", "Asia/Kathmandu", "2026-11-24T10:30Z"),
    ],
)
def test_times_are_in_the_time_zone(text: str, zone: str, time: str) -> None:
    assert due(text, zone=zone) == dt.datetime.fromisoformat(time)


def test_a_delay_ends_with_a_full_minute() -> None:
    now = NOW.replace(second=1)
    assert due("dig in 5 minutes", now=now) == NOW + dt.timedelta(minutes=6)


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("dig 12/5", "Europe/Berlin", "2027-05-12"),
        ("dig 12/5", "America/New_York", "2026-12-05"),
        ("dig 12/5", "Asia/Shanghai", "2026-12-05"),
        ("dig 12/5", "America/Indiana/Knox", "2026-12-05"),
        ("dig 12/5", "America/Sao_Paulo", "2027-05-12"),
        ("dig 13/5", "America/New_York", "2027-05-13"),
        ("dig 13/13", "America/New_York", None),
    ],
)
def test_the_time_zone_decides_about_the_order_of_day_and_month(text: str, zone: str, day: str | None) -> None:
    assert due(text, zone=zone) == (day and dt.date.fromisoformat(day))


@pytest.mark.parametrize(
    ("now", "text", "day"),
    [
        ("2026-11-24", "pay on the 24th", "2026-11-24"),
        ("2026-11-25", "pay on the 24th", "2026-12-24"),
        ("2026-12-31", "pay on the 1st", "2027-01-01"),
        ("2027-01-31", "pay on the 30th", "2027-03-30"),
        ("2026-11-24", "pay friday", "2026-11-27"),
        ("2026-11-27", "pay friday", "2026-12-04"),
        ("2026-11-29", "pay next monday", "2026-11-30"),
        ("2027-01-31", "pay in a month", "2027-02-28"),
        ("2028-02-29", "pay in 1 year", "2029-02-28"),
        ("2026-12-31", "pay every feb 29", "2028-02-29"),
        ("2026-12-31", "pay every 31st", "2026-12-31"),
        ("9999-12-31", "pay tomorrow", None),
        ("9999-12-31", "pay in 3 weeks", None),
    ],
)
def test_the_next_possible_day_is_meant(now: str, text: str, day: str | None) -> None:
    then = dt.datetime.fromisoformat(f"{now}T12:00+00:00")
    assert due(text, now=then, zone="UTC") == (day and dt.date.fromisoformat(day))


@pytest.mark.parametrize(
    "text",
    [
        "dig in 9999 years",
        "dig every 367 days",
        "dig every 0 days",
        "dig every day for 0 weeks",
        "dig every day 0 times",
        "dig every day 1001 times",
        "dig every day until yesterday",
        "dig every feb 30",
        "dig on feb 30",
        "dig 9999-12-31 at 9",
        "dig 0000-01-01",
        "dig 2026-13-01",
        "dig at 25:00",
        "dig 13pm",
        "dig every 32nd",
        "dig every hour",
        "dig every friday to monday",
        "每0天锻炼",
        "每月32号锻炼",
        "13月1日锻炼",
        "下午25点锻炼",
    ],
)
def test_what_is_impossible_stays_in_the_title(text: str) -> None:
    reading = read_now(text)
    assert (reading.title, reading.due, reading.recurrence, reading.spans) == (text, None, None, [])


HOSTILE = [
    *("every ", "every mon,", "every 1st and ", "every day until ", "9:30 ", "1", "1/", "1-", "0:00,", "mon and "),
    *("jan ", "the ", "in ", "for ", "today ", "a", "a.", "www.", "http://", "#", "# ", "#Home/", "@", "@ ", "@a "),
    *(
        "+",
        '"',
        "\u201c",
        "//",
        " // ",
        "\\",
        "\\#",
        "!",
        "!! ",
        "p1 ",
        " ",
        "\n",
        "每",
        "每周一",
        "每月1",
        "1号和",
    ),
    *("一", "十", "月", "明天", "《", "１", "\u3000", "\u0130", "\U0001f600", "\u0301", "every! ", ", ", "at "),
    *(
        "thurs ",
        "fri mornings and ",
        "a week from ",
        "the first mon and ",
        "mid-dec ",
        "- 9am ",
        "2026-12-25T10:00 ",
    ),
    *("下下", "两三", "十", "月底", "每周一every ", "十mon "),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_costs_as_little_as_its_length(piece: str) -> None:
    _steps(piece * 10)  # fills caches
    steps = [_steps(piece * (length // len(piece))) for length in (250, 500, 1000)]
    assert steps[2] - steps[1] < 2.5 * (steps[1] - steps[0]) + 100


def _steps(text: str) -> int:
    """Return how many functions are called, those of C among them."""
    events: list[None] = []
    sys.setprofile(lambda *_: events.append(None))
    try:
        read_now(text)
    finally:
        sys.setprofile(None)
    return len(events)


def test_no_pattern_depends_on_the_length_of_a_text() -> None:
    every = [*languages(), notation.DAY_FIRST, notation.MONTH_FIRST, notation.HAN]
    for phrase in (phrase for language in every for phrase in language.phrases):
        assert sre.parse(phrase.pattern.pattern).getwidth()[1] < WIDTH_MAX, phrase.pattern.pattern


def test_marks_are_bounded() -> None:
    reading = read_now(" ".join(f"@new{number}" for number in range(100)))
    assert reading.marks.new_labels == [f"new{number}" for number in range(10)]
    assert "@new10" in reading.title


def test_names_are_whole_words() -> None:
    names = Known(known_projects=("Home", "Home & Garden", "家"))
    assert read_now("dig #home & garden now", names=names).marks.project_id == id_of("Home & Garden")
    assert read_now("dig #home, then rest", names=names).title == "dig, then rest"
    assert read_now("dig #家庭", names=names).marks.project_id is None


GERMAN = """
import re

from todo_project.quick_add.services.days import later
from todo_project.quick_add.services.meanings import Day, Language, Phrase

LANGUAGE = Language((Phrase(re.compile(r"\\bmorgen\\b"), lambda _: Day(later(1, "day"))),))
"""


def test_adding_a_language_takes_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert due("M\u00fcll morgen rausbringen") is None
    (tmp_path / "de.py").write_text(GERMAN, encoding="utf-8")
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    languages.cache_clear()
    try:
        assert due("M\u00fcll morgen rausbringen") == dt.date(2026, 11, 25)
        assert due("call mum tomorrow") == dt.date(2026, 11, 25)
    finally:
        languages.cache_clear()
        sys.modules.pop(f"{folder.__name__}.de")
