"""English."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace

from todo_project.quick_add.services import days
from todo_project.quick_add.services.meanings import (
    AFTERNOON,
    AT_AN_END,
    AT_END,
    AT_END_OR_REPEATED,
    AT_END_OR_TIMED,
    AT_START,
    BESIDE_ANOTHER,
    EVENING,
    MORNING,
    NIGHT,
    After,
    Day,
    Except,
    FromCompletion,
    Language,
    Lasting,
    Link,
    Meaning,
    Phrase,
    Purpose,
    Repeat,
    TimeOfDay,
    Times,
)
from todo_project.quick_add.services.notation import clock
from todo_project.quick_add.services.text import LETTER, group

_NUMBER_NAMES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_NUMBERS = {name: number for number, name in enumerate(_NUMBER_NAMES, 1)} | {"a": 1, "an": 1, "a couple of": 2}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PARTS = {"morning": MORNING, "afternoon": AFTERNOON, "evening": EVENING, "night": NIGHT}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1, "other": 2, "alternate": 2}
_UNITS = {"day": "DAILY", "week": "WEEKLY", "fortnight": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}
_ADVERBS = {
    "daily": Repeat("DAILY"),
    "weekly": Repeat("WEEKLY"),
    "monthly": Repeat("MONTHLY"),
    "quarterly": Repeat("MONTHLY", 3),
    "yearly": Repeat("YEARLY"),
    "annually": Repeat("YEARLY"),
}

_N = rf"(?P<n>\d{{1,4}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_UNIT = r"(?P<unit>day|week|fortnight|month|year)s?"
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY_NUMBER = r"(?P<day>[1-9]|[0-2]\d|3[01])(?:st|nd|rd|th)?"
# in "at 9 dec 5", 9 is the hour
_NOT_AN_HOUR = r"(?:(?<!\bat )(?<!@)(?<!@ )|(?!\d{1,2} +[a-z]{3,9}\.? +\d{1,2}(?![a-z\d:])))"
_DATES = (
    rf"{_MONTH} +(?:the +)?{_DAY_NUMBER}(?!:)",
    rf"{_NOT_AN_HOUR}(?:the +)?{_DAY_NUMBER} +(?:of +)?{_MONTH}",
)
_YEAR = r"(?:,? +(?P<year>(?:19|20|21)\d\d))?"
_FULL_WEEKDAY = "|".join(_WEEKDAYS)
_WEEKDAY = rf"(?:{_FULL_WEEKDAY}|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)"
_AND = r"(?: *, *(?:and +)?| +and +| *[&/] *| +)"
_WEEKDAY_LIST = rf"{_WEEKDAY}s?(?:{_AND}{_WEEKDAY}s?){{0,6}}"
_NTH = r"(?:[12]?\d|3[01])(?:st|nd|rd|th)"
_NTH_LIST = rf"{_NTH}(?:{_AND}(?:the +)?{_NTH}){{0,9}}"
_OF_MONTH = r"(?: +of +(?:the|each|every) +month)"
_EVERY = r"(?:every|each|ev)(?P<after>!)? *"


def _words(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of whole words, not of parts of names such as "Monday.com" or "today's"."""
    # a bounded number of spaces: otherwise a hostile text could make a match as long as itself
    pattern = pattern.replace(" +", " {1,3}").replace(" *", " {0,3}")
    before, after = rf"(?<![{LETTER}'\u2019\-./@#+$&\\])(?<!\d:)", rf"(?![{LETTER}%]|['\u2019\-./&:][{LETTER}])"
    return re.compile(f"{before}(?:{pattern}){after}")


def _number(text: str) -> int:
    return _NUMBERS[text] if text in _NUMBERS else int(text)


def _weekday(text: str) -> int:
    return next(number for number, name in enumerate(_WEEKDAYS) if name.startswith(text[:3]))


def _month(text: str) -> int:
    return _MONTHS.index(text[:3]) + 1


# --- days


def _date(match: re.Match[str]) -> Day:
    return Day(days.on(int(match["year"]) if match["year"] else None, _month(match["month"]), int(match["day"])))


def _day_of_month(match: re.Match[str]) -> Day:
    day = int(match["day"])
    return Day(days.in_month(1, day) if group(match, "next") else days.on_day(day))


def _weekday_and_part(match: re.Match[str]) -> Day:
    day = _named_weekday(match)
    return Day(day.days, part=_PARTS[match["part"]]) if match["part"] else day


