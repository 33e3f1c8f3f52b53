"""Two texts at the same time (PostgreSQL)."""

from __future__ import annotations

import pytest

from tests.conftest import Person
from tests.todos.races import one_waits
from todo_project.todos.models import Label, Task

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_two_texts_with_the_same_new_labels_create_them_once(alice: Person) -> None:
    first, second = one_waits(
        lambda: alice.api.post("/tasks/quick", {"text": "dig @tools @garden"}),
        lambda: alice.api.post("/tasks/quick", {"text": "weed @Garden @Tools"}),
    )
    assert (first.status_code, second.status_code) == (201, 201), second.content
    assert first.json()["task"]["labels"] == second.json()["task"]["labels"]
    assert (Label.objects.count(), Task.objects.count()) == (2, 2)
