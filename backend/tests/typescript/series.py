"""Write generated recurrence rules with the days that they give, as JSON for rules.mjs."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from typing import Any

import hypothesis
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.todos.rules import rules
from todo_project.errors import InvalidInput
from todo_project.todos.services import occurrences, recurrence

COUNT = 1500
DAYS = 8
# rrule looks for a day that never comes until the year 9999
HORIZON = dt.date(2150, 1, 1)


def series() -> list[dict[str, Any]]:
    """Return rules, their first days, and the days that follow: the same in each run."""
    found: dict[str, dict[str, Any]] = {}

    @settings(
        max_examples=COUNT,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @given(rules(), st.dates(dt.date(1990, 1, 1), dt.date(2050, 1, 1)))
    def collect(text: str, first: dt.date) -> None:
        try:
            rule = recurrence.parse(text)
        except InvalidInput:
            return
        days = occurrences.after(rule, first, earliest=first)
        soon = itertools.takewhile(lambda day: day <= HORIZON, itertools.islice(days, DAYS))
        found[f"{text} {first}"] = {"rule": text, "first": str(first), "days": [str(day) for day in soon]}

    collect()
    return list(found.values())


if __name__ == "__main__":
    print(json.dumps({"horizon": str(HORIZON), "days": DAYS, "series": series()}))  # noqa: T201 - its purpose
