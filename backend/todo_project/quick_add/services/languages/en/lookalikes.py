"""What looks like a date or a time in English, but is something else. It stays in the title."""

from __future__ import annotations

from todo_project.quick_add.services.languages.en.vocabulary import N, always, words
from todo_project.quick_add.services.meanings import Phrase

# feasts whose dates change, songs, films and clubs
_NAMES = (
    "any +given +sunday|ash +wednesday|black +(?:monday|friday)|bloody +sunday|blue +monday"
    "|casual +friday|cyber +monday|easter +(?:saturday|sunday|monday)|fat +tuesday|freaky +friday|giving +tuesday"
    "|gloomy +sunday|good +friday|manic +monday|maundy +thursday|palm +sunday|ruby +tuesday|sheffield +wednesday"
    "|shrove +tuesday|stormy +monday|super +(?:tuesday|bowl +sunday)|taco +tuesday|tomorrow +never +dies"
    "|whit +(?:sunday|monday)"
)
_EVENTS = (
    r"(?:cinema|date|family|film|games?|karaoke|movie|opening|parents['\u2019]?|parent['\u2019]s|pizza|poker|pub|quiz"
    r"|school|trivia|wine) +(?:evening|night)"
)
# looking ahead first makes the search faster
_TIME = r"(?=[\da@])(?:at +|@ *)?\d{1,2}(?::\d{2})?(?: ?[ap]m)?"
_ZONE = (
    "(?:gmt|utc|bst|ist|cet|cest|eet|eest|msk|jst|kst|sgt|hkt|a[ew][sd]t|nz[sd]t|[ecmp][sd]?t)"
    r"(?:[+-]\d{1,2}(?::?\d{2})?)?"
)
_TIME_IN_ZONE = rf"(?=[\da@])(?:(?:at +|@ *)\d{{1,2}}|\d{{1,2}}:\d{{2}}|\d{{1,2}}(?:[:.]\d{{2}})? ?[ap]m) *{_ZONE}"
_PACE = rf"{_TIME}(?: +pace| *(?:min(?:ute)?s? *)?(?:/ *|per +)(?:k|km|mi|mile))"
_GOAL = (
    r"\d{1,5}(?:[.,]\d{1,2})? *(?:km?|mi|miles?|m|met(?:er|re)s?|yards?|laps?|lengths|pages?|chapters?|words|reps)"
    rf" +in +(?:(?:about|under) +)?(?:{N} *(?:m|min(?:ute)?s?|h|hrs?|hours?)|half +an +hour)"
)
LOOKALIKES = tuple(Phrase(words(each), always(None)) for each in (_NAMES, _EVENTS, _TIME_IN_ZONE, _PACE, _GOAL))
