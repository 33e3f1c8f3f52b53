"""The limits fit each other."""

from __future__ import annotations

from typing import Any

from todo_project.todos.checks import check_task_lengths


def test_limits_that_fit_are_not_mentioned() -> None:
    assert check_task_lengths(None) == []


def test_a_task_that_fits_no_request_is_told(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
    assert [message.id for message in check_task_lengths(None)] == ["todos.W001"]
