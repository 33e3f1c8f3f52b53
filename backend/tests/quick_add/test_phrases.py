"""The tables of phrases: each text has the reading that a person expects."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo

import pytest

from tests.architecture.source import REPOSITORY
from tests.quick_add.phrases import FOLDER, Known, Table, row_of, table
from todo_project.quick_add.services.reading import read
from todo_project.todos.services.wording import describe

TABLES = sorted(path.name for path in FOLDER.glob("*.txt"))
PHRASES_MIN = 300


@pytest.mark.parametrize("name", TABLES)
def test_every_text_has_its_reading(name: str) -> None:
    found = table(name)
    readings = (read(row[0], names=found.names, now=found.now, zone=found.zone) for row in found.rows)
    wrong = [
        f"{got}\n  instead of {row}"
        for row, reading in zip(found.rows, readings, strict=True)
        if (got := row_of(row[0], reading, found)) != row
    ]
    assert not wrong, "\n".join(wrong)


def test_the_tables_are_large_enough() -> None:
    assert len({row[0] for name in TABLES for row in table(name).rows}) >= PHRASES_MIN


RULES = sorted({row[3] for name in TABLES for row in table(name).rows if row[3]})


@pytest.mark.parametrize(("language", "title"), [("en", "dig "), ("zh", "锻炼 ")])
def test_a_rule_is_understood_in_the_words_that_describe_it(language: str, title: str) -> None:
    wrong = []
    for rule, _, mark in (each.partition(" ") for each in RULES):
        mode = "completion" if mark else "schedule"
        text = title + describe(rule, mode)[language]
        reading = read(text, names=Known(), now=EXAMPLES.now, zone=EXAMPLES.zone)
        if (reading.title, reading.recurrence) != (title.strip(), {"rule": rule, "mode": mode}):
            wrong.append(f"{text}: {reading.title}, {reading.recurrence}")
    assert not wrong, "\n".join(wrong)


PAGE = (REPOSITORY / "docs" / "quick-add.md").read_text(encoding="utf-8")
EXAMPLES = Table(
    now=dt.datetime(2026, 11, 24, 10, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    zone="Europe/Berlin",
    names=Known(
        known_projects=("Home", "Summer house"),
        known_labels=("finance",),
        known_people=("me",),
        known_sections=("Kitchen",),
    ),
    rows=tuple(
        (text, *(cell.strip() for cell in f"{cells}|||".split("|")[:4]))
        for text, cells in re.findall(r"^\| `(.+?)` \|(.*)\|$", PAGE, re.MULTILINE)
    ),
)


@pytest.mark.parametrize("row", EXAMPLES.rows, ids=lambda row: row[0])
def test_the_examples_for_people_are_true(row: tuple[str, ...]) -> None:
    assert row_of(row[0], read(row[0], names=EXAMPLES.names, now=EXAMPLES.now, zone=EXAMPLES.zone), EXAMPLES) == row
