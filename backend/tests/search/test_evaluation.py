"""Generated texts and queries: exactly what a plain evaluation in Python finds, and nothing of others."""

from __future__ import annotations

import random
from typing import Any

from django.utils import timezone

from tests.conftest import Person
from tests.search.stories import search
from tests.todos.stories import make_project, share
from todo_project.comments.models import Comment
from todo_project.todos.models import Project, Role, Task

# short, so that none is taken for another one mistyped
WORDS = ("a", "ab", "abc", "b", "ba", "bac", "Éa", "1", "12", "明天", "天明天", "明", "买ab", "ab买")
MARKS = (" ", ", ", " - ", "/")


def is_match(text: str, query: str) -> bool:
    """Evaluate a query: each of its words begins a word of the text, or is anywhere in a Chinese one."""
    words = text.lower().replace("é", "e")
    for mark in MARKS[1:]:
        words = words.replace(mark, " ")
    spaced = words.replace("买", " 买 ").split(" ")
    return all(
        any(word.startswith(each) or (each[0] in "明天买" and each in word) for word in spaced)
        for each in query.lower().replace("é", "e").replace("买", " 买 ").split()
    )


def sentence(chance: random.Random, length: int) -> str:
    """Return some words with something between them."""
    return "".join(chance.choice(WORDS) + chance.choice(MARKS) for _ in range(length)).strip(" ,-/") or "x"


def fill(chance: random.Random, owner: Person, project: Project) -> list[tuple[Any, str]]:
    """Make tasks and comments, some in the trash; return the ids and texts of those that are not."""
    dates = {"created_at": timezone.now(), "updated_at": timezone.now()}
    tasks = Task.objects.bulk_create(
        Task(
            owner=owner.user,
            project=project,
            position="a1",
            title=sentence(chance, 3),
            description=sentence(chance, chance.randrange(4)),
            deleted_at=timezone.now() if chance.random() < 0.2 else None,
            **dates,
        )
        for _ in range(25)
    )
    comments = Comment.objects.bulk_create(
        Comment(
            task=task,
            text=sentence(chance, 2),
            deleted_at=timezone.now() if chance.random() < 0.2 else None,
            **dates,
        )
        for task in tasks[:10]
    )
    texts = [(task.id, f"{task.title} - {task.description}") for task in tasks if task.deleted_at is None]
    alive = [each for each in comments if each.deleted_at is None and each.task.deleted_at is None]
    return texts + [(comment.id, comment.text) for comment in alive]


def test_everything_that_matches_is_found_and_nothing_else(alice: Person, bob: Person, mallory: Person) -> None:
    chance = random.Random(35)
    shared, private = make_project(bob), make_project(bob, name="Private")
    share(shared, alice, Role.VIEWER)
    texts = fill(chance, alice, Project.objects.get(owner=alice.user))
    texts += fill(chance, bob, Project.objects.get(id=shared["id"]))
    fill(chance, bob, Project.objects.get(id=private["id"]))
    matched = 0
    for _ in range(40):
        query = " ".join(chance.choice(WORDS) for _ in range(chance.choice((1, 1, 2, 3))))
        expected = {str(row_id) for row_id, text in texts if is_match(text, query)}
        assert {each["id"] for each in search(alice, query, limit=200)} == expected, query
        assert search(mallory, query) == []
        matched += len(expected)
    assert matched > 100
