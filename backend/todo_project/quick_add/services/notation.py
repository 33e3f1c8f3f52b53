"""Dates and times in digits, which no language has to itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from todo_project.quick_add.services.days import on
from todo_project.quick_add.services.meanings import (
    ANYWHERE,
    AT_AN_END,
    AT_END,
    BESIDE_ANOTHER,
    MORNING,
    Day,
    Language,
    Phrase,
    TimeOfDay,
)
from todo_project.quick_add.services.text import CLOSING, LETTER, OPENING, group

# a colon or comma may be before them only behind Chinese
_BEFORE = rf"(?<![{LETTER}{OPENING}\-./+#@$&'%])(?<![^\u4e00-\u9fff][:,])"
_AFTER = rf"(?![{LETTER}{CLOSING}%]|[\-./:'&,][{LETTER}])"
_ISO_TIME = r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(?::00)?(?![+.:])"
_BEHIND_A_LINK = "(?:" + "|".join(rf"(?<=\b{each} )" for each in ("on", "by", "before", "from", "until")) + ")"
_WRITTEN_WITH_SLASHES = {"24/7", "9/11"}
# where 12/5 is the fifth of December: in the United States, China, Taiwan, Japan and Korea
_MONTH_FIRST_REGIONS = ("US/", "America/Indiana/", "America/Kentucky/", "America/North_Dakota/")
_MONTH_FIRST_ZONES = {
    *(f"America/{city}" for city in ("New_York", "Detroit", "Chicago", "Menominee", "Denver", "Boise", "Phoenix")),
    *(f"America/{city}" for city in ("Los_Angeles", "Anchorage", "Juneau", "Sitka", "Nome", "Yakutat", "Adak")),
    *("America/Metlakatla", "Pacific/Honolulu", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"),
    *("Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "Asia/Urumqi", "PRC", "Asia/Taipei", "ROC"),
    *("Asia/Tokyo", "Japan", "Asia/Seoul", "ROK"),
}


def notation_of(text: str, zone: str) -> Language:
    """Return how people write digits: in Chinese as in China, or else as in the time zone."""
    if _HAN.search(text):
        return HAN
    return MONTH_FIRST if zone in _MONTH_FIRST_ZONES or zone.startswith(_MONTH_FIRST_REGIONS) else DAY_FIRST


def digits(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of digits that are not part of a longer number or word."""
    return re.compile(f"{_BEFORE}(?:{pattern}){_AFTER}", re.ASCII)


def clock(hour: str, minute: str | None) -> TimeOfDay | None:
    """Return the time as it is written: exact from 13:00 on, at 0 hours, and with a leading zero."""
    if int(hour) > 23 or int(minute or 0) > 59:
        return None
    is_exact = not 1 <= int(hour) <= 12 or (hour[0] == "0" and minute is not None)
    return TimeOfDay(hour=int(hour), minute=int(minute or 0), is_exact=is_exact)


def _time(match: re.Match[str]) -> TimeOfDay | None:
    return clock(match["hour"], match["minute"])


def _time_of_24_hours(match: re.Match[str]) -> TimeOfDay | None:
    """Return the time, which is in the night or the morning unless the text names a part: 3:30 is 03:30."""
    found = _time(match)
    return found and replace(found, is_exact=not 1 <= found.hour <= 12, usual=MORNING)


def _iso_time(match: re.Match[str]) -> TimeOfDay:
    return TimeOfDay(hour=int(match["hour"]), minute=int(match["minute"]), is_exact=True)


def _date(match: re.Match[str]) -> Day:
    return Day(on(int(match["year"]), int(match["month"]), int(match["day"])))


def slashed(first: str, second: str, year: str | None, *, is_month_first: bool) -> Day | None:
    """Return the date of two numbers and perhaps a year; a first number above 12 is the day."""
    if f"{first}/{second}" in _WRITTEN_WITH_SLASHES and year is None:
        return None
    month, day = (int(first), int(second)) if is_month_first else (int(second), int(first))
    if month > 12:
        month, day = day, month
    return Day(on(int(year) if year else None, month, day)) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _dotted(match: re.Match[str]) -> Day | None:
    """Return the date of a text such as 24.12., which is written where the day comes first."""
    day, month = int(match["first"]), int(match["second"])
    return Day(on(None, month, day)) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _slashed(*, is_month_first: bool) -> tuple[Phrase, ...]:
    def read(match: re.Match[str]) -> Day | None:
        return slashed(match["first"], match["second"], group(match, "year"), is_month_first=is_month_first)

    # at the start of a text, 1/2 is half of something, but 1/27 is a date
    above_12 = r"(?:1[3-9]|2\d|3[01])"
    long = rf"(?=\d{{1,2}}/{above_12}\b|{above_12}/)(?P<first>\d{{1,2}})/(?P<second>\d{{1,2}})"
    short = r"(?P<first>\d{1,2})/(?P<second>\d{1,2})"
    return (
        Phrase(digits(short + r"/(?P<year>\d{4})"), read),
        Phrase(digits(long), read, AT_AN_END),
        Phrase(digits(short), read, AT_END),
    )


def _times(read: Callable[[re.Match[str]], TimeOfDay | None]) -> tuple[Phrase, ...]:
    return (
        # 3:16 may be a verse of the Bible, 3:15 is not
        Phrase(digits(r"(?P<hour>\d{1,2}):(?P<minute>\d[05])"), read, ANYWHERE),
        Phrase(digits(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})"), read, BESIDE_ANOTHER),
    )


_DATES = (
    Phrase(digits(r"(?P<year>\d{4})([-/])(?P<month>\d{1,2})\2(?P<day>\d{1,2})"), _date),
    # RFC 3339 without an offset: the date with its T, and then the time
    Phrase(
        re.compile(rf"{_BEFORE}(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)t(?={_ISO_TIME}{_AFTER})", re.ASCII),
        _date,
    ),
    Phrase(re.compile(rf"(?<=\d\d\d\d-\d\d-\d\dt){_ISO_TIME}{_AFTER}", re.ASCII), _iso_time, BESIDE_ANOTHER),
    Phrase(digits(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})"), _date),
    # "chapter 1.2." is none
    Phrase(digits(rf"{_BEHIND_A_LINK}(?P<first>\d{{1,2}})\.(?P<second>\d{{1,2}})\."), _dotted, BESIDE_ANOTHER),
    Phrase(digits(r"(?P<first>\d{1,2})\.(?P<second>\d{1,2})\.(?= \d{1,2}:\d)"), _dotted, BESIDE_ANOTHER),
)
_HAN = re.compile("[\u4e00-\u9fff]")
DAY_FIRST = Language((*_DATES, *_slashed(is_month_first=False), *_times(_time)))
MONTH_FIRST = Language((*_DATES, *_slashed(is_month_first=True), *_times(_time)))
HAN = Language((*_DATES, *_slashed(is_month_first=True), *_times(_time_of_24_hours)))
