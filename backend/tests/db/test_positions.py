"""Positions are strictly between their neighbours, short, and never end in 0."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from todo_project.db import positions

anywhere = st.from_regex(re.compile(positions.PATTERN), fullmatch=True).filter(lambda text: "\n" not in text)


@settings(deadline=None)  # other processes share the machine
@given(anywhere, anywhere)
def test_a_position_lies_strictly_between_any_two(one: str, other: str) -> None:
    if one == other:
        return
    low, high = sorted((one, other))
    middle = positions.between(low, high)
    assert low < middle < high
    assert re.fullmatch(positions.PATTERN, middle)


@settings(deadline=None)  # other processes share the machine
@given(anywhere)
def test_there_is_room_at_both_ends(position: str) -> None:
    before, after = positions.between(None, position), positions.between(position, None)
    assert before < position < after
    assert re.fullmatch(positions.PATTERN, before)
    assert re.fullmatch(positions.PATTERN, after)


@pytest.mark.parametrize("position", ["00000001", "00000000i1", "00000000000000001", "000000001", "zzzzzzzz", "z"])
def test_there_is_room_beyond_the_first_and_the_last_number(position: str) -> None:
    before, after = positions.between(None, position), positions.between(position, None)
    assert before < position < after
    assert before < positions.between(before, position) < position
    assert re.fullmatch(positions.PATTERN, before)
    assert re.fullmatch(positions.PATTERN, after)


Step = Callable[[list[str]], tuple[int, str | None, str | None]]


def at_the_end(row: list[str]) -> tuple[int, str | None, str | None]:
    return len(row), row[-1], None


def at_the_start(row: list[str]) -> tuple[int, str | None, str | None]:
    return 0, None, row[0]


def after_the_first(row: list[str]) -> tuple[int, str | None, str | None]:
    return 1, row[0], row[1]


def before_the_last(row: list[str]) -> tuple[int, str | None, str | None]:
    return len(row) - 1, row[-2], row[-1]


@pytest.mark.parametrize("step", [at_the_end, at_the_start, after_the_first, before_the_last])
def test_ten_thousand_inserts_at_one_place_stay_short(step: Step) -> None:
    row = positions.spread(2)
    for _ in range(10_000):
        index, low, high = step(row)
        row.insert(index, positions.between(low, high))
    assert row == sorted(set(row))
    assert max(map(len, row)) <= 8


@settings(deadline=None)  # other processes share the machine
@given(st.lists(st.floats(0, 1, exclude_max=True), max_size=300))
def test_inserts_anywhere_keep_the_order(places: list[float]) -> None:
    row: list[str] = []
    for place in places:
        index = int(place * (len(row) + 1))
        low = row[index - 1] if index else None
        high = row[index] if index < len(row) else None
        row.insert(index, positions.between(low, high))
    assert row == sorted(set(row))


@settings(deadline=None)  # other processes share the machine
@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_the_worst_case_grows_by_no_more_than_a_number_each_time(turns: list[bool]) -> None:
    low, high = positions.spread(2)
    for turn in turns:
        middle = positions.between(low, high)
        assert low < middle < high
        low, high = (middle, high) if turn else (low, middle)
    assert max(len(low), len(high)) <= 2 + 2 * len(turns)


@pytest.mark.parametrize(
    ("low", "high"), [("i2", "i1"), ("i1", "i1"), ("i0", "i1"), ("", "i1"), ("A", None), (None, "é")]
)
def test_what_is_no_pair_of_positions_is_refused(low: str | None, high: str | None) -> None:
    with pytest.raises(ValueError, match=r"position|before"):
        positions.between(low, high)


def test_a_spread_counts_up() -> None:
    assert positions.spread(3) == ["i1", "i2", "i3"]
    assert positions.spread(0) == []


@given(anywhere, anywhere, st.integers(1, 40))
def test_even_positions_are_in_order_and_in_between(one: str, other: str, count: int) -> None:
    low, high = min(one, other), max(one, other)
    for start, end in ((None, low), (low, high), (high, None), (None, None)):
        found = positions.evenly(count, start, end, length=200) if start != end or start is None else []
        assert found is not None
        bounds = [*([start] if start else []), *found, *([end] if end else [])]
        assert bounds == sorted(set(bounds)) or start == end
        assert all(re.fullmatch(positions.PATTERN, position) for position in found)


def test_even_positions_are_refused_where_there_is_no_room() -> None:
    assert positions.evenly(1, "a1", "a2", length=2) is None
    assert positions.evenly(2, "a1", "a2", length=3) == ["a1c", "a1o"]
