"""The compiled queries of the search: which are sent, and that the ORM would send the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.search.stories import search
from tests.todos.stories import post_task
from todo_project.db.rows import uuid7
from todo_project.search.services import candidates
from todo_project.search.services.candidates import Words

USER, FLOOR, JOINED = uuid7(), uuid7(), [uuid7(), uuid7()]
PLACES: dict[str, dict[str, Any]] = {
    "recent": {"user_id": USER, "floor": FLOOR},
    "older": {"user_id": USER, "floor": FLOOR},
    "shared": {"user_id": USER, "joined": JOINED},
}
# a word too short to be mistyped between two others, of which one is repeated
WORDS: dict[str, Words] = {
    "as typed": candidates.as_typed(["garden", "dig", "%s"]),
    "mistyped": candidates.mistyped(["garden", "dig", "gardens"]),
}


def selects(run: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        run()
    return [query["sql"] for query in captured if "SELECT" in query["sql"]]


@pytest.mark.django_db
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("words", WORDS)
def test_a_kept_statement_is_what_the_orm_would_send(place: str, words: str) -> None:
    is_older, wanted = place == "older", WORDS[words]
    statement = candidates._STATEMENTS[frozenset({*wanted.values, *PLACES[place]})]
    built = statement._build(**wanted.values, **PLACES[place], **wanted.variant, limit=7, is_older=is_older)
    sent = selects(
        lambda: candidates.rows(wanted, PLACES[place], limit=7, condition=None, is_older=is_older),
    )
    assert sent == selects(lambda: list(built))


@pytest.mark.django_db
def test_the_kept_floor_is_what_the_orm_would_send() -> None:
    built = candidates._FLOOR._build(user_id=USER, place=3)
    assert selects(lambda: candidates.floor(USER, 3)) == selects(lambda: list(built))


def sent_by_search(who: Person, text: str) -> Sequence[str]:
    return selects(lambda: search(who, text))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_search_costs_few_statements(alice: Person) -> None:
    post_task(alice, title="Dig the garden")
    token, settings, floor, recent, rows = sent_by_search(alice, "dig")
    assert "accounts_apitoken" in token
    assert "plan_cache_mode" in settings, "nobody is named to the log of changes"
    assert "search_document" in floor
    assert "search_document" in recent
    assert "todos_task" in rows


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_word_that_may_be_mistyped_costs_two_more(alice: Person) -> None:
    post_task(alice, title="Dig the garden")
    *_, recent, bitmaps, mistyped, rows = sent_by_search(alice, "garden")
    assert "enable_bitmapscan" in bitmaps
    assert ("search_document" in recent, "search_document" in mistyped, "todos_task" in rows) == (True, True, True)
