"""Days in English."""

from __future__ import annotations

import datetime as dt
import re

from todo_project.quick_add.services import days
from todo_project.quick_add.services.languages.en.vocabulary import (
    BEFORE_A_VERB,
    DATES,
    FULL_WEEKDAY,
    MONTH,
    NOT_A_NOUN,
    NOT_BEFORE_A_VERB,
    NUMBERS,
    ORDINALS,
    PART,
    PARTS,
    SHORT_UNIT,
    UNIT,
    WEEKDAY,
    YEAR,
    N,
    always,
    month_of,
    number_of,
    unit_of,
    weekday_of,
    words,
    year_of,
)
from todo_project.quick_add.services.meanings import (
    AT_AN_END,
    AT_END,
    AT_END_OR_TIMED,
    AT_START,
    BESIDE_ANOTHER,
    MORNING,
    NIGHT,
    After,
    Day,
    Days,
    Phrase,
)
from todo_project.quick_add.services.text import group


def _date(match: re.Match[str]) -> Day:
    return Day(days.on(year_of(match["year"]), month_of(match["month"]), int(match["day"])))


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
    unit, number = unit_of(match["unit"]), number_of(group(match, "n") or "a")
    return Day(days.later(2 * number, "week") if unit == "fortnight" else days.later(number, unit))


def _counted_from(match: re.Match[str]) -> Day:
    """Return the day of a text such as "a week from monday" and "3 days from now"."""
    if group(match, "weekday"):
        first = _named_weekday(match).days
    else:
        first = days.later(0 if group(match, "now") else 2 if group(match, "second") else 1, "day")
    return Day(days.after(first, read_later(match).days))


def _edge(match: re.Match[str]) -> Day | None:
    """Return the first, middle or last day of a month or year."""
    day = next(day for name, day in _EDGES.items() if match["edge"].startswith(name))
    if match["month"]:
        month, year = month_of(match["month"]), year_of(match["year"])
        return Day(days.on_last_of(month, year) if day == -1 else days.on(year, month, day))
    if match["unit"] == "year":
        return (
            None if day == 15 else Day(days.in_year(match["which"] == "next", *((12, 31) if day == -1 else (1, 1))))
        )
    if match["which"] or day == -1:
        return Day(days.in_month(match["which"] == "next", day))
    return Day(days.on_day(day))


def _nth_weekday(match: re.Match[str]) -> Day:
    of: Days = days.months
    if which := group(match, "which"):
        of = days.the_month(which == "next")
    elif month := group(match, "month"):
        of = days.the_months(month_of(month), year_of(match["year"]))
    nth = ORDINALS.get(match["nth"]) or int(match["nth"][0])
    return Day(days.on_nth_weekday(nth, weekday_of(match["weekday"]), of))


def _delay(match: re.Match[str]) -> After:
    if match["n"] is None:
        return After(dt.timedelta(minutes=30))
    number = (NUMBERS.get(match["n"]) or float(match["n"])) + (0.5 if group(match, "half") else 0)
    minutes = number * (1 if match["unit"].startswith("m") else 60) + int(group(match, "minutes") or 0)
    return After(dt.timedelta(minutes=minutes))


