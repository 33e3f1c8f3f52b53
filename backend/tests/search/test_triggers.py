"""What the triggers of the search do for each row, since one statement can write thousands."""

from __future__ import annotations

from typing import get_args

import pytest

from todo_project.db.triggers import Event
from todo_project.db.words.documents import Documents, sources


@pytest.mark.parametrize("documents", sources, ids=lambda each: each.name)
@pytest.mark.parametrize("event", get_args(Event))
def test_a_trigger_does_not_look_for_the_row_that_was_written(documents: Documents, event: Event) -> None:
    """A plan that was kept from a time of few rows would read a whole index for each row."""
    for statement in documents.statements(event):
        assert f" {documents.table} " not in statement.replace("\n", " ")


@pytest.mark.parametrize("documents", sources, ids=lambda each: each.name)
def test_nothing_is_looked_for_in_the_trash(documents: Documents) -> None:
    delete, insert = documents.statements("UPDATE")
    assert "OLD.deleted_at IS NULL" in delete
    alias = documents.key.partition(".")[0]
    assert "NEW.deleted_at AS deleted_at" in insert
    assert f"{alias}.deleted_at IS NULL" in insert


def test_a_new_task_is_not_searched_for_comments() -> None:
    kinds = {each.kind: [*each.statements("INSERT")] for each in sources if each.table == "todos_task"}
    assert [len(kinds["task"]), len(kinds["comment"])] == [1, 0]
