"""Times of day in Chinese."""

from __future__ import annotations

import re

from todo_project.quick_add.services.languages.zh.vocabulary import (
    HOUR_AFTER,
    LONG_PART,
    NOT_AN_HOUR,
    ONES,
    PART,
    PARTS,
    always,
    number_of,
)
from todo_project.quick_add.services.meanings import (
    AT_AN_END,
    AT_START,
    BESIDE_ANOTHER,
    MORNING,
    DayPart,
    Phrase,
    TimeOfDay,
)
from todo_project.quick_add.services.text import group


def _time(match: re.Match[str]) -> TimeOfDay | None:
    part, hour = group(match, "part"), number_of(match["hour"])
    minute = _minute(match)
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    return TimeOfDay(hour, minute, part=PARTS[part] if part else None, is_exact=not 1 <= hour <= 12)


def _minute(match: re.Match[str]) -> int:
    if group(match, "half"):
        return 30
    if quarters := group(match, "quarters"):
        return 15 * number_of(quarters)
    return number_of(group(match, "minute") or "0")


def _part(match: re.Match[str]) -> DayPart:
    return PARTS[match["part"]]


_IN_WORDS = f"[二三]?十{ONES}?|零?{ONES}|[零两]"
_HOUR = f"(?P<hour>[0-9]{{1,2}}|{_IN_WORDS})[点时]"
# a single digit needs its 分: "三点一起走" is at three
_MINUTES = (
    f"(?:过(?=[^分]{{1,3}}分(?!钟)))?"
    f"(?P<minute>[0-9]{{2}}|[0-9](?=分)|零{ONES}|[二三四五]?十{ONES}?|{ONES}(?=分))(?![个人位])分?"
)
_MINUTE = f"(?:(?P<half>半)|(?P<quarters>[一三13])刻|整|钟|{_MINUTES})"
# after a part of the day, a verb is something to do then, as in "下午去银行"; "下午茶" and "晚上的聚会" are things
_TO_DO = (
    "[去给打买交取接送寄约找带拿写做洗还退换订问]|开会|看书|吃药|参加|联系|准备|提交|整理|收拾|回复|回家|复习|锻炼|健身|跑步(?!机)|散步|出发|提醒"
    "|上课|下载|遛狗|喂|练|陪|发(?!型|布)"
)
# looking ahead first makes the search faster
_FIRST = f"(?=[0-9{''.join(sorted({name[0] for name in PARTS}))}零一二两三四五六七八九十])"
_AFTER = f"{_FIRST}(?:{PART})? ?(?:{_HOUR}{_MINUTE}?|[0-9]{{1,2}}:[0-9]{{2}})[之以]?后(?!天)"
TIMES = (
    Phrase(re.compile(f"(?P<part>{PART}) ?{_HOUR}{_MINUTE}?"), _time),
    Phrase(re.compile(f"(?P<part>{PART}) ?(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})"), _time),
    Phrase(re.compile(_HOUR.replace("[点时]", "点") + _MINUTE), _time),
    Phrase(re.compile(rf"(?P<hour>[0-9]{{1,2}})点{NOT_AN_HOUR}"), _time),
    Phrase(re.compile("(?P<hour>[0-9]{1,2})时(?P<minute>[0-9]{1,2})分"), _time),
    # at the end only behind a space: in "注意三点", they are points
    Phrase(re.compile(f"(?<![^ ])(?!一)(?P<hour>{_IN_WORDS})点{NOT_AN_HOUR}"), _time, AT_AN_END),
    Phrase(re.compile(f"(?!一)(?P<hour>{_IN_WORDS})点{NOT_AN_HOUR}"), _time, BESIDE_ANOTHER),
    Phrase(re.compile("(?P<hour>一)点"), _time, BESIDE_ANOTHER),
    Phrase(re.compile(_AFTER), always(None)),
    Phrase(re.compile("一点(?:一点|点|儿)"), always(None)),
    Phrase(re.compile(f"(?P<part>{LONG_PART})(?= |{_TO_DO})"), _part, AT_START),
    Phrase(re.compile(f"(?P<part>{LONG_PART})(?!茶|好|班|{HOUR_AFTER})"), _part, BESIDE_ANOTHER),
    Phrase(re.compile("(?<![周期拜])一大?早"), always(MORNING), BESIDE_ANOTHER),
    Phrase(
        re.compile(f"(?<![早晚])(?P<part>[早晚])(?![早中晚上晨间点报会宴餐饭班安和、]|{HOUR_AFTER})"),
        _part,
        BESIDE_ANOTHER,
    ),
)
