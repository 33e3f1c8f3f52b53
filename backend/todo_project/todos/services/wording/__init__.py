"""Recurrence rules in words: one module for each language, with a function `describe`."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping

from todo_project.todos.services import moments, recurrence
from todo_project.todos.services.occurrences import Rule
from todo_project.todos.services.wording import chinese, english
from todo_project.todos.services.wording.order import simplified

_LANGUAGES: Mapping[str, Callable[[Rule], str]] = {"en": english.describe, "zh": chinese.describe}
_AFTER_COMPLETION = {"en": "{}, counted from completion", "zh": "{}，从完成之日算起"}


def describe(rule: str, mode: str, *, zone: str | None = None) -> dict[str, str]:
    """Return the description of a stored rule in each language, by its code (ISO 639-1).

    `zone` is where the series has its wall times; a series of days has none.
    """
    parsed = simplified(recurrence.parse(rule))
    if zone and isinstance(parsed.until, dt.datetime) and parsed.until.tzinfo:
        until = moments.wall_time({"at": parsed.until, "time_zone": zone}, default_zone=zone)
        parsed = dataclasses.replace(parsed, until=until)
    template = _AFTER_COMPLETION if mode == recurrence.COMPLETION else dict.fromkeys(_LANGUAGES, "{}")
    return {code: template[code].format(words(parsed)) for code, words in _LANGUAGES.items()}
