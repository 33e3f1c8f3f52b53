"""Days in Chinese."""

from __future__ import annotations

import datetime as dt
import re

from todo_project.quick_add.services import days
from todo_project.quick_add.services.languages.zh.vocabulary import (
    MINUTES_OF,
    MONTH_DAY,
    NAMED_DAYS,
    NOT_A_DAY,
    NOT_OF,
    NTH,
    ONES,
    PARTS,
    SEASONS,
    SHORT_UNIT,
    UNITS,
    WEEK,
    WEEK_NAME,
    WEEKDAYS,
    WEEKS,
    WHOLE,
    N,
    always,
    nth_of,
    number_of,
)
from todo_project.quick_add.services.meanings import AT_AN_END, AT_START, After, Day, Phrase
from todo_project.quick_add.services.text import group


def _named_day(match: re.Match[str]) -> Day:
    number = NAMED_DAYS[match["day"]] + match[0].count("大")
    part = group(match, "part")
    return Day(days.later(number, "day"), part=PARTS[part] if part else None)


def _weekday(match: re.Match[str]) -> Day:
    week, weekday = group(match, "week"), WEEKDAYS[match["weekday"]]
    if week is None:
        return Day(days.coming(weekday), weekday=weekday)
    return Day(days.in_week(WEEKS[week], weekday))