def _named_weekday(match: re.Match[str]) -> Day:
    weekday, which = _weekday(match["weekday"]), group(match, "which")
    if which == "next":
        return Day(days.in_week(1, weekday))
    return Day(days.coming(weekday, from_today=which is not None), weekday=weekday)


def _later(match: re.Match[str]) -> Day:
    unit, number = match["unit"], _number(match["n"])
    return Day(days.later(2 * number, "week") if unit == "fortnight" else days.later(number, unit))


def _delay(match: re.Match[str]) -> After:
    if match["n"] is None:
        return After(dt.timedelta(minutes=30))
    number = (_NUMBERS.get(match["n"]) or float(match["n"])) + (0.5 if group(match, "half") else 0)
    minutes = number * (1 if match["unit"].startswith("m") else 60) + int(group(match, "minutes") or 0)
    return After(dt.timedelta(minutes=minutes))


def _always(meaning: Meaning | None) -> Callable[[re.Match[str]], Meaning | None]:
    return lambda _: meaning


_NOT_AN_ARTICLE = "".join(
    f"(?<!\\b{word} )"
    for word in ("the", "a", "an", "in", "of", "get", "some", "more", "no", "black", "good", "cyber")
)
# After a weekday, a verb and its object are something to do on that day, as in "monday call mum". Many verbs are
# nouns, too, so what follows decides: "monday call notes", "friday book club", "monday meet and greet".
_VERBS = (
    "ask|book|bring|buy|call|cancel|change|check|clean|collect|drop|email|feed|file|fill|find|finish|fix|get|give|hand"
    "|hang|invite|mail|make|meet|message|mow|order|pack|paint|pay|phone|pick|plan|prepare|print|put|read|remind|renew"
    "|repair|replace|return|ring|schedule|sell|send|set|ship|sign|submit|take|tell|text|throw|transfer|update|vacuum"
    "|visit|wash|water|wrap|write"
)
_OF_A_NOUN = (
    "with|for|about|at|on|of|from|and|or|is|was|notes?|agenda|minutes|lists?|log|prep|recap|summary|schedules?|plans?"
    "|recording|templates?|reports?|scripts?|sheets?|numbers?|club|sale|day|night|time|together|edition|flight|trip"
    "|tickets?|labels?|cent(?:er|re)|order|form|job|version|deals?|budget|store|shop|review|[a-z]{1,15}ing"
)
_BEFORE_A_VERB = rf"(?= +(?:{_VERBS})(?: +(?:up|off|out|back|down))? +(?!(?:{_OF_A_NOUN})\b)[^ ])"
_NOT_BEFORE_A_VERB = _BEFORE_A_VERB.replace("(?=", "(?!", 1)
_PART = "(?P<part>morning|afternoon|evening|night)"
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
_BEFORE_WHAT_TO_DO = rf"(?:(?=[:,])|{_BEFORE_A_VERB})"
_DAYS = (
    Phrase(_words("today"), _always(Day(days.later(0, "day")))),
    Phrase(_words("tomorrow|tmrw|tmr"), _always(Day(days.later(1, "day")))),
    Phrase(_words("(?:the +)?day +after +tomorrow"), _always(Day(days.later(2, "day")))),
    Phrase(_words("(?:the +)?next +(?:(?:work(?:ing)?|business) +day|workday)"), _always(Day(days.next_workday))),
    Phrase(_words("eod|(?:the +)?end +of +(?:the +)?day"), _always(Day(days.later(0, "day"))), AT_END),
    Phrase(_words("yesterday"), _always(Day(days.later(-1, "day"))), AT_AN_END),
    Phrase(_words("tonight"), _always(Day(days.later(0, "day"), part=NIGHT))),
    Phrase(
        _words("this +(?P<part>morning|afternoon|evening)"),
        lambda match: Day(days.later(0, "day"), part=_PARTS[match["part"]]),
    ),
    Phrase(_words(rf"(?P<which>this|next|this +coming|coming) +(?P<weekday>{_WEEKDAY})"), _named_weekday),
    Phrase(_words(rf"(?P<weekday>{_WEEKDAY})(?=[:,])"), _named_weekday, AT_AN_END),
    Phrase(_words(rf"(?P<weekday>{_WEEKDAY})(?: +{_PART})?{_BEFORE_A_VERB}"), _weekday_and_part, AT_START),
    # "friday night playlist" is a title; with a verb as above or a time behind it, it is not
    Phrase(_words(rf"\A(?:{_WEEKDAY}) +{_PART}(?= +[a-z])(?! +at +\d){_NOT_BEFORE_A_VERB}"), _always(None)),
    Phrase(_words(rf"(?P<weekday>{_FULL_WEEKDAY})"), _named_weekday, AT_END_OR_TIMED),
    Phrase(_words(rf"{_NOT_AN_ARTICLE}(?P<weekday>{_WEEKDAY})"), _named_weekday, AT_END),
    Phrase(_words("next +week"), _always(Day(days.in_week(1, 0))), AT_AN_END),
    Phrase(_words("next +month"), _always(Day(days.in_month(1, 1))), AT_AN_END),
    Phrase(_words("next +year"), _always(Day(days.in_year(1, 1, 1))), AT_AN_END),
    Phrase(
        _words("(?:(?:this|at +the|on +the) +)?weekend"),
        _always(Day(days.coming(days.SATURDAY, from_today=True))),
        AT_END,
    ),
    Phrase(_words("next +weekend"), _always(Day(days.in_week(1, days.SATURDAY)))),
    Phrase(_words("(?:at +)?(?:the +)?end +of +(?:the +|this +)?month|eom"), _always(Day(days.in_month(0, -1)))),
    Phrase(_words("(?:at +)?(?:the +)?end +of +next +month"), _always(Day(days.in_month(1, -1)))),
    Phrase(_words("(?:at +)?(?:the +)?end +of +(?:the +|this +)?year"), _always(Day(days.in_year(0, 12, 31)))),
    *(Phrase(_words(date + _YEAR), _date) for date in _DATES),
    Phrase(
        _words(r"(?<!'s )(?<!of )(?<!and )(?:the +)?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)"),
        _day_of_month,
        AT_END,
    ),
    Phrase(
        _words(r"(?:the +)?(?P<day>[12]?\d|3[01])(?:st|nd|rd|th) +of +(?:(?P<next>next)|the|this) +month"),
        _day_of_month,
    ),
    Phrase(_words(rf"in +{_N} +{_UNIT}"), _later),
    Phrase(_words(rf"{_N} +{_UNIT} +from +(?:now|today)"), _later),
    Phrase(_words(rf"in +{_DELAY}"), _delay),
    Phrase(_words(rf"in +{_GLUED}"), _delay),
    *(Phrase(_words(rf"in +{each}{_BEFORE_WHAT_TO_DO}"), _delay, AT_START) for each in _SHORT),
    *(Phrase(_words(rf"in +{each}"), _delay, AT_END) for each in _SHORT),
    *(Phrase(_words(rf"{each} +from +now"), _delay) for each in (_DELAY, _GLUED, *_SHORT)),
)

