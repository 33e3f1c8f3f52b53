"""English words, and the patterns that days, times and recurrences are made of."""

from __future__ import annotations

import re
from collections.abc import Callable

from todo_project.quick_add.services.meanings import AFTERNOON, EVENING, MORNING, NIGHT, Meaning, Repeat
from todo_project.quick_add.services.text import CLOSING, LETTER, OPENING

NUMBER_NAMES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NUMBERS = {name: number for number, name in enumerate(NUMBER_NAMES, 1)} | {"a": 1, "an": 1, "a couple of": 2}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
PARTS = {"morning": MORNING, "afternoon": AFTERNOON, "evening": EVENING, "night": NIGHT}
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1, "other": 2, "alternate": 2}
UNITS = {"day": "DAILY", "week": "WEEKLY", "fortnight": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}
ADVERBS = {
    "daily": Repeat("DAILY"),
    "weekly": Repeat("WEEKLY"),
    "monthly": Repeat("MONTHLY"),
    "quarterly": Repeat("MONTHLY", 3),
    "half-yearly": Repeat("MONTHLY", 6),
    "yearly": Repeat("YEARLY"),
    "annually": Repeat("YEARLY"),
}

N = rf"(?P<n>\d{{1,4}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
UNIT = r"(?P<unit>day|week|fortnight|month|year)s?"
# with a number in digits only: "in a mo" is a moment
_SHORT_UNITS = {"wk": "week", "mo": "month", "mth": "month", "yr": "year"}
SHORT_UNIT = rf"(?P<unit>day|week|month|year|{'|'.join(_SHORT_UNITS)})s?"
MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
DAY_NUMBER = r"(?P<day>[1-9]|[0-2]\d|3[01])(?:st|nd|rd|th)?"
# in "at 9 dec 5", 9 is the hour
NOT_AN_HOUR = r"(?:(?<!\bat )(?<!@)(?<!@ )|(?!\d{1,2} +[a-z]{3,9}\.? +\d{1,2}(?![a-z\d:])))"
DATES = (
    rf"{MONTH} +(?:the +)?{DAY_NUMBER}(?!:)",
    rf"{NOT_AN_HOUR}(?:the +)?{DAY_NUMBER} +(?:of +)?{MONTH}",
)
YEAR = r"(?:,? +(?P<year>(?:19|20|21)\d\d|['\u2019]\d\d))?"
FULL_WEEKDAY = "|".join(WEEKDAYS)
# atomic: "thurs" has one reading, whatever follows
WEEKDAY = rf"(?>{FULL_WEEKDAY}|mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun)"
AND = r"(?: *, *(?:and +)?(?:on +)?| +and +(?:on +)?| *[&/+] *| +)"
WEEKDAY_LIST = rf"{WEEKDAY}s?(?:{AND}{WEEKDAY}s?){{0,6}}"
NTH = r"(?:[12]?\d|3[01])(?:st|nd|rd|th)"
NTH_LIST = rf"{NTH}(?:{AND}(?:the +)?{NTH}){{0,9}}"
OF_MONTH = r"(?: +of +(?:the|each|every) +month)"
EVERY = r"(?:every|each|ev)(?P<after>!)? *"


# of whole words, not of parts of names such as "Monday.com" or "today's"
BEFORE = re.compile(rf"(?<![{LETTER}{OPENING}'\u2019\-./@#+$&\\])(?<!\d:)")
_AFTER = rf"(?![{LETTER}{CLOSING}%]|['\u2019\-./&:+@][{LETTER}])"


def words(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of whole words, of which BEFORE looks at what is before them."""
    # a bounded number of spaces: otherwise a hostile text could make a match as long as itself
    pattern = pattern.replace(" +", " {1,3}").replace(" *", " {0,3}")
    return re.compile(f"(?:{pattern}){_AFTER}")


def number_of(text: str) -> int:
    return NUMBERS[text] if text in NUMBERS else int(text)


def unit_of(text: str) -> str:
    return _SHORT_UNITS.get(text, text)


def year_of(text: str | None) -> int | None:
    """Return the year of a text such as "2027" and "'27"."""
    if text is None:
        return None
    return int(text) if text.isdigit() else 2000 + int(text[1:])


def weekday_of(text: str) -> int:
    return next(number for number, name in enumerate(WEEKDAYS) if name.startswith(text[:3]))


def month_of(text: str) -> int:
    return MONTHS.index(text[:3]) + 1


def always(meaning: Meaning | None) -> Callable[[re.Match[str]], Meaning | None]:
    return lambda _: meaning


_NOUNS_FOLLOW = "the a an my your our his her their in of get some more no"
# slow, so it is behind a look at what follows
NOT_A_NOUN = "".join(rf"(?<!\b{word} )" for word in _NOUNS_FOLLOW.split())
# After a weekday, a verb and its object are something to do on that day, as in "monday call mum". Many verbs are
# nouns, too, so what follows decides: "monday call notes", "friday book club", "monday meet and greet".
VERBS = (
    "ask|book|bring|buy|call|cancel|change|check|clean|collect|drop|email|feed|file|fill|find|finish|fix|get|give|hand"
    "|hang|invite|mail|make|meet|message|mow|order|pack|paint|pay|phone|pick|plan|prepare|print|put|read|remind|renew"
    "|repair|replace|return|ring|schedule|sell|send|set|ship|sign|submit|take|tell|text|throw|transfer|update|vacuum"
    "|visit|wash|water|wrap|write"
)
OF_A_NOUN = (
    "with|for|about|at|on|of|from|and|or|is|was|notes?|agenda|minutes|lists?|log|prep|recap|summary|schedules?|plans?"
    "|recording|templates?|reports?|scripts?|sheets?|numbers?|club|sale|day|night|time|together|edition|flight|trip"
    "|tickets?|labels?|cent(?:er|re)|order|form|job|version|deals?|budget|store|shop|review|[a-z]{1,15}ing"
)
BEFORE_A_VERB = rf"(?= +(?:{VERBS})(?: +(?:up|off|out|back|down))? +(?!(?:{OF_A_NOUN})\b)[^ ])"
NOT_BEFORE_A_VERB = BEFORE_A_VERB.replace("(?=", "(?!", 1)
PART = "(?P<part>morning|afternoon|evening|night)"
