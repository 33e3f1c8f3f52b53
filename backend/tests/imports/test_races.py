"""Imports and other requests at the same moment (PostgreSQL)."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.conftest import Person
from tests.imports.calendars import calendar, todo
from tests.imports.stories import counts, imported, send, task
from todo_project.imports.services import writing

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_two_imports_of_one_file_at_the_same_moment_make_each_task_once(alice: Person) -> None:
    data = calendar(*[todo("CATEGORIES:Home", uid=f"{number}") for number in range(50)])

    def run(_: int) -> tuple[int, int, int]:
        try:
            return counts(imported(alice, data))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        results = sorted(pool.map(run, range(3)))
    assert results == [(0, 0, 50), (0, 0, 50), (50, 0, 0)]


def test_a_task_that_moves_before_the_projects_are_locked_is_not_created_again(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(alice, calendar(todo()))
    garden = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
    path = f"/tasks/{task(alice)['id']}"
    projects_of = writing.Writer._projects_of

    def move() -> int:
        try:
            return int(alice.api.patch(path, {"project_id": garden}).status_code)
        finally:
            connection.close()

    def projects_before_the_move(self: writing.Writer, uids: set[str]) -> set[uuid.UUID]:
        found = projects_of(self, uids)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(move).result() == 200
        return found

    with monkeypatch.context() as patched:
        patched.setattr(writing.Writer, "_projects_of", projects_before_the_move)
        assert send(alice, calendar(todo("PRIORITY:1"))).status_code == 409
    assert counts(imported(alice, calendar(todo("PRIORITY:1")))) == (0, 1, 0)
    assert task(alice)["project_id"] == garden