# --- times

_NEXT_WORD = "with|for|in|to|and|about|on|by|from|re|regarding|via|near|until|till|sharp"
# not "at 8 and 9"
_BEFORE_NEXT_WORD = rf"(?= +(?:{_NEXT_WORD})\b)(?! +(?:and|to) +\d)"
_HOUR_MINUTE = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?"


# "at 2000" may be a price, "at 0900" is not
_AT = r"(?:at +|@ *)"
# "tomorrow 0900" is a time, "invoice 0900" is not
_BEHIND_A_DAY = "(?:(?<=day )|(?<=tomorrow )|(?<=tmrw ))"
_HOURS = r"(?: ?h(?:(?:ou)?rs)?)?"


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


def _quarter(match: re.Match[str]) -> TimeOfDay | None:
    minutes = {"half": 30, "quarter": 15}[match["part"]] * (1 if match["side"] == "past" else -1)
    hour, minute = divmod(_number(match["n"]) * 60 + minutes, 60)
    return TimeOfDay(hour or 12, minute) if 0 <= hour <= 12 else None


_TIMES = (
    Phrase(_words(rf"(?:at +|@ *)?{_HOUR_MINUTE} ?(?P<half>[ap])(?:m|\.m\.)"), _twelve_hours),
    Phrase(_words(r"(?:at +|@ *)(?P<hour>\d{1,2})[:.](?P<minute>\d{2})"), _time),
    Phrase(_words(rf"{_AT}(?P<hour>0\d)(?P<minute>[0-5]\d){_HOURS}{_BEFORE_NEXT_WORD}"), _of_four_digits),
    Phrase(_words(rf"{_AT}(?P<hour>0\d)(?P<minute>[0-5]\d){_HOURS}"), _of_four_digits, AT_END),
    Phrase(_words(rf"{_AT}(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d) ?h(?:(?:ou)?rs)?"), _of_four_digits, AT_END),
    Phrase(_words(rf"{_BEHIND_A_DAY}(?P<hour>0\d)(?P<minute>[0-5]\d){_HOURS}"), _of_four_digits, BESIDE_ANOTHER),
    Phrase(_words(rf"{_AT}(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d){_HOURS}"), _of_four_digits, BESIDE_ANOTHER),
    Phrase(_words(rf"at +(?P<hour>\d{{1,2}}){_BEFORE_NEXT_WORD}"), _hour),
    Phrase(_words(r"(?:at +|@ *)(?P<hour>\d{1,2})"), _hour, AT_END),
    Phrase(_words(r"(?:at +)?(?P<hour>\d{1,2}) +o['\u2019]?clock"), _hour),
    Phrase(_words(rf"(?:at +)?(?P<part>half|quarter) +(?P<side>past|to) +{_N}"), _quarter),
    Phrase(_words("at +(?:noon|midday)"), _always(TimeOfDay(12, is_exact=True))),
    Phrase(_words("noon|midday"), _always(TimeOfDay(12, is_exact=True)), AT_END),
    Phrase(_words("at +midnight"), _always(TimeOfDay(24, is_exact=True))),
    Phrase(_words("midnight"), _always(TimeOfDay(24, is_exact=True)), AT_END),
    Phrase(_words(rf"(?:in +the +(?!n)|at +(?=n))?{_PART}"), lambda match: _PARTS[match["part"]], BESIDE_ANOTHER),
)

