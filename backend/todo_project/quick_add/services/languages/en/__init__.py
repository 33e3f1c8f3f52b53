"""English: days, times, recurrence, and the words between them."""

from __future__ import annotations

from todo_project.quick_add.services.languages.en.dates import DAYS
from todo_project.quick_add.services.languages.en.repeats import REPEATS
from todo_project.quick_add.services.languages.en.times import TIMES
from todo_project.quick_add.services.languages.en.vocabulary import always, words
from todo_project.quick_add.services.meanings import BESIDE_ANOTHER, Language, Link, Phrase, Purpose

_LINKS = {
    Purpose.DUE: "on|by|before|due:?|due +on|due +by",
    Purpose.START: "starting|starting +on|starting +from|starts|beginning|from",
    Purpose.UNTIL: "until|till|til|ending|ending +on|through|to",
    Purpose.EXCEPT: "except|excluding",
    Purpose.OTHER: "for|of|about|since|than|between|after|last|past|the",
    Purpose.AND: "and|or",
}

LANGUAGE = Language(
    (
        *DAYS,
        *TIMES,
        *REPEATS,
        *(Phrase(words(pattern), always(Link(purpose)), BESIDE_ANOTHER) for purpose, pattern in _LINKS.items()),
    ),
)
