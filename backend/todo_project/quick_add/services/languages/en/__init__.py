"""English: days, times, recurrence, and the words between them."""

from __future__ import annotations

import re

from todo_project.quick_add.services.languages.en.dates import DAYS
from todo_project.quick_add.services.languages.en.lookalikes import LOOKALIKES
from todo_project.quick_add.services.languages.en.repeats import REPEATS
from todo_project.quick_add.services.languages.en.times import TIMES, USUAL
from todo_project.quick_add.services.languages.en.vocabulary import BEFORE, always, words
from todo_project.quick_add.services.meanings import BESIDE_ANOTHER, Language, Link, Phrase, Purpose

_LINKS = {
    Purpose.DUE: "on|by|before|due:?|due +on|due +by|(?:no|not) +later +than|(?:some|any) ?time(?: +on)?",
    Purpose.START: "starting|starting +on|starting +from|starts|beginning|from",
    Purpose.UNTIL: "until|till|til|ending|ending +on|through|to",
    Purpose.EXCEPT: "except|excluding",
    Purpose.OTHER: "for|of|about|since|than|between|after|last|past|the|every|each",
    Purpose.AND: "and|or|&|vs",
}

LANGUAGE = Language(
    (
        *DAYS,
        *TIMES,
        *REPEATS,
        *LOOKALIKES,
        Phrase(words("at +the +latest"), always(Link(Purpose.DUE, is_after=True)), BESIDE_ANOTHER),
        *(Phrase(words(pattern), always(Link(purpose)), BESIDE_ANOTHER) for purpose, pattern in _LINKS.items()),
    ),
    script=re.compile("[a-z@]"),
    before=BEFORE,
    usual=USUAL,
)