# --- recurrence


def _repeat(match: re.Match[str], frequency: str, by: str = "", *, times: int = 1) -> Repeat:
    """Return what repeats at the interval `step`, from the completion if there is an `after`."""
    interval = _interval(group(match, "step")) * times
    return Repeat(frequency, interval, by=by, is_from_completion=bool(group(match, "after")))


def _unit(match: re.Match[str]) -> Repeat:
    return _repeat(match, _UNITS[match["unit"]], times=2 if match["unit"] == "fortnight" else 1)


def _interval(text: str | None) -> int:
    """Return the number in words such as "2", "2nd", "two", "second" and "other"."""
    if text is None:
        return 1
    return _NUMBERS.get(text) or _ORDINALS.get(text) or int(text.rstrip("stndrh"))


def _kind_of_day(match: re.Match[str]) -> Repeat:
    return _repeat(match, "WEEKLY", f"BYDAY={days.WEEKEND if match['kind'] == 'weekend' else days.WORKDAYS}")


def _part_of_day(match: re.Match[str]) -> Repeat:
    return Repeat("DAILY", part=_PARTS[match["part"]], is_from_completion=bool(group(match, "after")))


def _weekdays(match: re.Match[str]) -> Repeat:
    named = [_weekday(each) for each in re.findall(_WEEKDAY, match["list"])]
    return _repeat(match, "WEEKLY", days.by_weekdays(named))


def _except(match: re.Match[str]) -> Except:
    named = frozenset(_weekday(each) for each in re.findall(_WEEKDAY, match["list"]))
    return Except(
        named or frozenset({days.SATURDAY, days.SUNDAY} if match["list"].startswith("weekend") else range(5))
    )


def _weekday_range(match: re.Match[str]) -> Repeat | None:
    first, last = _weekday(match["first"]), _weekday(match["last"])
    return Repeat("WEEKLY", by=days.by_weekdays(list(range(first, last + 1)))) if first < last else None


def _month_days(match: re.Match[str]) -> Repeat:
    numbers = [int(each) for each in re.findall(r"\d+", match["list"])]
    return _repeat(match, "MONTHLY", days.by_month_days(numbers))


def _first_of_month(match: re.Match[str]) -> Repeat:
    return _repeat(match, "MONTHLY", days.by_month_days([1]))


def _nth_of_month(match: re.Match[str]) -> Repeat:
    nths, kind = [_interval(each) for each in re.findall(_NTH_NAME, match["nth"])], match["kind"]
    if kind == "day":
        by = days.by_month_days(nths)
    elif kind in ("weekday", "workday"):
        by = f"BYDAY={days.WORKDAYS};BYSETPOS={','.join(map(str, nths))}"
    else:
        by = "BYDAY=" + ",".join(f"{nth}{days.WEEKDAY_CODES[_weekday(kind)]}" for nth in nths)
    if month := group(match, "month"):
        return Repeat("YEARLY", by=f"BYMONTH={_month(month)};{by}")
    return _repeat(match, "MONTHLY", by)