_DELAY = (
    rf"(?:(?P<n>\d{{1,4}}(?:\.5)?|{'|'.join(sorted(NUMBERS, key=len, reverse=True))}) +"
    r"(?P<unit>min(?:ute)?s?|hours?|hrs?|h)"
    r"(?P<half> +and +a +half)?(?: +(?:and +)?(?P<minutes>[1-5]?\d) *min(?:ute)?s?)?|half +an +hour)"
)
# "2h" without a space; "in 2h" may also be about a format, and "30m" may be a length
_GLUED = r"(?P<n>\d{1,4}(?:\.5)?)(?P<unit>min(?:ute)?s?|hours?|hrs?)"
_SHORT = (
    r"(?P<n>\d{1,4}(?:\.5)?) ?(?P<unit>[hm])",
    r"(?P<n>\d{1,2}) ?(?P<unit>h) ?(?P<minutes>[0-5]?\d)(?: ?m(?:ins?)?)?",
)
# "in a week or so" is none of these
_NO_MORE = r"(?! +or +(?:so|two|three|more|\d))"
_TOMORROW = "tomm?orr?ow|tmrw|tmr|tmw"
_NAMED_WEEKDAY = rf"(?:(?P<which>this|next) +)?(?P<weekday>{WEEKDAY})"
_FIRST = rf"(?:(?P<now>now|today)|{_TOMORROW}|(?P<second>(?:the +)?day +after +tomorrow)|{_NAMED_WEEKDAY})"
_END_OF_DAY = "(?:eod|cob|close +of +business|(?:the +)?end +of +(?:the +)?day)"
_BY_END_OF_DAY = rf"(?: +(?:(?:by|at) +)?{_END_OF_DAY})?"
_EDGES = {"beginning": 1, "start": 1, "first": 1, "mid": 15, "end": -1, "last": -1}
_EDGE = (
    r"(?P<edge>(?:beginning|start|middle|end|(?:first|last) +day) +of +|mid(?: +|-))"
    rf"(?:(?:the +|(?P<which>this|next) +)?(?P<unit>month|year)|{MONTH}{YEAR})"
)
_NTH_WEEKDAY = rf"(?P<nth>first|second|third|fourth|last|[1-4](?:st|nd|rd|th)) +(?P<weekday>{WEEKDAY})"
_BEFORE_WHAT_TO_DO = rf"(?:(?=[:,])|{BEFORE_A_VERB})"
DAYS = (
    Phrase(words(f"(?:(?:later|{_END_OF_DAY}) +)?today{_BY_END_OF_DAY}"), always(Day(days.later(0, "day")))),
    Phrase(words(f"(?:{_END_OF_DAY} +)?(?:{_TOMORROW}){_BY_END_OF_DAY}"), always(Day(days.later(1, "day")))),
    Phrase(words(f"early +(?:{_TOMORROW})"), always(Day(days.later(1, "day"), part=MORNING))),
    Phrase(words("(?:the +)?day +after +tomorrow"), always(Day(days.later(2, "day")))),
    Phrase(words("(?:the +)?next +(?:(?:work(?:ing)?|business) +day|workday)"), always(Day(days.next_workday))),
    Phrase(words(_END_OF_DAY), always(Day(days.later(0, "day"))), AT_END),
    Phrase(words(rf"{_END_OF_DAY} +(?:on +)?(?P<weekday>{WEEKDAY})"), _named_weekday),
    Phrase(words(rf"(?P<weekday>{WEEKDAY}) +(?:by +)?{_END_OF_DAY}"), _named_weekday),
    Phrase(words("yesterday"), always(Day(days.later(-1, "day"))), AT_AN_END),
    Phrase(words("(?:later? +)?toni(?:ght|te)"), always(Day(days.later(0, "day"), part=NIGHT))),
    Phrase(
        words("this +(?P<part>morning|afternoon|evening)"),
        lambda match: Day(days.later(0, "day"), part=PARTS[match["part"]]),
    ),
    Phrase(words(rf"(?P<which>this|next|this +coming|coming) +(?P<weekday>{WEEKDAY})"), _named_weekday),
    Phrase(words(rf"(?P<weekday>{WEEKDAY})(?: +{PART})?(?=[:,])"), _weekday_and_part, AT_AN_END),
    Phrase(words(rf"(?P<weekday>{WEEKDAY})(?: +{PART})?{BEFORE_A_VERB}"), _weekday_and_part, AT_START),
    # "friday night playlist" is a title; with a verb as above or a time behind it, it is not
    Phrase(words(rf"\A(?:{WEEKDAY}) +{PART}(?= +[a-z])(?! +at +\d){NOT_BEFORE_A_VERB}"), always(None)),
    Phrase(words(rf"(?P<weekday>{FULL_WEEKDAY})"), _named_weekday, AT_END_OR_TIMED),
    Phrase(words(rf"(?={WEEKDAY}){NOT_A_NOUN}(?P<weekday>{WEEKDAY})"), _named_weekday, AT_END),
    *(
        Phrase(words(each), lambda match: Day(days.in_week(match["week"] == "next", weekday_of(match["weekday"]))))
        for each in (
            rf"(?P<week>this|next) +week,?(?: +on)? +(?P<weekday>{WEEKDAY})",
            rf"(?P<weekday>{WEEKDAY})(?: +of)? +(?P<week>this|next) +week",
        )
    ),
    Phrase(words("(?:early +)?next +week"), always(Day(days.in_week(1, 0))), AT_AN_END),
    Phrase(words("(?:the +)?week +after +next"), always(Day(days.in_week(2, 0))), AT_AN_END),
    Phrase(words("next +month"), always(Day(days.in_month(1, 1))), AT_AN_END),
    Phrase(words("next +year"), always(Day(days.in_year(1, 1, 1))), AT_AN_END),
    Phrase(
        words("(?:(?:this|at +the|on +the) +)?weekend"),
        always(Day(days.coming(days.SATURDAY, from_today=True))),
        AT_END,
    ),
    Phrase(words("next +weekend"), always(Day(days.in_week(1, days.SATURDAY)))),
    Phrase(words(rf"(?:at|in|on) +(?:the +)?{_EDGE}"), _edge),
    Phrase(words(rf"(?:the +)?{_EDGE}"), _edge, AT_END),
    Phrase(words("eom"), always(Day(days.in_month(0, -1))), AT_END),
    Phrase(words(rf"the +{_NTH_WEEKDAY}"), _nth_weekday, BESIDE_ANOTHER),
    Phrase(
        words(rf"(?:the +)?{_NTH_WEEKDAY} +(?:of|in) +(?:(?:the|(?P<which>this|next)) +month|{MONTH}{YEAR})"),
        _nth_weekday,
        AT_END,
    ),
    *(Phrase(words(date + YEAR), _date) for date in DATES),
    Phrase(
        words(r"(?<!'s )(?<!of )(?:the +)?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)"),
        _day_of_month,
        AT_END,
    ),
    Phrase(
        words(r"(?:the +)?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th) +of +(?:(?P<next>next)|the|this) +month"),
        _day_of_month,
    ),
    Phrase(
        words(r"(?P<next>next) +month,?(?: +on)? +(?:the +)?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)"), _day_of_month
    ),
    Phrase(words(r"(?:the +)?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th) +(?P<next>next) +month"), _day_of_month),
    Phrase(words(rf"in +{N} +{UNIT}(?:['\u2019]? +time)?{_NO_MORE}"), read_later),
    Phrase(words(rf"in +(?P<n>\d{{1,4}}) *{SHORT_UNIT}{_NO_MORE}"), read_later),
    Phrase(words(rf"(?:in +)?{N} +{UNIT} +(?:from|after) +{_FIRST}"), _counted_from),
    Phrase(
        words(rf"(?<!for )(?P<n>an?|one) +(?P<unit>week) +on +(?P<weekday>{WEEKDAY})"),
        _counted_from,
        AT_END,
    ),
    Phrase(
        words(rf"(?<!for )(?:in +)?{N} +(?P<unit>week)s? +(?:(?P<now>today)|{_TOMORROW})"), _counted_from, AT_END
    ),
    Phrase(words(rf"(?:(?P<now>today)|{_TOMORROW}|(?P<weekday>{WEEKDAY})) +(?P<unit>week)"), _counted_from, AT_END),
    Phrase(words(rf"in +{_DELAY}{_NO_MORE}"), _delay),
    Phrase(words(rf"in +{_GLUED}{_NO_MORE}"), _delay),
    *(Phrase(words(rf"in +{each}{_BEFORE_WHAT_TO_DO}"), _delay, AT_START) for each in _SHORT),
    *(Phrase(words(rf"in +{each}"), _delay, AT_END) for each in _SHORT),
    *(Phrase(words(rf"{each} +from +now"), _delay) for each in (_DELAY, _GLUED, *_SHORT)),
)
