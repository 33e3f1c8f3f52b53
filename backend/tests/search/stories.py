"""What stories about the search begin with."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from tests.conftest import Person


def search(who: Person, text: str, **more: Any) -> list[dict[str, Any]]:
    """Return the results of the first page."""
    answer = who.api.get(f"/search?{urlencode({'q': text, **more})}")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]  # type: ignore[no-any-return]


def found(who: Person, text: str, **more: Any) -> list[str]:
    """Return the titles of the tasks and the texts of the comments that are found."""
    return [each["data"].get("title") or each["data"]["text"] for each in search(who, text, **more)]


def marked(result: dict[str, Any]) -> list[str]:
    """Return the marked parts of a result's snippet."""
    text = result["snippet"]["text"]
    return [text[start:end] for start, end in result["snippet"]["marks"]]
