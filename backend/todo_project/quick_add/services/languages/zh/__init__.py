"""Chinese. Its words have no spaces between them, so a phrase names the characters that may not follow it."""

from __future__ import annotations

import re

from todo_project.quick_add.services.languages.zh.dates import DAYS
from todo_project.quick_add.services.languages.zh.repeats import REPEATS
from todo_project.quick_add.services.languages.zh.times import TIMES
from todo_project.quick_add.services.languages.zh.vocabulary import BEFORE, always
from todo_project.quick_add.services.meanings import (
    AFTERNOON,
    BESIDE_ANOTHER,
    MORNING,
    Language,
    Link,
    Phrase,
    Purpose,
)

_LINKS = (
    Phrase(re.compile(r"除了|\(除了?|\([^()]{1,12}除外\)"), always(Link(Purpose.EXCEPT)), BESIDE_ANOTHER),
    Phrase(re.compile("[从自]"), always(Link(Purpose.START)), BESIDE_ANOTHER),
    Phrase(
        re.compile("(?:直到|截止到?|到|至|(?<=[点分半刻日号])[-~])"), always(Link(Purpose.UNTIL)), BESIDE_ANOTHER
    ),
    Phrase(re.compile("[和与或]"), always(Link(Purpose.AND)), BESIDE_ANOTHER),
    Phrase(re.compile("(?:开始|起(?![床飞]))"), always(Link(Purpose.START, is_after=True)), BESIDE_ANOTHER),
    Phrase(re.compile("的"), always(Link(Purpose.OTHER, is_after=True)), BESIDE_ANOTHER),
    Phrase(
        re.compile("(?:[之以]内|内(?![部存容衣裤蒙科网页测涵疚审训推卷幕饰政]))"),
        always(Link(Purpose.DUE, is_after=True)),
        BESIDE_ANOTHER,
    ),
    Phrase(
        re.compile("(?:之前|以前|前(?![台面端任后往]))"), always(Link(Purpose.DUE, is_after=True)), BESIDE_ANOTHER
    ),
)

_TRADITIONAL = str.maketrans(
    "後週個點號兩禮時鐘從開間過總復體節這會錢電線樓車廳問見題論",
    "后周个点号两礼时钟从开间过总复体节这会钱电线楼车厅问见题论",
)
LANGUAGE = Language(
    (*DAYS, *TIMES, *REPEATS, *_LINKS),
    variants=_TRADITIONAL,
    before=BEFORE,
    usual=(
        (re.compile("起床|早[饭餐]|闹钟|晨跑|日出"), MORNING),
        (re.compile("(?<!订)晚[饭餐会宴]|聚[餐会]|夜宵|看电影"), AFTERNOON),
    ),
    script=re.compile("[\u4e00-\u9fff]"),
)
