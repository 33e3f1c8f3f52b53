"""Recurrence in Chinese."""

from __future__ import annotations

import re
from dataclasses import replace

from todo_project.quick_add.services import days
from todo_project.quick_add.services.languages.zh.vocabulary import (
    BEFORE_AN_HOUR,
    FREQUENCIES,
    HOUR_AFTER,
    LONG_PART,
    MONTH_DAY,
    NTH,
    PARTS,
    SEASONS,
    UNITS,
    WEEK,
    WEEKDAYS,
    WHOLE,
    N,
    always,
    nth_of,
    number_of,
    weekdays_of,
)
from todo_project.quick_add.services.meanings import (
    AT_AN_END,
    BESIDE_ANOTHER,
    Except,
    FromCompletion,
    Phrase,
    Repeat,
    Times,
)
from todo_project.quick_add.services.text import group


def _unit(match: re.Match[str]) -> Repeat:
    number, unit = group(match, "n"), UNITS[match["unit"]]
    if number is None:
        return Repeat(FREQUENCIES[unit], 2 if group(match, "skipped") else 1)
    return Repeat(FREQUENCIES[unit], number_of(number) + (1 if group(match, "skipped") else 0))


def _every_part(match: re.Match[str]) -> Repeat:
    return Repeat("DAILY", part=PARTS[match["part"]])


def _every_weekday(match: re.Match[str]) -> Repeat:
    step = number_of(group(match, "n") or "1") + (1 if group(match, "skipped") else 0)
    return Repeat("WEEKLY", step, by=days.by_weekdays(weekdays_of(match["list"])))


def _except(match: re.Match[str]) -> Except:
    return Except(frozenset([*weekdays_of(match["list"]), *([days.SUNDAY] if "末" in match["list"] else [])]))


def _weekday_range(match: re.Match[str]) -> Repeat | None:
    first, last = WEEKDAYS[match["first"]], WEEKDAYS[match["last"]]
    return Repeat("WEEKLY", by=days.by_weekdays(list(range(first, last + 1)))) if first < last else None


def _every_month_day(match: re.Match[str]) -> Repeat | None:
    numbers = [number_of(each) for each in re.findall(N, match["list"])]
    is_possible = all(1 <= number <= 31 for number in numbers)
    step = group(match, "n")
    return Repeat("MONTHLY", number_of(step or "1"), by=days.by_month_days(numbers)) if is_possible else None


def _every_nth_weekday(match: re.Match[str]) -> Repeat | None:
    pairs = [(nth_of(nth), WEEKDAYS[weekday]) for nth, weekday in re.findall(_NTH_AND_WEEKDAY, match["list"])]
    if not all(nth == -1 or 1 <= nth <= 5 for nth, _ in pairs):
        return None
    by = "BYDAY=" + ",".join(f"{nth}{days.WEEKDAY_CODES[weekday]}" for nth, weekday in pairs)
    if month := match["month"]:
        return Repeat("YEARLY", by=f"BYMONTH={number_of(month)};{by}")
    return Repeat("MONTHLY", number_of(match["n"]) if match["n"] else 1, by=by)


def _every_nth_workday(match: re.Match[str]) -> Repeat:
    return Repeat("MONTHLY", by=f"BYDAY={days.WORKDAYS};BYSETPOS={nth_of(match['nth'])}")


def _every_date(match: re.Match[str]) -> Repeat | None:
    month, day = number_of(match["month"]), number_of(match["day"])
    return Repeat("YEARLY", by=days.by_date(month, day)) if 1 <= month <= 12 and 1 <= day <= 31 else None


