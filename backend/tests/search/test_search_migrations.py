"""What the migrations do in a database that has been in use."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.state import ProjectState

from tests.comments.stories import post_comment
from tests.conftest import Person
from tests.todos.stories import post_task
from todo_project.db.words.characters import ALIKE
from todo_project.db.words.operations import FillDocuments, FoldAgain, KeepDocuments
from todo_project.search.models import Document

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def documents() -> list[Any]:
    return list(
        Document.objects.order_by("object_id").values_list("kind", "object_id", "task_id", "title", "words")
    )


def test_rows_from_before_the_triggers_are_filled_in_once(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("todo_project.db.words.operations._BATCH", 2)
    for n in range(5):
        task = post_task(alice, title=f"Dig {n}", description="the garden")
        post_comment(alice, task, f"With {n} spades")
    alice.api.delete(f"/tasks/{task['id']}")
    kept = documents()
    assert len(kept) == 8
    Document.objects.filter(id__in=Document.objects.values("id")[2:]).delete()
    with connection.schema_editor(atomic=False) as editor:
        for _ in range(2):
            FillDocuments().database_forwards("search", editor, ProjectState(), ProjectState())
            assert documents() == kept


def test_the_triggers_are_replaced_and_dropped(alice: Person) -> None:
    state = ProjectState()
    with connection.schema_editor(atomic=False) as editor:
        KeepDocuments().database_backwards("search", editor, state, state)
        post_task(alice)
        assert documents() == []
        for _ in range(2):
            KeepDocuments().database_forwards("search", editor, state, state)
    post_task(alice)
    assert len(documents()) == 1


def test_texts_are_folded_again(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("todo_project.db.words.operations._BATCH", 2)
    tasks = [post_task(alice, title=title) for title in ("Łodz", "Dig", "Đà Lạt", "Lódz")]
    post_comment(alice, tasks[1], "Smørrebrød")
    kept = documents()
    with monkeypatch.context() as patch, connection.schema_editor(atomic=False) as editor:
        patch.setattr("todo_project.db.words.postgresql.ALIKE", {"ß": "ss", "ς": "σ"})
        FoldAgain().database_forwards("search", editor, ProjectState(), ProjectState())
    assert documents() != kept
    with connection.schema_editor(atomic=False) as editor:
        for _ in range(2):
            FoldAgain().database_forwards("search", editor, ProjectState(), ProjectState())
            assert documents() == kept


def test_ascii_texts_are_not_folded_again(alice: Person) -> None:
    task = post_task(alice, title="Dig")
    post_comment(alice, task, "Spades")
    other = post_task(alice, title="Dig", description="près de Łodz")
    Document.objects.update(words="kept")
    with connection.schema_editor(atomic=False) as editor:
        FoldAgain().database_forwards("search", editor, ProjectState(), ProjectState())
    folded = Document.objects.exclude(words="'kept'")
    assert [str(each) for each in folded.values_list("object_id", flat=True)] == [other["id"]]


def test_each_process_creates_the_same_functions() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'search_fold'")
        ((text,),) = cursor.fetchall()
    replaced = re.findall(r"'(\w)', '\w{2}'\)", text)
    assert replaced == [letter for letter, same in ALIKE.items() if len(same) > 1]
