"""What stories about comments begin with."""

from __future__ import annotations

from typing import Any

from tests.conftest import Person
from tests.todos.stories import make


def post_comment(
    who: Person, task: dict[str, Any], text: str = "Bob has a ladder.", **values: Any
) -> dict[str, Any]:
    """Write a comment over the API."""
    return make(who, "comments", task_id=task["id"], text=text, **values)


def count(who: Person, task: dict[str, Any]) -> int:
    """Return the number of comments that a task shows."""
    shown: int = who.api.get(f"/tasks/{task['id']}").json()["comment_count"]
    return shown


def listed(who: Person, task: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    """Return the first page of the comments on a task."""
    answer = who.api.get(f"/comments?task_id={task['id']}{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]  # type: ignore[no-any-return]
