"""Recurrence rules for tests: a strategy that writes them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from todo_project.todos.services import occurrences

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MONTH_DAYS = (1, 2, 13, 15, 28, 29, 30, 31, -1, -2, -29, -31)


def _list_of(values: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(lambda found: ",".join(map(str, found)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Write rules of all kinds, among them some that can never occur."""
    frequency = draw(st.sampled_from(occurrences.FREQUENCIES))
    has_months = frequency in ("MONTHLY", "YEARLY")
    # dateutil reads MO,2TU as nothing at all, so a list is numbered as a whole or not at all
    numbers = st.integers(-5, 5).filter(bool) if frequency == "MONTHLY" else st.integers(-53, 53).filter(bool)
    weekdays = st.sampled_from(WEEKDAYS)
    numbered = st.builds("{}{}".format, numbers, weekdays) if has_months else weekdays
    positions = st.sampled_from((1, 2, 3, 5, 31, 100, -1, -2, -31))
    choices: dict[str, st.SearchStrategy[Any]] = {
        "INTERVAL": st.sampled_from((1, 2, 3, 4, 5, 7, 12, 13, 24, 30, 365, 366)),
        "BYDAY": st.one_of(_list_of(weekdays), _list_of(numbered)),
        "BYMONTHDAY": _list_of(st.sampled_from(MONTH_DAYS)),
        "WKST": weekdays,
    }
    if has_months:
        choices["BYSETPOS"] = _list_of(positions, most=2)
    if frequency == "YEARLY":
        choices["BYMONTH"] = _list_of(st.integers(1, 12))
    names = draw(st.lists(st.sampled_from(sorted(choices)), unique=True))
    return ";".join([f"FREQ={frequency}", *(f"{name}={draw(choices[name])}" for name in names)])
