"""Recurrence in English."""

from __future__ import annotations

import re
from dataclasses import replace

from todo_project.quick_add.services import days
from todo_project.quick_add.services.languages.en.dates import read_later
from todo_project.quick_add.services.languages.en.vocabulary import (
    ADVERBS,
    AND,
    DATES,
    DAY_NUMBER,
    EVERY,
    FULL_WEEKDAY,
    MONTH,
    NOT_A_NOUN,
    NTH,
    NTH_LIST,
    NUMBERS,
    OF_MONTH,
    ORDINALS,
    PART,
    PARTS,
    SHORT_UNIT,
    UNIT,
    UNITS,
    WEEKDAY,
    WEEKDAY_LIST,
    N,
    always,
    month_of,
    unit_of,
    weekday_of,
    words,
)
from todo_project.quick_add.services.meanings import (
    AT_END,
    AT_END_OR_REPEATED,
    BESIDE_ANOTHER,
    Except,
    FromCompletion,
    Lasting,
    Phrase,
    Repeat,
    Times,
)
from todo_project.quick_add.services.text import group


def _repeat(match: re.Match[str], frequency: str, by: str = "", *, times: int = 1) -> Repeat:
    """Return what repeats at the interval `step`, from the completion if there is an `after`."""
    interval, part = _interval(group(match, "step")) * times, PARTS.get(group(match, "part") or "")
    return Repeat(frequency, interval, by=by, part=part, is_from_completion=bool(group(match, "after")))


def _unit(match: re.Match[str]) -> Repeat:
    return _repeat(match, UNITS[unit_of(match["unit"])], times=2 if match["unit"] == "fortnight" else 1)


def _interval(text: str | None) -> int:
    """Return the number in words such as "2", "2nd", "two", "second" and "other"."""
    if text is None:
        return 1
    return NUMBERS.get(text) or ORDINALS.get(text) or int(text.rstrip("stndrh"))


def _kind_of_day(match: re.Match[str]) -> Repeat:
    return _repeat(match, "WEEKLY", f"BYDAY={days.WEEKEND if match['kind'] == 'weekend' else days.WORKDAYS}")


def _part_of_day(match: re.Match[str]) -> Repeat:
    return _repeat(match, "DAILY")


def _weekdays(match: re.Match[str]) -> Repeat:
    named = [weekday_of(each) for each in re.findall(WEEKDAY, match["list"])]
    return _repeat(match, "WEEKLY", days.by_weekdays(named))


def _except(match: re.Match[str]) -> Except:
    named = frozenset(weekday_of(each) for each in re.findall(WEEKDAY, match["list"]))
    return Except(
        named or frozenset({days.SATURDAY, days.SUNDAY} if match["list"].startswith("weekend") else range(5))
    )


def _weekday_range(match: re.Match[str]) -> Repeat | None:
    first, last = weekday_of(match["first"]), weekday_of(match["last"])
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
        by = "BYDAY=" + ",".join(f"{nth}{days.WEEKDAY_CODES[weekday_of(kind)]}" for nth in nths)
    if month := group(match, "month"):
        return Repeat("YEARLY", by=f"BYMONTH={month_of(month)};{by}")
    return _repeat(match, "MONTHLY", by)


def _nths_of_month(match: re.Match[str]) -> Repeat:
    pairs = re.findall(rf"({_NTH_NAME})[ ]+({WEEKDAY})", match["pairs"])
    by = ",".join(f"{_interval(nth)}{days.WEEKDAY_CODES[weekday_of(day)]}" for nth, day in pairs)
    return _repeat(match, "MONTHLY", f"BYDAY={by}")


def _yearly(match: re.Match[str]) -> Repeat:
    return _repeat(match, "YEARLY", days.by_date(month_of(match["month"]), int(match["day"])))


