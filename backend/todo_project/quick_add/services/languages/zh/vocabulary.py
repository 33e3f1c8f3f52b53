"""Chinese words, and the patterns that days, times and recurrences are made of."""

from __future__ import annotations

import re
from collections.abc import Callable

from todo_project.quick_add.services.meanings import (
    AFTERNOON,
    DAWN,
    EVENING,
    MORNING,
    NIGHT,
    NOON,
    DayPart,
    Meaning,
)
from todo_project.quick_add.services.text import OPENING

DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 5}
WEEKDAYS |= {str(number + 1): number for number in range(7)}
PARTS: dict[str, DayPart] = {
    **dict.fromkeys(("凌晨", "清晨"), DAWN),
    **dict.fromkeys(("早上", "早晨", "上午", "早"), MORNING),
    **dict.fromkeys(("中午", "正午"), NOON),
    "下午": AFTERNOON,
    **dict.fromkeys(("傍晚",), EVENING),
    **dict.fromkeys(("晚上", "晚间", "夜里", "夜晚", "深夜", "半夜", "晚"), NIGHT),
}
NAMED_DAYS = {"昨": -1, "今": 0, "明": 1, "后": 2}
WEEKS = {"这": 0, "本": 0, "下": 1, "下下": 2}
WEEK_NAME = "|".join(sorted(WEEKS, key=len, reverse=True))
UNITS = {"天": "day", "日": "day", "周": "week", "星期": "week", "礼拜": "week", "月": "month", "年": "year"}
FREQUENCIES = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}

ONES = "[一二三四五六七八九]"
N = f"(?:[0-9]{{1,4}}|{ONES}?十{ONES}?|[零两]|{ONES})"
# not the rest of a longer number, as in "两三天后", "一百天后" and "几十天后"; in "周一三天后", it is no rest
WHOLE = (
    "(?=[0-9半零两一二三四五六七八九十])"
    "(?:(?<![零两一二三四五六七八九十百千万几数约多])|(?<=[周期拜][一二三四五六日天]))"
)
LONG_PART = "|".join(name for name in PARTS if len(name) > 1)
PART = f"{LONG_PART}|(?<![今明每])[早晚]"
WEEK = "(?:周|星期|礼拜)"
MONTH_DAY = f"(?P<month>{N})月(?:份)?(?P<day>{N})[日号]"
# "the 5th" of other things: lines of the metro, buildings, batteries, journeys
NOT_A_DAY = "(?![线楼店桌门柜机位馆厅台球院病仓口站字码染令文墨游元]|电池|房(?!租)|车|公路|的|份)"
NOT_AN_HOUR = "(?![水的差]|建议|意见|要求|一线|原因|思考|心得|想法|说明|之间|左右|多[^0-9])"
NOT_OF = "(?!的)"
# when they are is not known
SEASONS = "[一-龥]{2}节|生日|[春夏秋冬]|元旦|元宵|清明|五一|端午|七夕|中秋|重阳|国庆|圣诞|除夕|暑假|寒假"
# what makes a part of the day the beginning of a time
HOUR_AFTER = f" ?(?:{N}点|[0-9]{{1,2}}:)"
BEFORE_AN_HOUR = f"(?= ?(?:{LONG_PART}|[早晚])?{HOUR_AFTER})"
# a number may end before another word, as in "iPhone17明天", but not before what it counts
BEFORE = re.compile(f"(?<![./第{OPENING}])(?:(?<![0-9])|(?![0-9周星礼日号月年半点时整刻]))(?<![0-9][-:~])")
MINUTES_OF = {"分钟": 1, "分": 1, "刻钟": 15}
SHORT_UNIT = "小时|钟头|分钟?|刻钟"
NTH = "第 ?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})|最后一"


def number_of(text: str) -> int:
    """Return a number below 100 in Chinese numerals, or any in digits."""
    if text.isascii():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return int("".join(str(DIGITS.get(each, 0)) for each in text))
    return (DIGITS.get(tens[:1], 0) if tens else 1) * 10 + (DIGITS.get(ones[:1], 0) if ones else 0)


def always(meaning: Meaning | None) -> Callable[[re.Match[str]], Meaning | None]:
    return lambda _: meaning


def weekdays_of(text: str) -> list[int]:
    return [WEEKDAYS[each] for each in text if each in WEEKDAYS]


def nth_of(text: str) -> int:
    return -1 if text == "最后一" else number_of(text.lstrip("第 "))
