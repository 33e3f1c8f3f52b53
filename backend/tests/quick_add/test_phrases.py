"""The tables of phrases: each text has the reading that a person expects."""

from __future__ import annotations

import pytest

from tests.quick_add.phrases import FOLDER, row_of, table
from todo_project.quick_add.services.reading import read

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


def test_the_tables_are_large_enough_and_repeat_nothing() -> None:
    texts = [row[0] for name in TABLES for row in table(name).rows]
    assert len(texts) >= PHRASES_MIN
    assert len(texts) == len(set(texts))
