"""Days in English."""

from __future__ import annotations

import datetime as dt
import re

from todo_project.quick_add.services import days
from todo_project.quick_add.services.languages.en.vocabulary import (
    BEFORE_A_VERB,
    DATES,
    FULL_WEEKDAY,
    NOT_AN_ARTICLE,
    NOT_BEFORE_A_VERB,
    NUMBERS,
    PART,
    PARTS,
    UNIT,
    WEEKDAY,
    YEAR,
    N,
    always,
    month_of,
    number_of,
    weekday_of,
    words,
)
from todo_project.quick_add.services.meanings import (
    AT_AN_END,
    AT_END,
    AT_END_OR_TIMED,
    AT_START,
    NIGHT,
    After,
    Day,
    Phrase,
)
from todo_project.quick_add.services.text import group


def _date(match: re.Match[str]) -> Day:
    return Day(days.on(int(match["year"]) if match["year"] else None, month_of(match["month"]), int(match["day"])))


def _day_of_month(match: re.Match[str]) -> Day:
    day = int(match["day"])
    return Day(days.in_month(1, day) if group(match, "next") else days.on_day(day))


def _weekday_and_part(match: re.Match[str]) -> Day:
    day = _named_weekday(match)
    return Day(day.days, part=PARTS[match["part"]]) if match["part"] else day


def _named_weekday(match: re.Match[str]) -> Day:
    weekday, which = weekday_of(match["weekday"]), group(match, "which")
    if which == "next":
        return Day(days.in_week(1, weekday))
    return Day(days.coming(weekday, from_today=which is not None), weekday=weekday)


def read_later(match: re.Match[str]) -> Day:
    unit, number = match["unit"], number_of(match["n"])
    return Day(days.later(2 * number, "week") if unit == "fortnight" else days.later(number, unit))


def _delay(match: re.Match[str]) -> After:
    if match["n"] is None:
        return After(dt.timedelta(minutes=30))
    number = (NUMBERS.get(match["n"]) or float(match["n"])) + (0.5 if group(match, "half") else 0)
    minutes = number * (1 if match["unit"].startswith("m") else 60) + int(group(match, "minutes") or 0)
    return After(dt.timedelta(minutes=minutes))


_DELAY = (
    r"(?:(?P<n>\d{1,4}(?:\.5)?|an?|one|two|three|four|five|six|ten) +(?P<unit>min(?:ute)?s?|hours?|hrs?|h)"
    r"(?P<half> +and +a +half)?|half +an +hour)"
)
# "2h" without a space; "in 2h" may also be about a format, and "30m" may be a length
_GLUED = r"(?P<n>\d{1,4}(?:\.5)?)(?P<unit>min(?:ute)?s?|hours?|hrs?)"
_SHORT = (
    r"(?P<n>\d{1,4}(?:\.5)?) ?(?P<unit>[hm])",
    r"(?P<n>\d{1,2}) ?(?P<unit>h) ?(?P<minutes>[0-5]?\d)(?: ?m(?:ins?)?)?",
)
_BEFORE_WHAT_TO_DO = rf"(?:(?=[:,])|{BEFORE_A_VERB})"
DAYS = (
    Phrase(words("today"), always(Day(days.later(0, "day")))),
    Phrase(words("tomorrow|tmrw|tmr"), always(Day(days.later(1, "day")))),
    Phrase(words("(?:the +)?day +after +tomorrow"), always(Day(days.later(2, "day")))),
    Phrase(words("(?:the +)?next +(?:(?:work(?:ing)?|business) +day|workday)"), always(Day(days.next_workday))),
    Phrase(words("eod|(?:the +)?end +of +(?:the +)?day"), always(Day(days.later(0, "day"))), AT_END),
    Phrase(words("yesterday"), always(Day(days.later(-1, "day"))), AT_AN_END),
    Phrase(words("tonight"), always(Day(days.later(0, "day"), part=NIGHT))),
    Phrase(
        words("this +(?P<part>morning|afternoon|evening)"),
        lambda match: Day(days.later(0, "day"), part=PARTS[match["part"]]),
    ),
    Phrase(words(rf"(?P<which>this|next|this +coming|coming) +(?P<weekday>{WEEKDAY})"), _named_weekday),
    Phrase(words(rf"(?P<weekday>{WEEKDAY})(?=[:,])"), _named_weekday, AT_AN_END),
    Phrase(words(rf"(?P<weekday>{WEEKDAY})(?: +{PART})?{BEFORE_A_VERB}"), _weekday_and_part, AT_START),
    # "friday night playlist" is a title; with a verb as above or a time behind it, it is not
    Phrase(words(rf"\A(?:{WEEKDAY}) +{PART}(?= +[a-z])(?! +at +\d){NOT_BEFORE_A_VERB}"), always(None)),
    Phrase(words(rf"(?P<weekday>{FULL_WEEKDAY})"), _named_weekday, AT_END_OR_TIMED),
    Phrase(words(rf"{NOT_AN_ARTICLE}(?P<weekday>{WEEKDAY})"), _named_weekday, AT_END),
    Phrase(words("next +week"), always(Day(days.in_week(1, 0))), AT_AN_END),
    Phrase(words("next +month"), always(Day(days.in_month(1, 1))), AT_AN_END),
    Phrase(words("next +year"), always(Day(days.in_year(1, 1, 1))), AT_AN_END),
    Phrase(
        words("(?:(?:this|at +the|on +the) +)?weekend"),
        always(Day(days.coming(days.SATURDAY, from_today=True))),
        AT_END,
    ),
    Phrase(words("next +weekend"), always(Day(days.in_week(1, days.SATURDAY)))),
    Phrase(words("(?:at +)?(?:the +)?end +of +(?:the +|this +)?month|eom"), always(Day(days.in_month(0, -1)))),
    Phrase(words("(?:at +)?(?:the +)?end +of +next +month"), always(Day(days.in_month(1, -1)))),
    Phrase(words("(?:at +)?(?:the +)?end +of +(?:the +|this +)?year"), always(Day(days.in_year(0, 12, 31)))),
    *(Phrase(words(date + YEAR), _date) for date in DATES),
    Phrase(
        words(r"(?<!'s )(?<!of )(?<!and )(?:the +)?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)"),
        _day_of_month,
        AT_END,
    ),
    Phrase(
        words(r"(?:the +)?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th) +of +(?:(?P<next>next)|the|this) +month"),
        _day_of_month,
    ),
    Phrase(words(rf"in +{N} +{UNIT}"), read_later),
    Phrase(words(rf"{N} +{UNIT} +from +(?:now|today)"), read_later),
    Phrase(words(rf"in +{_DELAY}"), _delay),
    Phrase(words(rf"in +{_GLUED}"), _delay),
    *(Phrase(words(rf"in +{each}{_BEFORE_WHAT_TO_DO}"), _delay, AT_START) for each in _SHORT),
    *(Phrase(words(rf"in +{each}"), _delay, AT_END) for each in _SHORT),
    *(Phrase(words(rf"{each} +from +now"), _delay) for each in (_DELAY, _GLUED, *_SHORT)),
)