# what a number counts in "每周三次" and "每周三小时", which are no Wednesdays
_COUNTED = "[次遍趟]|本书|个?小时|公里"
_ANY_WEEKDAY = f"[一二三四五六日天](?!点|{_COUNTED})"
_WEEKDAY_LIST = f"{_ANY_WEEKDAY}(?:(?:[和、,及与])?{WEEK}?{_ANY_WEEKDAY}){{0,6}}"
_EVERY_WEEK = f"(?:每逢?个?|逢){WEEK}"
# in digits, as in "每周2"; "每周2次" and "每周3本书" count something else
_MEASURES = "次回遍天日个小分点时到至趟节篇本公千里米瓶杯元块套组页章话集堂场封斤件条张位人门课"
_NOT_A_NUMBER = f"(?![-0-9:.%、和{_MEASURES}])"
_NUMBERED = f"[1-7](?:[和、,及与][1-7]){{0,6}}{_NOT_A_NUMBER}"
_NTH_WEEKDAY = f"(?:{NTH}) ?个?{WEEK}{_ANY_WEEKDAY}"
_NTH_AND_WEEKDAY = f"({NTH}) ?个?{WEEK}({_ANY_WEEKDAY})"
_SOME_WEEKDAYS = f"{WEEK}(?P<list>{_WEEKDAY_LIST}|末)"
_EXCEPTIONS = tuple(
    re.compile(pattern)
    for each in (f"除了?每?{_SOME_WEEKDAYS}(?:[之以]?外)?", f"{_SOME_WEEKDAYS}除外")
    for pattern in (each, rf"\({each}\)")
)
REPEATS = (
    Phrase(
        re.compile(r"每[天日](?:一次(?!性))?(?![的都]|新闻|优鲜|坚果)"),
        always(Repeat("DAILY")),
        AT_AN_END,
    ),
    Phrase(
        re.compile(
            f"每个?(?P<unit>周|星期|礼拜|月|年)(?:一次(?!性))?(?![的都报刊初中末底第]|倒数|农历|阴历|{SEASONS}|{N}月)"
        ),
        _unit,
        AT_AN_END,
    ),
    Phrase(re.compile("每个?(?:季度|季)(?![的都度初中末底报刊])"), always(Repeat("MONTHLY", 3)), AT_AN_END),
    Phrase(re.compile("每半年(?:一次(?!性))?"), always(Repeat("MONTHLY", 6)), AT_AN_END),
    Phrase(
        re.compile(f"每(?P<skipped>隔)?(?P<n>{N})个?(?P<unit>天|日|周|星期|礼拜|月|年)(?:一次(?!性))?(?![的都])"),
        _unit,
    ),
    Phrase(re.compile(f"{WHOLE}(?P<n>{N})个?(?P<unit>天|周|星期|礼拜|月|年)一次(?!性)"), _unit),
    Phrase(re.compile("(?P<skipped>隔)(?P<unit>[天日周月年])(?:一次(?!性))?(?!壁|刊|送达)"), _unit, AT_AN_END),
    Phrase(re.compile(f"(?P<skipped>隔){WEEK}的?{WEEK}?(?P<list>{_WEEKDAY_LIST})"), _every_weekday),
    Phrase(re.compile(f"每天?(?P<part>{LONG_PART})(?![和及与、]|{HOUR_AFTER})"), _every_part),
    Phrase(re.compile("每(?P<part>[早晚])上?"), _every_part),
    Phrase(
        re.compile(f"{WEEK}(?P<first>{_ANY_WEEKDAY})[到至\\-~]{WEEK}?(?P<last>{_ANY_WEEKDAY}) ?每天"),
        _weekday_range,
    ),
    Phrase(
        re.compile(
            f"(?<![上下这本个])周(?P<first>{_ANY_WEEKDAY})[到至\\-~]周(?P<last>{_ANY_WEEKDAY}){BEFORE_AN_HOUR}"
        ),
        _weekday_range,
        BESIDE_ANOTHER,
    ),
    Phrase(
        re.compile(f"每双周的?{WEEK}?(?P<list>{_WEEKDAY_LIST})"),
        lambda match: replace(_every_weekday(match), interval=2),
    ),
    Phrase(re.compile("每双周(?![报刊的])"), always(Repeat("WEEKLY", 2)), AT_AN_END),
    Phrase(
        re.compile(f"(?<![个下上首末前后几一二两三四五六七八九十])工作日{BEFORE_AN_HOUR}"),
        always(Repeat("WEEKLY", by=f"BYDAY={days.WORKDAYS}")),
        BESIDE_ANOTHER,
    ),
    Phrase(re.compile("工作日每天|每个?工作日"), always(Repeat("WEEKLY", by=f"BYDAY={days.WORKDAYS}"))),
    Phrase(re.compile("每个?周末"), always(Repeat("WEEKLY", by=f"BYDAY={days.WEEKEND}"))),
    Phrase(re.compile(f"{_EVERY_WEEK}(?P<list>{_WEEKDAY_LIST}|{_NUMBERED})"), _every_weekday),
    Phrase(re.compile(f"{_EVERY_WEEK}的?{WEEK}(?P<list>{_WEEKDAY_LIST})"), _every_weekday),
    Phrase(re.compile(f"每(?P<skipped>隔)?(?P<n>{N})个?{WEEK}的?{WEEK}?(?P<list>{_WEEKDAY_LIST})"), _every_weekday),
    Phrase(
        re.compile(f"{_EVERY_WEEK}(?P<first>{_ANY_WEEKDAY})[到至\\-~]{WEEK}?(?P<last>{_ANY_WEEKDAY})"),
        _weekday_range,
    ),
    *(Phrase(pattern, _except, AT_AN_END) for pattern in _EXCEPTIONS),
    Phrase(re.compile(f"{_EVERY_WEEK}(?P<first>[1-7])[到至\\-~](?P<last>[1-7]){_NOT_A_NUMBER}"), _weekday_range),
    Phrase(re.compile("从完成之日算起|完成后算起"), always(FromCompletion()), BESIDE_ANOTHER),
    Phrase(
        re.compile(f"每(?P<n>{N})?个?月的?(?P<list>{N}[日号]?(?:[和、,及与]{N}[日号]?){{0,9}})(?<=[日号])"),
        _every_month_day,
    ),
    # a range of days, which no rule has
    Phrase(re.compile(f"每个?月的?{N}[日号]?[到至\\-~]{N}[日号]"), always(None)),
    Phrase(re.compile("每个?月的?(?:最后一天|月?底|月?末)"), always(Repeat("MONTHLY", by="BYMONTHDAY=-1"))),
    Phrase(
        re.compile("每个?月的?(?:第一天|月?初)(?![一二三四五六七八九十])"),
        always(Repeat("MONTHLY", by="BYMONTHDAY=1")),
    ),
    Phrase(
        re.compile(
            f"(?:每(?P<n>{N})?个?月|每年(?P<month>{N})月)的?(?P<list>{_NTH_WEEKDAY}(?:[和、,及与]{_NTH_WEEKDAY}){{0,4}})"
        ),
        _every_nth_weekday,
    ),
    Phrase(re.compile(f"每个?月的?(?P<nth>{NTH}) ?个?工作日"), _every_nth_workday),
    Phrase(re.compile(f"每年的?{MONTH_DAY}"), _every_date),
    Phrase(
        re.compile(f"(?:总共|重复|(?:(?<![周期拜])一)?共)(?P<n>{N})次"),
        lambda match: Times(number_of(match["n"])),
        BESIDE_ANOTHER,
    ),
)