_NTH_NAME = rf"(?:{NTH}|first|second|third|fourth|fifth|last)"
_NTHS = rf"(?P<nth>{_NTH_NAME}(?:{AND}{_NTH_NAME}){{0,4}})"
_KIND = rf"(?P<kind>day|weekday|workday|{WEEKDAY})"
_NUMBER_WORD = "|".join(name for name in NUMBERS if " " not in name)
_STEP = rf"(?:(?P<step>other|second|third|fourth|fifth|alternate|{NTH}|\d{{1,3}}|{_NUMBER_WORD}) +)?"
_EACH_MONTH = rf"(?:{EVERY}{_STEP}months?|monthly|once +a +month) +on +(?:the +)?"
_EACH_YEAR = rf"(?:{EVERY}year|yearly|annually|once +a +year) +on +(?:the +)?"
_IN_MONTH = rf"{EVERY}year +in +{MONTH} +on +(?:the +)?"
_FORTNIGHTLY = "(?:bi-?weekly|fortnightly)"
_PAIR = rf"{_NTH_NAME} +{WEEKDAY}"
_PLURALS = rf"(?P<list>(?:{FULL_WEEKDAY})s(?:{AND}(?:{FULL_WEEKDAY})s){{0,6}})"
_EXCEPT = (
    rf"(?:except|excluding|but(?: +not)?|apart +from)(?: +for)?(?: +on)? +(?P<list>{WEEKDAY_LIST}|week(?:end|day)s)"
)
# "based on monthly", "paid by weekly" and "twice daily" are about something else
_NOT_BEHIND = "".join(rf"(?<!\b{word} )" for word in ("on", "by", "before", "twice", "times"))
_ADVERB = rf"(?:{'|'.join(ADVERBS)})"
_LAST_OF_MONTH = Repeat("MONTHLY", by="BYMONTHDAY=-1")
REPEATS = (
    Phrase(words(rf"{EVERY}{_STEP}(?P<unit>day|week|fortnight|month|year)s?"), _unit),
    Phrase(words(r"once +a +(?P<unit>day|week|fortnight|month|year)"), _unit, AT_END),
    Phrase(words(rf"(?={_ADVERB}){NOT_A_NOUN}{_NOT_BEHIND}{_ADVERB}"), lambda match: ADVERBS[match[0]], AT_END),
    Phrase(words(rf"{EVERY}(?P<step>\d{{1,3}}) *{SHORT_UNIT}"), _unit),
    Phrase(words(rf"{EVERY}quarter"), always(Repeat("MONTHLY", 3))),
    Phrase(words(rf"{EVERY}half[ -]?year"), always(Repeat("MONTHLY", 6))),
    Phrase(words(rf"{EVERY}(?P<kind>weekday|workday|business +day|working +day|weekend)s?"), _kind_of_day),
    Phrase(words(r"(?:on|at)(?: +the)? +(?P<kind>weekday|workday|weekend)s"), _kind_of_day),
    Phrase(words(r"(?P<kind>weekday|workday|weekend)s"), _kind_of_day, AT_END),
    Phrase(words(rf"{EVERY}{PART}"), _part_of_day),
    Phrase(words(rf"on +(?P<kind>weekday|workday|weekend) +{PART}s"), _kind_of_day),
    Phrase(words(rf"(?P<kind>weekday|workday|weekend) +{PART}s"), _kind_of_day, AT_END),
    Phrase(words(rf"on +(?P<list>{WEEKDAY_LIST}) +{PART}s"), _weekdays),
    Phrase(words(rf"(?P<list>{WEEKDAY_LIST}) +{PART}s"), _weekdays, AT_END),
    Phrase(words(rf"{EVERY}(?P<step>[2-9]|two|three|four) +(?P<list>(?:{FULL_WEEKDAY})s)"), _weekdays),
    Phrase(words(rf"{EVERY}(?:(?P<step>other|second|alternate) +)?(?P<list>{WEEKDAY_LIST})"), _weekdays),
    Phrase(words(rf"(?:{EVERY}{_STEP}weeks?|weekly|once +a +week) +on +(?P<list>{WEEKDAY_LIST})"), _weekdays),
    Phrase(words(_FORTNIGHTLY), always(Repeat("WEEKLY", 2)), AT_END_OR_REPEATED),
    Phrase(
        words(rf"{_FORTNIGHTLY} +on +(?P<list>{WEEKDAY_LIST})"),
        lambda match: replace(_weekdays(match), interval=2),
    ),
    Phrase(words(rf"{EVERY}(?P<first>{WEEKDAY})(?: +to +| *- *| +through +)(?P<last>{WEEKDAY})"), _weekday_range),
    Phrase(words("mon *- *fri"), always(Repeat("WEEKLY", by=f"BYDAY={days.WORKDAYS}")), BESIDE_ANOTHER),
    Phrase(words(rf"(?:on +)?(?P<step>alternate) +{_PLURALS}"), _weekdays),
    Phrase(words(rf"on +{_PLURALS}"), _weekdays),
    Phrase(words(_PLURALS), _weekdays, AT_END),
    Phrase(words(rf"{EVERY}(?P<list>{NTH_LIST}){OF_MONTH}?"), _month_days),
    Phrase(words(rf"{_EACH_MONTH}(?P<list>{NTH_LIST})"), _month_days),
    Phrase(words(rf"(?:on +)?(?:the +)?(?P<list>{NTH_LIST}) +of +(?:each|every) +month"), _month_days),
    Phrase(words(rf"{EVERY}(?:end +of +(?:the +)?month|month +end)"), always(_LAST_OF_MONTH)),
    Phrase(words(r"(?:at +)?(?:the +)?end +of +(?:each|every) +month"), always(_LAST_OF_MONTH)),
    Phrase(words(rf"{EVERY}first{OF_MONTH}"), _first_of_month),
    # not in "on the first working day", which is another one
    Phrase(words(rf"{_EACH_MONTH}first(?! +(?!at +\d)[a-z])"), _first_of_month),
    Phrase(words(r"(?:the +)?first +of +(?:each|every) +month"), _first_of_month),
    Phrase(words(rf"{EVERY}{_NTHS} +{_KIND}{OF_MONTH}"), _nth_of_month),
    Phrase(words(rf"{EVERY}{_NTHS} +(?P<kind>{WEEKDAY}) +(?:of|in) +{MONTH}"), _nth_of_month),
    Phrase(words(rf"{EVERY}(?P<nth>{_NTH_NAME}(?:{AND}{_NTH_NAME}){{1,4}}) +(?P<kind>{WEEKDAY})"), _nth_of_month),
    Phrase(words(rf"(?:the +)?{_NTHS} +{_KIND} +of +(?:each|every) +month"), _nth_of_month),
    Phrase(words(rf"{EVERY}(?P<nth>{NTH}|first|third|fourth|last) +(?P<kind>{WEEKDAY})"), _nth_of_month),
    Phrase(words(rf"{EVERY}(?P<nth>first|last) +(?P<kind>day)"), _nth_of_month),
    Phrase(words(rf"{EVERY}(?P<nth>{NTH}|first|last) +(?P<kind>weekday|workday)"), _nth_of_month),
    Phrase(words(rf"{_EACH_MONTH}{_NTHS} +{_KIND}"), _nth_of_month),
    Phrase(words(rf"{_EACH_MONTH}(?P<pairs>{_PAIR}(?:{AND}(?:the +)?{_PAIR}){{1,4}})"), _nths_of_month),
    Phrase(words(rf"{_IN_MONTH}{_NTHS} +(?P<kind>{WEEKDAY})"), _nth_of_month),
    Phrase(words(rf"{_IN_MONTH}{DAY_NUMBER}"), _yearly),
    Phrase(words(rf"{_EACH_YEAR}{_NTHS} +(?P<kind>{WEEKDAY}) +(?:in|of) +{MONTH}"), _nth_of_month),
    *(Phrase(words(every + date), _yearly) for every in (EVERY, _EACH_YEAR) for date in DATES),
    *(Phrase(words(pattern), _except, AT_END) for pattern in (_EXCEPT, rf"\({_EXCEPT}\)")),
    Phrase(words("(?:counted +from|after) +completion"), always(FromCompletion()), BESIDE_ANOTHER),
    Phrase(words(r"(?:for +)?(?P<n>\d{1,9}) +times"), lambda match: Times(int(match["n"])), BESIDE_ANOTHER),
    Phrase(words(rf"for +{N} +{UNIT}"), lambda match: Lasting(read_later(match).days), BESIDE_ANOTHER),
)