def _nths_of_month(match: re.Match[str]) -> Repeat:
    pairs = re.findall(rf"({_NTH_NAME})[ ]+({_WEEKDAY})", match["pairs"])
    by = ",".join(f"{_interval(nth)}{days.WEEKDAY_CODES[_weekday(day)]}" for nth, day in pairs)
    return _repeat(match, "MONTHLY", f"BYDAY={by}")


def _yearly(match: re.Match[str]) -> Repeat:
    return _repeat(match, "YEARLY", days.by_date(_month(match["month"]), int(match["day"])))


_NTH_NAME = rf"(?:{_NTH}|first|second|third|fourth|fifth|last)"
_NTHS = rf"(?P<nth>{_NTH_NAME}(?:{_AND}{_NTH_NAME}){{0,4}})"
_KIND = rf"(?P<kind>day|weekday|workday|{_WEEKDAY})"
_NUMBER_WORD = "|".join(name for name in _NUMBERS if " " not in name)
_STEP = rf"(?:(?P<step>other|second|third|fourth|fifth|alternate|{_NTH}|\d{{1,3}}|{_NUMBER_WORD}) +)?"
_EACH_MONTH = rf"(?:{_EVERY}{_STEP}months?|monthly|once +a +month) +on +(?:the +)?"
_EACH_YEAR = rf"(?:{_EVERY}year|yearly|annually|once +a +year) +on +(?:the +)?"
_IN_MONTH = rf"{_EVERY}year +in +{_MONTH} +on +(?:the +)?"
_FORTNIGHTLY = "(?:bi-?weekly|fortnightly)"
_PAIR = rf"{_NTH_NAME} +{_WEEKDAY}"
_PLURALS = rf"(?P<list>(?:{_FULL_WEEKDAY})s(?:{_AND}(?:{_FULL_WEEKDAY})s){{0,6}})"
_EXCEPT = (
    rf"(?:except|excluding|but +not|apart +from)(?: +for)?(?: +on)? +(?P<list>{_WEEKDAY_LIST}|week(?:end|day)s)"
)
_LAST_OF_MONTH = Repeat("MONTHLY", by="BYMONTHDAY=-1")
_REPEATS = (
    Phrase(_words(rf"{_EVERY}{_STEP}(?P<unit>day|week|fortnight|month|year)s?"), _unit),
    Phrase(_words(r"once +a +(?P<unit>day|week|month|year)"), _unit, AT_END),
    Phrase(_words("|".join(_ADVERBS)), lambda match: _ADVERBS[match[0]], AT_END),
    Phrase(_words(rf"{_EVERY}quarter"), _always(Repeat("MONTHLY", 3))),
    Phrase(_words(rf"{_EVERY}(?P<kind>weekday|workday|business +day|working +day|weekend)s?"), _kind_of_day),
    Phrase(_words(r"on +(?P<kind>weekday|workday|weekend)s"), _kind_of_day),
    Phrase(_words(r"(?P<kind>weekday|workday|weekend)s"), _kind_of_day, AT_END),
    Phrase(_words(rf"{_EVERY}(?P<part>morning|afternoon|evening|night)"), _part_of_day),
    Phrase(_words(rf"{_EVERY}(?:(?P<step>other|second|alternate) +)?(?P<list>{_WEEKDAY_LIST})"), _weekdays),
    Phrase(_words(rf"(?:{_EVERY}{_STEP}weeks?|weekly|once +a +week) +on +(?P<list>{_WEEKDAY_LIST})"), _weekdays),
    Phrase(_words(_FORTNIGHTLY), _always(Repeat("WEEKLY", 2)), AT_END_OR_REPEATED),
    Phrase(
        _words(rf"{_FORTNIGHTLY} +on +(?P<list>{_WEEKDAY_LIST})"),
        lambda match: replace(_weekdays(match), interval=2),
    ),
    Phrase(
        _words(rf"{_EVERY}(?P<first>{_WEEKDAY})(?: +to +| *- *| +through +)(?P<last>{_WEEKDAY})"), _weekday_range
    ),
    Phrase(_words("mon *- *fri"), _always(Repeat("WEEKLY", by=f"BYDAY={days.WORKDAYS}")), BESIDE_ANOTHER),
    Phrase(_words(rf"(?:on +)?(?P<step>alternate) +{_PLURALS}"), _weekdays),
    Phrase(_words(rf"on +{_PLURALS}"), _weekdays),
    Phrase(_words(_PLURALS), _weekdays, AT_END),
    Phrase(_words(rf"{_EVERY}(?P<list>{_NTH_LIST}){_OF_MONTH}?"), _month_days),
    Phrase(_words(rf"{_EACH_MONTH}(?P<list>{_NTH_LIST})"), _month_days),
    Phrase(_words(rf"(?:on +)?(?:the +)?(?P<list>{_NTH_LIST}) +of +(?:each|every) +month"), _month_days),
    Phrase(_words(rf"{_EVERY}(?:end +of +(?:the +)?month|month +end)"), _always(_LAST_OF_MONTH)),
    Phrase(_words(r"(?:at +)?(?:the +)?end +of +(?:each|every) +month"), _always(_LAST_OF_MONTH)),
    Phrase(_words(rf"{_EVERY}first{_OF_MONTH}"), _first_of_month),
    # not in "on the first working day", which is another one
    Phrase(_words(rf"{_EACH_MONTH}first(?! +(?!at +\d)[a-z])"), _first_of_month),
    Phrase(_words(r"(?:the +)?first +of +(?:each|every) +month"), _first_of_month),
    Phrase(_words(rf"{_EVERY}{_NTHS} +{_KIND}{_OF_MONTH}"), _nth_of_month),
    Phrase(_words(rf"(?:the +)?{_NTHS} +{_KIND} +of +(?:each|every) +month"), _nth_of_month),
    Phrase(_words(rf"{_EVERY}(?P<nth>{_NTH}|first|third|fourth|last) +(?P<kind>{_WEEKDAY})"), _nth_of_month),
    Phrase(_words(rf"{_EVERY}(?P<nth>first|last) +(?P<kind>day)"), _nth_of_month),
    Phrase(_words(rf"{_EVERY}(?P<nth>{_NTH}|first|last) +(?P<kind>weekday|workday)"), _nth_of_month),
    Phrase(_words(rf"{_EACH_MONTH}{_NTHS} +{_KIND}"), _nth_of_month),
    Phrase(_words(rf"{_EACH_MONTH}(?P<pairs>{_PAIR}(?:{_AND}(?:the +)?{_PAIR}){{1,4}})"), _nths_of_month),
    Phrase(_words(rf"{_IN_MONTH}{_NTHS} +(?P<kind>{_WEEKDAY})"), _nth_of_month),
    Phrase(_words(rf"{_IN_MONTH}{_DAY_NUMBER}"), _yearly),
    Phrase(_words(rf"{_EACH_YEAR}{_NTHS} +(?P<kind>{_WEEKDAY}) +(?:in|of) +{_MONTH}"), _nth_of_month),
    *(Phrase(_words(every + date), _yearly) for every in (_EVERY, _EACH_YEAR) for date in _DATES),
    *(Phrase(_words(pattern), _except, AT_END) for pattern in (_EXCEPT, rf"\({_EXCEPT}\)")),
    Phrase(_words("(?:counted +from|after) +completion"), _always(FromCompletion()), BESIDE_ANOTHER),
    Phrase(_words(r"(?:for +)?(?P<n>\d{1,9}) +times"), lambda match: Times(int(match["n"])), BESIDE_ANOTHER),
    Phrase(_words(rf"for +{_N} +{_UNIT}"), lambda match: Lasting(_later(match).days), BESIDE_ANOTHER),
)

_LINKS = {
    Purpose.DUE: "on|by|before|due:?|due +on|due +by",
    Purpose.START: "starting|starting +on|starting +from|starts|beginning|from",
    Purpose.UNTIL: "until|till|til|ending|ending +on|through|to",
    Purpose.EXCEPT: "except|excluding",
    Purpose.OTHER: "for|of|about|since|than|between|after|last|past|the",
    Purpose.AND: "and|or",
}

LANGUAGE = Language(
    (
        *_DAYS,
        *_TIMES,
        *_REPEATS,
        *(Phrase(_words(words), _always(Link(purpose)), BESIDE_ANOTHER) for purpose, words in _LINKS.items()),
    ),
)
