"""Chinese. Its words have no spaces between them, so a phrase names the characters that may not follow it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace

from todo_project.quick_add.services import days
from todo_project.quick_add.services.meanings import (
    AFTERNOON,
    AT_AN_END,
    BESIDE_ANOTHER,
    DAWN,
    EVENING,
    MORNING,
    NIGHT,
    NOON,
    After,
    Day,
    DayPart,
    Except,
    FromCompletion,
    Language,
    Link,
    Meaning,
    Phrase,
    Purpose,
    Repeat,
    TimeOfDay,
    Times,
)
from todo_project.quick_add.services.text import group

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 5}
_WEEKDAYS |= {str(number + 1): number for number in range(7)}
_PARTS: dict[str, DayPart] = {
    **dict.fromkeys(("凌晨", "清晨"), DAWN),
    **dict.fromkeys(("早上", "早晨", "上午", "早"), MORNING),
    **dict.fromkeys(("中午", "正午"), NOON),
    "下午": AFTERNOON,
    **dict.fromkeys(("傍晚",), EVENING),
    **dict.fromkeys(("晚上", "晚间", "夜里", "夜晚", "深夜", "半夜", "晚"), NIGHT),
}
_NAMED_DAYS = {"昨": -1, "今": 0, "明": 1, "后": 2}
_WEEKS = {"这": 0, "本": 0, "下": 1, "下下": 2}
_UNITS = {"天": "day", "日": "day", "周": "week", "星期": "week", "礼拜": "week", "月": "month", "年": "year"}
_FREQUENCIES = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}

_N = "(?:[0-9]{1,4}|[零一二两三四五六七八九十]{1,3})"
_LONG_PART = "|".join(name for name in _PARTS if len(name) > 1)
_PART = f"{_LONG_PART}|(?<![今明每])[早晚]"
_WEEK = "(?:周|星期|礼拜)"
_MONTH_DAY = f"(?P<month>{_N})月(?:份)?(?P<day>{_N})[日号]"
# "the 5th" of other things: lines of the metro, buildings, batteries, journeys
_NOT_A_DAY = "(?![线楼店桌门柜机位馆厅台球院病仓口站字码染令文墨游元]|电池|房(?!租)|车|公路|的)"
_NOT_AN_HOUR = "(?![水的]|建议|意见|要求|一线|原因|思考|心得|想法|说明|之间|左右|多[^0-9])"
_NOT_OF = "(?!的)"
# what makes a part of the day the beginning of a time
_HOUR_AFTER = f" ?(?:{_N}点|[0-9]{{1,2}}:)"
_BEFORE_AN_HOUR = f"(?= ?(?:{_LONG_PART}|[早晚])?{_HOUR_AFTER})"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?<![0-9./第])(?<![0-9][:-])(?:{pattern})")


def _number(text: str) -> int:
    """Return a number below 100 in Chinese numerals, or any in digits."""
    if text.isascii():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return int("".join(str(_DIGITS.get(each, 0)) for each in text))
    return (_DIGITS.get(tens[:1], 0) if tens else 1) * 10 + (_DIGITS.get(ones[:1], 0) if ones else 0)


def _always(meaning: Meaning | None) -> Callable[[re.Match[str]], Meaning | None]:
    return lambda _: meaning


def _weekdays(text: str) -> list[int]:
    return [_WEEKDAYS[each] for each in text if each in _WEEKDAYS]


# --- days


def _named_day(match: re.Match[str]) -> Day:
    number = 3 if match[0].startswith("大") else _NAMED_DAYS[match["day"]]
    part = group(match, "part")
    return Day(days.later(number, "day"), part=_PARTS[part] if part else None)


def _weekday(match: re.Match[str]) -> Day:
    week, weekday = group(match, "week"), _WEEKDAYS[match["weekday"]]
    if week is None:
        return Day(days.coming(weekday), weekday=weekday)
    return Day(days.in_week(_WEEKS[week], weekday))


def _date(match: re.Match[str]) -> Day | None:
    year, month, day = match["year"], _number(match["month"]), _number(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if year in _NAMED_DAYS:
        return Day(days.in_year(_NAMED_DAYS[year], month, day))
    return Day(days.on(_number(year) if year else None, month, day))


def _day_of_month(match: re.Match[str]) -> Day | None:
    which, day = group(match, "which"), _number(match["day"])
    if not 1 <= day <= 31:
        return None
    return Day(days.on_day(day) if which is None else days.in_month(_WEEKS[which], day))


def _end_of_month(match: re.Match[str]) -> Day:
    return Day(days.in_month(_WEEKS.get(match["which"], 0), -1))


def _later(match: re.Match[str]) -> Day:
    return Day(days.later(_number(match["n"]), _UNITS[match["unit"]]))


def _delay(match: re.Match[str]) -> After:
    unit = 1 if match["unit"].startswith("分") else 60
    if match["n"] == "半":
        return After(dt.timedelta(minutes=unit / 2))
    return After(dt.timedelta(minutes=_number(match["n"]) * unit + (unit / 2 if match["half"] else 0)))


_DAYS = (
    Phrase(_words(f"(?P<day>[今明])[天日](?!头条|之(?!前)|会更好){_NOT_OF}"), _named_day),
    Phrase(_words(f"大?(?P<day>后)天(?!性){_NOT_OF}"), _named_day),
    Phrase(_words(f"(?P<day>昨)天{_NOT_OF}"), _named_day, AT_AN_END),
    Phrase(_words(f"(?P<day>[今明])(?P<part>早上?|晚上?)(?![报会宴]){_NOT_OF}"), _named_day),
    Phrase(_words(f"(?P<week>下下|下|这|本)个?{_WEEK}(?P<weekday>[一二三四五六日天末]){_NOT_OF}"), _weekday),
    Phrase(
        _words(
            f"(?<!上)(?<!上个)(?<![单双])(?<!黑色)(?<![一二三四五六]-){_WEEK}(?P<weekday>[一二三四五六日天])(?![至到\\-报刊]|餐厅){_NOT_OF}"
        ),
        _weekday,
    ),
    Phrase(
        _words("周末(?!愉快|快乐|的|狂欢|特价|版|班|卡)"),
        _always(Day(days.coming(days.SATURDAY, from_today=True))),
        AT_AN_END,
    ),
    Phrase(_words("下一?个工作日"), _always(Day(days.next_workday))),
    Phrase(_words(f"下个?{_WEEK}初?"), _always(Day(days.in_week(1, 0))), AT_AN_END),
    Phrase(_words("下个?月初?(?![上中下]旬)"), _always(Day(days.in_month(1, 1))), AT_AN_END),
    Phrase(
        _words("明年初?(?!春|夏|秋|冬|清明|五一|端午|中秋|国庆|暑假|寒假|[上下]半年|第)"),
        _always(Day(days.in_year(1, 1, 1))),
        AT_AN_END,
    ),
    Phrase(_words(f"明年年?底{_NOT_OF}"), _always(Day(days.in_year(1, 12, 31)))),
    Phrase(
        _words(f"(?:(?P<year>[0-9]{{4}}|[零〇一二两三四五六七八九]{{4}}|[今明后])年)?{_MONTH_DAY}{_NOT_OF}"), _date
    ),
    Phrase(_words(f"[农阴]历{_MONTH_DAY}"), _always(None)),
    Phrase(_words(f"(?P<which>下|这|本)个?月(?P<day>{_N})[日号]{_NOT_A_DAY}"), _day_of_month),
    Phrase(_words(f"(?!一日)(?P<day>{_N})[日号]{_NOT_A_DAY}"), _day_of_month),
    Phrase(_words(f"(?P<which>下|这|本)?个?(?:月底|月末){_NOT_OF}"), _end_of_month),
    Phrase(_words(f"(?P<which>下|这|本)个?月的?最后一天{_NOT_OF}"), _end_of_month),
    Phrase(_words(f"年底{_NOT_OF}"), _always(Day(days.in_year(0, 12, 31)))),
    Phrase(_words(f"(?P<n>{_N})个?(?P<unit>天|日|周|年|星期|礼拜|月)[之以]?后{_NOT_OF}"), _later),
    Phrase(
        _words(f"(?P<n>半|{_N})个?(?P<half>半)?(?P<unit>小时|钟头|分钟?)[之以]?后{_NOT_OF}"),
        _delay,
    ),
)

# --- times


def _time(match: re.Match[str]) -> TimeOfDay | None:
    part, hour = group(match, "part"), _number(match["hour"])
    minute = _minute(match)
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    return TimeOfDay(hour, minute, part=_PARTS[part] if part else None, is_exact=not 1 <= hour <= 12)


def _minute(match: re.Match[str]) -> int:
    if group(match, "half"):
        return 30
    if quarters := group(match, "quarters"):
        return 15 * _number(quarters)
    return _number(group(match, "minute") or "0")


def _part(match: re.Match[str]) -> DayPart:
    return _PARTS[match["part"]]


_HOUR = "(?P<hour>[0-9]{1,2}|[零一二两三四五六七八九十]{1,3})[点时]"
_MINUTES = "(?:过(?=[^分]{1,3}分(?!钟)))?(?P<minute>[0-9]{1,2}|[零一二三四五六七八九十]{1,3})分?"
_MINUTE = f"(?:(?P<half>半)|(?P<quarters>[一三13])刻|整|钟|{_MINUTES})"
_TIMES = (
    Phrase(_words(f"(?P<part>{_PART}) ?{_HOUR}{_MINUTE}?"), _time),
    Phrase(_words(f"(?P<part>{_PART}) ?(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})"), _time),
    Phrase(_words(_HOUR.replace("[点时]", "点") + _MINUTE), _time),
    Phrase(_words(rf"(?P<hour>[0-9]{{1,2}})点{_NOT_AN_HOUR}"), _time),
    Phrase(_words(f"(?P<hour>[零二两三四五六七八九十]{{1,3}})点{_NOT_AN_HOUR}"), _time, AT_AN_END),
    Phrase(_words("(?P<hour>一)点"), _time, BESIDE_ANOTHER),
    Phrase(_words(f"(?P<part>{_LONG_PART})(?!茶|好|班|{_HOUR_AFTER})"), _part, BESIDE_ANOTHER),
    Phrase(
        _words(f"(?<![早晚])(?P<part>[早晚])(?![早晚上晨间点报会宴餐饭班安]|{_HOUR_AFTER})"), _part, BESIDE_ANOTHER
    ),
)

# --- recurrence


def _unit(match: re.Match[str]) -> Repeat:
    number, unit = group(match, "n"), _UNITS[match["unit"]]
    if number is None:
        return Repeat(_FREQUENCIES[unit], 2 if group(match, "skipped") else 1)
    return Repeat(_FREQUENCIES[unit], _number(number) + (1 if group(match, "skipped") else 0))


def _every_part(match: re.Match[str]) -> Repeat:
    return Repeat("DAILY", part=_PARTS[match["part"]])


def _every_weekday(match: re.Match[str]) -> Repeat:
    step = _number(group(match, "n") or "1") + (1 if group(match, "skipped") else 0)
    return Repeat("WEEKLY", step, by=days.by_weekdays(_weekdays(match["list"])))


def _except(match: re.Match[str]) -> Except:
    return Except(frozenset([*_weekdays(match["list"]), *([days.SUNDAY] if "末" in match["list"] else [])]))


def _weekday_range(match: re.Match[str]) -> Repeat | None:
    first, last = _WEEKDAYS[match["first"]], _WEEKDAYS[match["last"]]
    return Repeat("WEEKLY", by=days.by_weekdays(list(range(first, last + 1)))) if first < last else None


def _every_month_day(match: re.Match[str]) -> Repeat | None:
    numbers = [_number(each) for each in re.findall(_N, match["list"])]
    is_possible = all(1 <= number <= 31 for number in numbers)
    step = group(match, "n")
    return Repeat("MONTHLY", _number(step) if step else 1, by=days.by_month_days(numbers)) if is_possible else None


def _every_nth_weekday(match: re.Match[str]) -> Repeat | None:
    pairs = [(_nth(nth), _WEEKDAYS[weekday]) for nth, weekday in re.findall(_NTH_AND_WEEKDAY, match["list"])]
    if not all(nth == -1 or 1 <= nth <= 5 for nth, _ in pairs):
        return None
    by = "BYDAY=" + ",".join(f"{nth}{days.WEEKDAY_CODES[weekday]}" for nth, weekday in pairs)
    if month := match["month"]:
        return Repeat("YEARLY", by=f"BYMONTH={_number(month)};{by}")
    return Repeat("MONTHLY", _number(match["n"]) if match["n"] else 1, by=by)


def _every_nth_workday(match: re.Match[str]) -> Repeat:
    return Repeat("MONTHLY", by=f"BYDAY={days.WORKDAYS};BYSETPOS={_nth(match['nth'])}")


def _nth(text: str) -> int:
    return -1 if text == "最后一" else _number(text.lstrip("第 "))


def _every_date(match: re.Match[str]) -> Repeat | None:
    month, day = _number(match["month"]), _number(match["day"])
    return Repeat("YEARLY", by=days.by_date(month, day)) if 1 <= month <= 12 and 1 <= day <= 31 else None


_ANY_WEEKDAY = "[一二三四五六日天](?!点)"
_WEEKDAY_LIST = f"{_ANY_WEEKDAY}(?:(?:[和、,及与])?{_WEEK}?{_ANY_WEEKDAY}){{0,6}}"
_EVERY_WEEK = f"每逢?个?{_WEEK}"
# in digits, as in "每周2"; "每周2次" and "每周3本书" count something else
_MEASURES = "次回遍天日个小分点时到至趟节篇本公千里米瓶杯元块套组页章话集堂场封斤件条张位人门课"
_NOT_A_NUMBER = f"(?![-0-9:.%、和{_MEASURES}])"
_NUMBERED = f"[1-7](?:[和、,及与][1-7]){{0,6}}{_NOT_A_NUMBER}"
_NTH = "第 ?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})|最后一"
_NTH_WEEKDAY = f"(?:{_NTH}) ?个?{_WEEK}{_ANY_WEEKDAY}"
_NTH_AND_WEEKDAY = f"({_NTH}) ?个?{_WEEK}({_ANY_WEEKDAY})"
_SOME_WEEKDAYS = f"{_WEEK}(?P<list>{_WEEKDAY_LIST}|末)"
_EXCEPTIONS = tuple(
    _words(pattern)
    for each in (f"除了?每?{_SOME_WEEKDAYS}(?:[之以]?外)?", f"{_SOME_WEEKDAYS}除外")
    for pattern in (each, rf"\({each}\)")
)
_REPEATS = (
    Phrase(_words(r"每[天日](?![的都]|新闻|优鲜|坚果)"), _always(Repeat("DAILY")), AT_AN_END),
    Phrase(_words(f"每个?(?P<unit>周|星期|礼拜|月|年)(?![的都报刊初]|农历|阴历|{_N}月)"), _unit, AT_AN_END),
    Phrase(_words("每个?(?:季度|季)"), _always(Repeat("MONTHLY", 3)), AT_AN_END),
    Phrase(_words("每半年"), _always(Repeat("MONTHLY", 6)), AT_AN_END),
    Phrase(_words(f"每(?P<skipped>隔)?(?P<n>{_N})个?(?P<unit>天|日|周|星期|礼拜|月|年)(?![的都])"), _unit),
    Phrase(_words("(?P<skipped>隔)(?P<unit>[天日周月年])(?!壁)"), _unit, AT_AN_END),
    Phrase(_words(f"每天?(?P<part>{_LONG_PART})(?!{_HOUR_AFTER})"), _every_part),
    Phrase(_words("每(?P<part>[早晚])上?"), _every_part),
    Phrase(
        _words(f"{_WEEK}(?P<first>{_ANY_WEEKDAY})[到至\\-]{_WEEK}?(?P<last>{_ANY_WEEKDAY})每天"), _weekday_range
    ),
    Phrase(
        _words(f"(?<![上下这本个])周(?P<first>{_ANY_WEEKDAY})[到至\\-]周(?P<last>{_ANY_WEEKDAY}){_BEFORE_AN_HOUR}"),
        _weekday_range,
        BESIDE_ANOTHER,
    ),
    Phrase(
        _words(f"每双周的?{_WEEK}?(?P<list>{_WEEKDAY_LIST})"),
        lambda match: replace(_every_weekday(match), interval=2),
    ),
    Phrase(_words("每双周(?![报刊的])"), _always(Repeat("WEEKLY", 2)), AT_AN_END),
    Phrase(
        _words(f"(?<![个下上首末前后几一二两三四五六七八九十])工作日{_BEFORE_AN_HOUR}"),
        _always(Repeat("WEEKLY", by=f"BYDAY={days.WORKDAYS}")),
        BESIDE_ANOTHER,
    ),
    Phrase(_words("工作日每天|每个?工作日"), _always(Repeat("WEEKLY", by=f"BYDAY={days.WORKDAYS}"))),
    Phrase(_words("每个?周末"), _always(Repeat("WEEKLY", by=f"BYDAY={days.WEEKEND}"))),
    Phrase(_words(f"{_EVERY_WEEK}(?P<list>{_WEEKDAY_LIST}|{_NUMBERED})"), _every_weekday),
    Phrase(_words(f"{_EVERY_WEEK}的?{_WEEK}(?P<list>{_WEEKDAY_LIST})"), _every_weekday),
    Phrase(_words(f"每(?P<skipped>隔)?(?P<n>{_N})个?{_WEEK}的?{_WEEK}?(?P<list>{_WEEKDAY_LIST})"), _every_weekday),
    Phrase(
        _words(f"{_EVERY_WEEK}(?P<first>{_ANY_WEEKDAY})[到至\\-]{_WEEK}?(?P<last>{_ANY_WEEKDAY})"), _weekday_range
    ),
    *(Phrase(pattern, _except, AT_AN_END) for pattern in _EXCEPTIONS),
    Phrase(_words(f"{_EVERY_WEEK}(?P<first>[1-7])[到至\\-](?P<last>[1-7]){_NOT_A_NUMBER}"), _weekday_range),
    Phrase(_words("从完成之日算起|完成后算起"), _always(FromCompletion()), BESIDE_ANOTHER),
    Phrase(
        _words(f"每(?P<n>{_N})?个?月的?(?P<list>{_N}[日号]?(?:[和、,及与]{_N}[日号]?){{0,9}})(?<=[日号])"),
        _every_month_day,
    ),
    Phrase(_words("每个?月的?(?:最后一天|月?底|月?末)"), _always(Repeat("MONTHLY", by="BYMONTHDAY=-1"))),
    Phrase(
        _words(
            f"(?:每(?P<n>{_N})?个?月|每年(?P<month>{_N})月)的?(?P<list>{_NTH_WEEKDAY}(?:[和、,及与]{_NTH_WEEKDAY}){{0,4}})"
        ),
        _every_nth_weekday,
    ),
    Phrase(_words(f"每个?月的?(?P<nth>{_NTH}) ?个?工作日"), _every_nth_workday),
    Phrase(_words(f"每年的?{_MONTH_DAY}"), _every_date),
    Phrase(
        _words(f"(?:总共|重复|(?:(?<![周期拜])一)?共)(?P<n>{_N})次"),
        lambda match: Times(_number(match["n"])),
        BESIDE_ANOTHER,
    ),
)

_LINKS = (
    Phrase(_words(r"除了|\(除了?|\([^()]{1,12}除外\)"), _always(Link(Purpose.EXCEPT)), BESIDE_ANOTHER),
    Phrase(_words("[从自]"), _always(Link(Purpose.START)), BESIDE_ANOTHER),
    Phrase(_words("(?:直到|截止到?|到|至|(?<=[点分半刻日号])[-~])"), _always(Link(Purpose.UNTIL)), BESIDE_ANOTHER),
    Phrase(_words("[和与或]"), _always(Link(Purpose.AND)), BESIDE_ANOTHER),
    Phrase(_words("(?:开始|起(?![床飞]))"), _always(Link(Purpose.START, is_after=True)), BESIDE_ANOTHER),
    Phrase(_words("的"), _always(Link(Purpose.OTHER, is_after=True)), BESIDE_ANOTHER),
    Phrase(_words("(?:之前|以前|前(?![台面端任后往]))"), _always(Link(Purpose.DUE, is_after=True)), BESIDE_ANOTHER),
)

_TRADITIONAL = str.maketrans(
    "後週個點號兩禮時鐘從開間過總復體節這會錢電線樓車廳問見題論",
    "后周个点号两礼时钟从开间过总复体节这会钱电线楼车厅问见题论",
)
LANGUAGE = Language((*_DAYS, *_TIMES, *_REPEATS, *_LINKS), variants=_TRADITIONAL)
