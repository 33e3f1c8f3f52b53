"""What to write instead of something that a filter does not have, such as `AND`, `==`, `tag:` and `12/25`."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping

# what other programs, and people, call these fields and states
FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("tag", "tags", "labels", "标签"), "label"),
    **dict.fromkeys(("list", "folder", "项目", "清单"), "project"),
    **dict.fromkeys(("name", "content", "标题"), "title"),
    **dict.fromkeys(("note", "notes", "body", "描述", "备注"), "description"),
    **dict.fromkeys(("owner", "user", "person", "assigned", "负责人"), "assignee"),
    **dict.fromkeys(("date", "duedate", "due_date", "截止", "截止日期", "到期"), "due"),
    **dict.fromkeys(("done", "finished"), "completed"),
    **dict.fromkeys(("status", "state", "状态"), "is"),
    **dict.fromkeys(("prio", "优先级"), "priority"),
    "modified": "updated",
    "without": "no",
}
STATES: Mapping[str, str] = {
    **dict.fromkeys(("completed", "complete", "closed", "finished", "完成", "已完成"), "done"),
    **dict.fromkeys(("active", "incomplete", "todo", "undone", "未完成"), "open"),
    **dict.fromkeys(("recurrent", "repeating", "重复"), "recurring"),
    **dict.fromkeys(("late", "过期", "逾期"), "overdue"),
}
_DAY_NAMES = ("today", "tomorrow", "yesterday")
_BASES = (*_DAY_NAMES, "now")
_DAYS: Mapping[str, str] = {
    **dict.fromkeys(("今天", "今日"), "today"),
    **dict.fromkeys(("明天", "明日", "tmr", "tmrw"), "tomorrow"),
    **dict.fromkeys(("昨天", "昨日"), "yesterday"),
    "后天": "today+2d",
    "现在": "now",
}

_ONE_SIGN: Mapping[str, str] = {"≥": ">=", "≤": "<=", "≠": "!="}
_PARENTHESES: Mapping[str, str] = {
    "the end": "Close the parentheses that are open.",
    ")": "Remove it, or open a parenthesis before it.",
}

# patterns that end or begin where a filter cannot be parsed
_SYNTAX = tuple(
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, hint in (
        (r"\band\b|&&|且", "For and, write & between two conditions."),
        (r"\bor\b|\|\||或者?", "For or, write | between two conditions."),
        (r"(?<![:=<>])\bnot\b\s*|[非不]", "For not, write ! before a condition."),
        (r"==", "To compare, write = once."),
        (r"<>|=!", "For not equal, write !=."),
        (r"=>|=<", "Write >= or <=."),
        (r"(?<=[:=<>])\s*['\u2018][^'\u2019]*", "Write \" around it, not '."),
        (r"\d{4}-\d\d?-\d\d?[t ]\d\d?:?", 'Put a time in quotes, such as "2026-11-30T09:00".'),
        (r"(?<=\s)[+-]\s*\d*", "Write dates without spaces, such as today+7d."),
    )
)
_NAMES = "Put names with spaces or operators in quotes."


def for_syntax(text: str, position: int, expected: Iterable[str]) -> str:
    """Return what to write where a text cannot be parsed; it is without what is in quotes."""
    for pattern, hint in _SYNTAX:
        if any(match.start() <= position <= match.end() for match in pattern.finditer(text)):
            return hint
    found = text[position : position + 1] or "the end"
    if found in '"\uff02\u201c\u201d':
        return "Put a quote at the end of what begins here."
    if "QUOTED" in expected:
        return "Write the value here, in quotes if it has spaces or operators."
    if "WORD" in expected:
        return (
            f"Write {'a field, such as title,' if found in ':=<>' else 'a condition, such as overdue,'} before it."
        )
    if "OPERATOR" in expected and found not in "()!":
        return "Between a field and its value, write an operator, such as due:today."
    return _PARENTHESES.get(found, _NAMES)


def for_word(word: str, fields: Iterable[str], states: Iterable[str]) -> str:
    """Return the condition that is meant by a word without an operator."""
    if found := re.fullmatch("p([1-4])", word):
        return f"priority:{5 - int(found[1])}"
    for sign, field in (("#", "project"), ("@", "label"), ("+", "assignee")):
        if word.startswith(sign) and len(word) > 1:
            return f"{field}:{word[1:]}"
    day = _DAYS.get(word, word)
    if day in _DAY_NAMES:
        return f"due:{day}"
    if found := re.fullmatch("(.+?)([≥≤≠])(.+)", word):
        return f"{found[1]}{_ONE_SIGN[found[2]]}{found[3]}"
    state = STATES.get(word, word)
    if state in states:
        return f"is:{state}"
    field = FIELDS.get(word, word)
    return f"no:{field}" if field in fields and field not in ("is", "no", "in", "text") else f"title:{word}"


def for_date(text: str) -> str:
    """Return how to write a date or time that is not one; the text is in lower case."""
    word = re.split("[+-]", text)[0].strip()
    if word in _BASES:
        return (
            f"After {word}, write steps such as +7d, without spaces: + or -, a number of at most four digits, "
            "and h, d, w, m or y."
        )
    nearest = [_DAYS[word]] if word in _DAYS else difflib.get_close_matches(word, _BASES, n=1, cutoff=0.75)
    if nearest:
        return f"Did you mean {nearest[0]!r}?"
    return next((hint for pattern, hint in _DATES if re.search(pattern, text)), _written(text) or _ANY_DATE)


_ANY_DATE = (
    "Use today, tomorrow, yesterday, now, a date such as 2026-11-30, or a time in quotes such as "
    '"2026-11-30T09:00", and add or subtract h, d, w, m or y: today+7d.'
)
_WEEKDAYS = "Weekdays are not known. Use a date such as 2026-11-30, or count from today, such as today+3d."
_OFFSET = "Leave the offset out: times are in the time zone of your profile."
_DATES = (
    ("^(?:null|none|empty|never|无|没有)$", "For tasks without one, write no: and the field, such as no:due."),
    (r"^[+-]?\d{1,4} ?[hdwmy]", "Count from today or now, such as today+7d."),
    (
        r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b|周[一二三四五六日天末]|星期|礼拜",
        _WEEKDAYS,
    ),
    (r"week|month|year|周|月$|年$", "For a range, write two conditions, such as due>=today & due<today+7d."),
    (r"^\d{4}-\d\d-\d\d \d", 'Write a T between the day and the time, such as "2026-11-30T09:00".'),
    (r"^\d{4}-\d\d-\d\dt.*(?:z|[+-]\d\d:?\d\d)$", _OFFSET),
)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})[日号]?", re.ASCII)
_NUMBERS = re.compile(r"\d{1,2}[-/.月]\d{1,2}(?:[-/.]\d{2,4}|[日号.])?", re.ASCII)


def _written(text: str) -> str | None:
    """Return how to write a date that has another form."""
    if found := _YEAR_FIRST.fullmatch(text):
        try:
            return f"Write {dt.date(*(int(part) for part in found.groups()))}."
        except ValueError:
            return None
    return "Write the year, the month and the day, such as 2026-11-30." if _NUMBERS.fullmatch(text) else None
