"""What phrases mean, and what a language file consists of."""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

# Yields the days that a phrase can mean on a given day, the most likely first. A later one is used if the task
# would be due in the past.
Days = Callable[[dt.date], Iterator[dt.date]]


@dataclass(frozen=True)
class DayPart:
    """A part of the day: its hour if no other is given, and the hour from which hours are counted in it."""

    hour: int
    first: int


# The hours of the day are counted from 0; those of the next day, from 24.
DAWN = DayPart(hour=5, first=0)
MORNING = DayPart(hour=9, first=1)
NOON = DayPart(hour=12, first=11)
AFTERNOON = DayPart(hour=15, first=12)
EVENING = DayPart(hour=19, first=16)
NIGHT = DayPart(hour=20, first=18)
# what an hour without a part of the day means: 7 to 12 are in the morning, 1 to 6 in the afternoon
ANY_PART = DayPart(hour=9, first=7)


@dataclass(frozen=True)
class Day:
    """A day, perhaps with a part, as in "tonight". `weekday` is set if the text names nothing else, Monday as 0."""

    days: Days
    part: DayPart | None = None
    weekday: int | None = None


@dataclass(frozen=True)
class After:
    """A time counted from now."""

    delay: dt.timedelta


@dataclass(frozen=True)
class TimeOfDay:
    """A time of day. Unless it is exact, the hour is one of 1 to 12, and the part of the day decides.

    `usual` is the part if the text names none.
    """

    hour: int
    minute: int = 0
    part: DayPart | None = None
    is_exact: bool = False
    usual: DayPart = ANY_PART


@dataclass(frozen=True)
class Repeat:
    """A recurrence rule. `by` is what follows FREQ and INTERVAL in the RRULE, such as BYDAY=MO."""

    frequency: str
    interval: int = 1
    by: str = ""
    part: DayPart | None = None
    is_from_completion: bool = False


@dataclass(frozen=True)
class Times:
    """How often a task recurs."""

    count: int


@dataclass(frozen=True)
class Lasting:
    """How long a task recurs: until the day before the one that follows from the first."""

    days: Days


@dataclass(frozen=True)
class Except:
    """Weekdays on which a task does not recur, Monday as 0."""

    weekdays: frozenset[int]


@dataclass(frozen=True)
class FromCompletion:
    """That a recurrence counts from the day of completion."""


class Purpose(enum.Enum):
    """What a day or a time is for, according to the word beside it."""

    DUE = "due"
    START = "start"
    UNTIL = "until"
    # as in "the week after monday": not understood
    OTHER = "other"
    # as in "every jan 1 and jul 1": no recurrence is understood that has another date beside it
    AND = "and"
    # as in "every day except holidays": nothing beside it is understood
    EXCEPT = "except"


@dataclass(frozen=True)
class Link:
    """A word before a day or time, or after it, that says what it is for."""

    purpose: Purpose
    is_after: bool = False


Meaning = Day | After | TimeOfDay | DayPart | Repeat | Times | Lasting | Except | FromCompletion | Link

ANYWHERE = frozenset({"anywhere"})
AT_END = frozenset({"end"})
AT_START = frozenset({"start"})
AT_AN_END = frozenset({"start", "end"})
# also at the start of a text that has a time later on
AT_END_OR_TIMED = frozenset({"end", "timed"})
# also at the start of a text that names weekdays on which the task recurs later on
AT_END_OR_REPEATED = frozenset({"end", "repeated"})
BESIDE_ANOTHER = frozenset[str]()


@dataclass(frozen=True)
class Phrase:
    """A pattern of folded text (see text.fold), and what a match means; None if that is impossible.

    `where` is where it counts as a date or time if no other phrase is beside it. Phrases that are also ordinary
    words are not understood in the middle of a sentence.
    """

    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], Meaning | None]
    where: frozenset[str] = ANYWHERE


@dataclass(frozen=True)
class Language:
    """A language: its phrases.

    Of two that overlap in a text, the longer one counts; of two with the same length, the one that begins earlier,
    or else the one that is listed first.
    """

    phrases: tuple[Phrase, ...]
    # what every phrase has a character of; a text without any is not searched
    script: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    # matches, with no width, where a phrase may begin; patterns are searched faster if they do not look behind
    before: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    # other forms of characters, such as the traditional ones, each with the one that the phrases have
    variants: Mapping[int, int] = field(default_factory=dict)
    # words anywhere in the text, each with the part of the day in which people do that
    usual: tuple[tuple[re.Pattern[str], DayPart], ...] = ()
