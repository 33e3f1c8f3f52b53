"""Times of day in English."""

from __future__ import annotations

import re

from todo_project.quick_add.services.languages.en.vocabulary import (
    PART,
    PARTS,
    WEEKDAY,
    N,
    always,
    number_of,
    words,
)
from todo_project.quick_add.services.meanings import (
    AFTERNOON,
    AT_END,
    BESIDE_ANOTHER,
    MORNING,
    Phrase,
    TimeOfDay,
)
from todo_project.quick_add.services.notation import clock

_NEXT_WORD = "with|for|in|to|and|about|on|by|from|re|regarding|via|near|until|till"
# not "at 8 and 9"
_BEFORE_NEXT_WORD = rf"(?= +(?:{_NEXT_WORD})\b)(?! +(?:and|to) +\d)"
_HOUR_MINUTE = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?"


# "at 2000" may be a price, "at 0900" is not
_AT = "(?:at +(?:(?:about|around) +)?|@ *)"
# "around 7" may be a number, "around 7pm" is not
_ABOUT = f"(?:{_AT}|around +|~ *)"
# "tomorrow 0900" is a time, "invoice 0900" is not
_BEHIND_A_DAY = "(?:(?<=day )|(?<=tomorrow )|(?<=tmrw ))"
_HOURS = r"(?: ?h(?:(?:ou)?rs)?)?"
_SHARP = "(?: +sharp)?"
# not "at 9 and 5"
_ALONE = r"(?! *(?:,|and\b|or\b|[&/]) *\d)"


def _of_four_digits(match: re.Match[str]) -> TimeOfDay:
    return TimeOfDay(int(match["hour"]), int(match["minute"]), is_exact=True)


def _twelve_hours(match: re.Match[str]) -> TimeOfDay | None:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if not 1 <= hour <= 12 or minute > 59:
        return None
    return TimeOfDay(hour % 12 + (12 if match["half"] == "p" else 0), minute, is_exact=True)


def _time(match: re.Match[str]) -> TimeOfDay | None:
    return clock(match["hour"], match["minute"])


def _hour(match: re.Match[str]) -> TimeOfDay | None:
    return clock(match["hour"], None)


def _full_hour(match: re.Match[str]) -> TimeOfDay:
    return TimeOfDay(int(match["hour"]), is_exact=True)


def _quarter(match: re.Match[str]) -> TimeOfDay | None:
    minutes = {"half": 30, "quarter": 15}[match["part"]] * (1 if match["side"] == "past" else -1)
    hour, minute = divmod(number_of(match["n"]) * 60 + minutes, 60)
    return TimeOfDay(hour or 12, minute) if 0 <= hour <= 12 else None


TIMES = (
    Phrase(words(rf"{_ABOUT}?{_HOUR_MINUTE} ?(?P<half>[ap])(?:m|\.m\.){_SHARP}"), _twelve_hours),
    Phrase(words(r"(?P<half>[ap])m +(?P<hour>\d{1,2}):(?P<minute>\d{2})"), _twelve_hours),
    Phrase(words(rf"{_ABOUT}(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}}){_SHARP}"), _time),
    Phrase(words(rf"{_AT}(?P<hour>[01]?\d|2[0-3]) ?h"), _full_hour, AT_END),
    Phrase(words(rf"{_AT}(?P<hour>[01]?\d|2[0-3])h(?P<minute>[0-5]\d)"), _of_four_digits),
    # "tomorrow 1h45" is how long it takes
    Phrase(words(r"(?P<hour>[01]\d|2[0-3])h(?P<minute>[0-5]\d)"), _of_four_digits, BESIDE_ANOTHER),
    Phrase(words(r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d) ?h(?:rs)?"), _of_four_digits, AT_END),
    Phrase(words(rf"{_AT}(?P<hour>0\d)(?P<minute>[0-5]\d){_HOURS}{_BEFORE_NEXT_WORD}"), _of_four_digits),
    Phrase(words(rf"{_AT}(?P<hour>0\d)(?P<minute>[0-5]\d){_HOURS}"), _of_four_digits, AT_END),
    Phrase(words(rf"{_AT}(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d) ?h(?:(?:ou)?rs)?"), _of_four_digits, AT_END),
    Phrase(words(rf"{_BEHIND_A_DAY}(?P<hour>0\d)(?P<minute>[0-5]\d){_HOURS}"), _of_four_digits, BESIDE_ANOTHER),
    Phrase(words(rf"{_AT}(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d){_HOURS}"), _of_four_digits, BESIDE_ANOTHER),
    Phrase(words(rf"at +(?P<hour>\d{{1,2}}){_BEFORE_NEXT_WORD}"), _hour),
    Phrase(words(r"at +(?P<hour>\d{1,2}) +sharp"), _hour),
    Phrase(words(rf"{_AT}(?P<hour>\d{{1,2}}){_ALONE}"), _hour, AT_END),
    Phrase(words(r"(?:at +)?(?P<hour>\d{1,2}) +o['\u2019]?clock"), _hour),
    Phrase(words(rf"(?:at +)?(?P<part>half|quarter) +(?P<side>past|to) +{N}"), _quarter),
    Phrase(words("at +(?:noon|midday)"), always(TimeOfDay(12, is_exact=True))),
    Phrase(words("noon|midday"), always(TimeOfDay(12, is_exact=True)), AT_END),
    Phrase(words("at +midnight"), always(TimeOfDay(24, is_exact=True))),
    Phrase(words("midnight"), always(TimeOfDay(24, is_exact=True)), AT_END),
    Phrase(
        words(rf"(?:in +the +(?:early +|late +)?(?!n)|at +(?=n)|early +|late +)?{PART}"),
        lambda match: PARTS[match["part"]],
        BESIDE_ANOTHER,
    ),
    Phrase(words("first +thing(?: +in +the +morning)?"), always(MORNING), BESIDE_ANOTHER),
)
# "party on friday" is one, "party hats" are none
_ITSELF = rf" *(?:\Z|[^a-z ]|(?:at|by|for|in|on|with|today|tomorrow|tonight|next|this|around|every|{WEEKDAY})\b)"
USUAL = (
    (re.compile(rf"\b(?:(?:wake|get) +up|(?:breakfast|sunrise){_ITSELF})"), MORNING),
    (re.compile(rf"\b(?:cinema|concert|dinner|drinks|gig|party|supper|theat(?:er|re)){_ITSELF}"), AFTERNOON),
)
