"""Labels of several people on the tasks of a shared project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, pointers, post_task, share
from todo_project.todos.models import Role, Task


@pytest.fixture
def project(alice: Person, bob: Person) -> dict[str, Any]:
    """Alice's project, in which Bob is an editor."""
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    return project


def label(who: Person, name: str) -> str:
    return str(make(who, "labels", name=name)["id"])


def labels_of(who: Person, task: dict[str, Any]) -> set[str]:
    return set(who.api.get(f"/tasks/{task['id']}").json()["labels"])


def test_everybody_sees_the_labels_of_a_task(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    his, hers = label(bob, "his"), label(alice, "hers")
    task = post_task(bob, project_id=project["id"], labels=[his])
    assert alice.api.patch(f"/tasks/{task['id']}", {"labels": [his, hers]}).status_code == 200
    for who in (alice, bob):
        assert labels_of(who, task) == {his, hers}
        for each in (his, hers):
            assert who.api.get(f"/labels/{each}").status_code == 200
        assert {each["id"] for each in who.api.get("/labels").json()["results"]} == {his, hers}


def test_a_label_can_be_used_where_it_is_in_use(
    alice: Person, bob: Person, mallory: Person, project: dict[str, Any]
) -> None:
    his, unused, secret = label(bob, "his"), label(bob, "unused"), label(mallory, "secret")
    post_task(bob, project_id=project["id"], labels=[his])
    task, elsewhere = post_task(alice, project_id=project["id"]), post_task(alice)
    assert alice.api.patch(f"/tasks/{task['id']}", {"labels": [his]}).json()["labels"] == [his]
    for refused in (unused, secret):
        assert pointers(alice.api.patch(f"/tasks/{task['id']}", {"labels": [refused]})) == ["/labels/0"]
    assert pointers(alice.api.patch(f"/tasks/{elsewhere['id']}", {"labels": [his]})) == ["/labels/0"]
    assert pointers(alice.api.post("/tasks", {"title": "x", "labels": [his]})) == ["/labels/0"]


def test_labels_can_always_be_sent_back(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task = post_task(bob, project_id=project["id"], labels=[label(bob, "his")])
    alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}")
    held = alice.api.get(f"/tasks/{task['id']}").json()
    assert alice.api.put(f"/tasks/{task['id']}", held).json() == held
    assert alice.api.patch(f"/tasks/{task['id']}", {"labels": held["labels"], "title": "New"}).status_code == 200


@pytest.mark.parametrize("way", ["patch", "move", "section"])
def test_a_task_leaves_unknown_labels_behind(
    alice: Person, bob: Person, person: Callable[..., Person], project: dict[str, Any], way: str
) -> None:
    carol = person("carol")
    share(project, carol, Role.EDITOR)
    his, hers, third, used = label(bob, "his"), label(alice, "hers"), label(carol, "third"), label(carol, "used")
    section = make_section(alice, project)
    other = post_task(carol, project_id=project["id"], labels=[third, used])
    task = post_task(bob, section_id=section["id"], labels=[his, third, used])
    below = post_task(alice, parent_id=task["id"], labels=[hers, third])
    there = make_project(bob)
    share(there, carol, Role.EDITOR)
    post_task(carol, project_id=there["id"], labels=[used])
    to = {"project_id": there["id"]}
    requests = {
        "patch": lambda: bob.api.patch(f"/tasks/{task['id']}", to),
        "move": lambda: bob.api.post(f"/tasks/{task['id']}/move", to),
        "section": lambda: bob.api.patch(f"/sections/{section['id']}", to),
    }
    answer = requests[way]()
    assert answer.status_code == 200
    if way != "section":
        assert set(answer.json()["labels"]) == {his, used}
    assert labels_of(bob, task) == {his, used}
    assert labels_of(bob, below) == set()
    assert labels_of(bob, other) == {third, used}


def test_labels_and_project_can_change_together(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    his, hers = label(bob, "his"), label(alice, "hers")
    task = post_task(alice, project_id=project["id"], labels=[hers])
    own = make_project(bob)
    answer = bob.api.patch(f"/tasks/{task['id']}", {"project_id": own["id"], "labels": [hers, his]})
    assert answer.json()["labels"] == [his]
    assert labels_of(bob, task) == {his}


def test_a_label_in_the_trash_changes_the_tasks_of_others(
    alice: Person, bob: Person, project: dict[str, Any]
) -> None:
    his = label(bob, "his")
    task = post_task(bob, project_id=project["id"], labels=[his])
    assert bob.api.delete(f"/labels/{his}").status_code == 204
    assert Task.objects.get(id=task["id"]).version == 2
    assert labels_of(alice, task) == set()
    assert bob.api.post(f"/labels/{his}/restore").status_code == 200
    assert labels_of(alice, task) == {his}
    assert Task.objects.get(id=task["id"]).version == 3


def test_equal_names_of_two_people_do_not_collide(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    ids = [label(who, "urgent") for who in (alice, bob)]
    task = post_task(bob, project_id=project["id"], labels=[ids[1]])
    assert alice.api.patch(f"/tasks/{task['id']}", {"labels": ids}).json()["labels"] == sorted(ids)