def _date(match: re.Match[str]) -> Day | None:
    year, month, day = match["year"], number_of(match["month"]), number_of(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if year in NAMED_DAYS:
        return Day(days.in_year(NAMED_DAYS[year], month, day))
    return Day(days.on(number_of(year) if year else None, month, day))


def _day_of_month(match: re.Match[str]) -> Day | None:
    which, day = group(match, "which"), number_of(match["day"])
    if not 1 <= day <= 31:
        return None
    return Day(days.on_day(day) if which is None else days.in_month(WEEKS[which], day))


def _edge_of_month(match: re.Match[str]) -> Day | None:
    """Return the first, middle or last day of a month."""
    day, which = _EDGES[match["edge"]], group(match, "which")
    if name := group(match, "month"):
        month = number_of(name)
        if not 1 <= month <= 12:
            return None
        return Day(days.on_last_of(month) if day == -1 else days.on(None, month, day))
    if which or day == -1:
        return Day(days.in_month(WEEKS.get(which or "", 0), day))
    return Day(days.on_day(day))


def _nth_weekday(match: re.Match[str]) -> Day | None:
    nth, weekday, name = nth_of(match["nth"]), WEEKDAYS[match["weekday"]], match["month"]
    of = days.the_months(number_of(name)) if name else days.the_month(WEEKS[match["which"]])
    return Day(days.on_nth_weekday(nth, weekday, of)) if nth == -1 or 1 <= nth <= 5 else None


def _later(match: re.Match[str]) -> Day:
    return Day(days.later(number_of(match["n"]), UNITS[match["unit"]]))


def _delay(match: re.Match[str]) -> After:
    unit = MINUTES_OF.get(match["unit"], 60)
    if match["n"] == "半":
        return After(dt.timedelta(minutes=unit / 2))
    number = float(match["n"]) if "." in match["n"] else number_of(match["n"])
    return After(dt.timedelta(minutes=number * unit + (unit / 2 if match["half"] else 0)))


_EDGES = {"初": 1, "中": 15, "底": -1, "末": -1, "最后一天": -1}
# "八月初八" is a date of the lunar calendar, and "12月中国行" is no 12月中
_BEGINNING, _MIDDLE = f"初(?!{ONES}|[十中级高恋])", "中(?![旬国奖考学心医秋午间桂])"
_EDGE = f"底(?!薪)|末(?!日)|{_BEGINNING}|{_MIDDLE}|最后一天"
# "学习两小时后" says how long the learning takes, "提醒我两小时后" when to remind
NOT_OF_A_VERB = "(?:(?<![一-龥])|(?<=[我你他她们在于请约]))"
DAYS = (
    Phrase(re.compile("(?P<day>[今明])儿个?(?![童子女])"), _named_day),
    Phrase(re.compile(f"(?P<day>[今明])天(?!之(?![前内])|会更好){NOT_OF}"), _named_day),
    # in the middle, as in "看今日说法", it is a name
    Phrase(re.compile(f"(?P<day>[今明])日(?!头条|份|之(?![前内])){NOT_OF}"), _named_day, AT_AN_END),
    Phrase(re.compile(f"(?<![大今明])大{{0,2}}(?P<day>后)天(?!性){NOT_OF}"), _named_day),
    Phrase(re.compile(f"(?P<day>昨)天{NOT_OF}"), _named_day, AT_AN_END),
    Phrase(re.compile(f"(?P<day>[今明])(?P<part>早上?|晚上?)(?![报会宴]){NOT_OF}"), _named_day),
    Phrase(re.compile(f"(?P<week>{WEEK_NAME})个?{WEEK}(?P<weekday>[一二三四五六日天末]){NOT_OF}"), _weekday),
    Phrase(
        re.compile(
            f"(?<!上)(?<!个)(?<![单双])(?<!黑色)(?<![一二三四五六][-/~]){WEEK}(?P<weekday>[一二三四五六日天])(?![至到\\-/~报刊次]|餐厅){NOT_OF}"
        ),
        _weekday,
    ),
    Phrase(
        re.compile("周末(?!愉快|快乐|的|狂欢|特价|版|班|卡)"),
        always(Day(days.coming(days.SATURDAY, from_today=True))),
        AT_AN_END,
    ),
    Phrase(re.compile("下一?个工作日"), always(Day(days.next_workday))),
    Phrase(
        re.compile(f"(?P<week>下下?)个?{WEEK}初?(?![一二三四五六日天末中])"),
        lambda match: Day(days.in_week(WEEKS[match["week"]], 0)),
        AT_AN_END,
    ),
    Phrase(
        re.compile("(?P<week>下下?)个?月(?![上中下]旬|[初中底末]|第|最后)"),
        lambda match: Day(days.in_month(WEEKS[match["week"]], 1)),
        AT_AN_END,
    ),
    Phrase(
        re.compile(f"明年(?:年?初)?(?!{SEASONS}|[上下]半年|第)"),
        always(Day(days.in_year(1, 1, 1))),
        AT_AN_END,
    ),
    Phrase(re.compile(f"明年年?底{NOT_OF}"), always(Day(days.in_year(1, 12, 31)))),
    Phrase(
        re.compile(f"(?:(?P<year>[0-9]{{4}}|[零〇一二两三四五六七八九]{{4}}|[今明后])年)?{MONTH_DAY}{NOT_OF}"),
        _date,
    ),
    Phrase(re.compile(f"[农阴]历{MONTH_DAY}"), always(None)),
    Phrase(re.compile(f"(?P<which>{WEEK_NAME})个?月的?(?P<day>{N})[日号]{NOT_A_DAY}"), _day_of_month),
    Phrase(re.compile(f"(?!一日)(?<!月){WHOLE}(?P<day>{N})[日号]{NOT_A_DAY}"), _day_of_month),
    Phrase(re.compile(f"(?P<which>{WEEK_NAME})个?月的?月?(?P<edge>{_EDGE}){NOT_OF}"), _edge_of_month),
    Phrase(re.compile(f"{WHOLE}(?P<month>{N})月份?(?P<edge>{_EDGE}){NOT_OF}"), _edge_of_month),
    Phrase(re.compile(f"(?<![上个零一二两三四五六七八九十])月(?P<edge>底(?!薪)|末(?!日)){NOT_OF}"), _edge_of_month),
    Phrase(re.compile(f"(?<![上个])月(?P<edge>{_BEGINNING}|{_MIDDLE}){NOT_OF}"), _edge_of_month, AT_START),
    Phrase(
        re.compile(
            f"(?:(?P<which>{WEEK_NAME})个?月|{WHOLE}(?P<month>{N})月份?)的?(?P<nth>{NTH}) ?个?{WEEK}"
            f"(?P<weekday>[一二三四五六日天]){NOT_OF}"
        ),
        _nth_weekday,
    ),
    Phrase(re.compile(f"(?<![去前上])(?<![去前上]年)(?:今年)?年底{NOT_OF}"), always(Day(days.in_year(0, 12, 31)))),
    Phrase(re.compile(f"半年[之以]?后{NOT_OF}"), always(Day(days.later(6, "month")))),
    Phrase(re.compile(f"半个月[之以]?后{NOT_OF}"), always(Day(days.later(15, "day")))),
    Phrase(
        re.compile(f"{NOT_OF_A_VERB}{WHOLE}(?P<n>{N})个?(?P<unit>天|日|周|年|星期|礼拜|月)[之以]?后{NOT_OF}"),
        _later,
    ),
    Phrase(
        re.compile(
            f"{NOT_OF_A_VERB}{WHOLE}(?P<n>半|{N}|[0-9]{{1,2}}\\.5)个?(?P<half>半)?(?P<unit>{SHORT_UNIT})[之以]?后{NOT_OF}"
        ),
        _delay,
    ),
    Phrase(
        re.compile(f"再过(?P<n>半|{N})个?(?P<half>半)?(?P<unit>{SHORT_UNIT})[之以]?后?{NOT_OF}"),
        _delay,
        AT_START,
    ),
)
