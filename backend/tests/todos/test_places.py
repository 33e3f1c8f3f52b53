"""The rule of placement.py: what generated histories of writes leave behind, and the cases that broke it once."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.todos.histories import SETUP, SHARED, History, steps
from tests.todos.races import interleaved
from tests.todos.stories import alive, broken_rules, make_project, make_section, pointers, post_task
from todo_project.todos.models import Task
from todo_project.todos.services.purge import purge_trash


@pytest.mark.parametrize("seed", range(16))
def test_no_history_of_writes_breaks_the_rule_or_loses_rows(alice: Person, seed: int) -> None:
    history = History(alice.user)
    for step in (*SETUP, *steps(seed, 60)):
        history.run(step)


@pytest.mark.parametrize("seed", range(16))
def test_no_history_of_several_people_does(alice: Person, bob: Person, mallory: Person, seed: int) -> None:
    history = History(alice.user, bob.user, mallory.user)
    for step in (*SHARED, *steps(seed + 1000, 60)):
        history.run(step)


def test_a_history_restores_the_next_task_of_a_reopened_one(alice: Person) -> None:
    history = History(alice.user)
    for step in (("create_task", 0, 0, 0, 8), ("complete_task", 1, 0, 0, 0), ("reopen_task", 0, 0, 0, 0)):
        history.run(step)
    task, following = Task.objects.alive().get(), Task.objects.exclude(deleted_at=None).get()
    numbers = {id_: 4 * n for n, id_ in enumerate(sorted([task.id, following.id]))}
    history.run(("restore_task", numbers[following.id], 0, 0, 0))
    assert history.restored() == {task.id: following.id}
    history.run(("complete_task", numbers[task.id], 0, 0, 0))
    assert Task.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(100, 104))
@pytest.mark.parametrize("is_shared", [False, True])
def test_no_history_of_two_writes_at_the_same_time_does(
    alice: Person, bob: Person, mallory: Person, seed: int, is_shared: bool
) -> None:
    history = History(alice.user, bob.user, mallory.user) if is_shared else History(alice.user)
    for step in (*(SHARED if is_shared else SETUP), *steps(seed, 10)):
        history.run(step)
    pairs = zip(steps(seed + 100, 20), steps(seed + 200, 20), strict=True)
    for one, other in pairs:
        before = history.living()
        interleaved(partial(history.write, one), partial(history.write, other))
        assert broken_rules() == [], (one, other)
        assert before <= history.living() | history.trashed().keys(), (one, other)  # none is purged


def test_a_subtask_that_goes_to_another_section_leaves_its_parent(alice: Person) -> None:
    project = make_project(alice)
    spring, autumn = make_section(alice, project), make_section(alice, project, name="Autumn")
    parent = post_task(alice, section_id=spring["id"])
    child = post_task(alice, parent_id=parent["id"])
    below = post_task(alice, parent_id=child["id"])
    assert child["section_id"] == spring["id"]
    changed = alice.api.patch(f"/tasks/{child['id']}", {"section_id": autumn["id"]}).json()
    assert (changed["section_id"], changed["parent_id"]) == (autumn["id"], None)
    assert alice.api.get(f"/tasks/{below['id']}").json()["section_id"] == autumn["id"]
    assert alice.api.delete(f"/sections/{spring['id']}").status_code == 204
    assert alive(parent["id"], child["id"], below["id"]) == [False, True, True]
    purge_trash(before=timezone.now() + dt.timedelta(days=1), now=timezone.now())
    assert alive(child["id"], below["id"]) == [True, True]


def test_a_section_takes_every_task_under_its_tasks_along(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    section = make_section(alice, here)
    parent = post_task(alice, section_id=section["id"])
    child = post_task(alice, parent_id=parent["id"])
    alice.api.delete(f"/tasks/{child['id']}")
    alice.api.patch(f"/sections/{section['id']}", {"project_id": there["id"]})
    back = alice.api.post(f"/tasks/{child['id']}/restore").json()
    assert (back["project_id"], back["section_id"], back["parent_id"]) == (there["id"], section["id"], parent["id"])


def test_a_subtask_cannot_name_another_section_than_its_parents(alice: Person) -> None:
    section = make_section(alice, make_project(alice))
    parent = post_task(alice, project_id=section["project_id"])
    body = {"title": "Dig", "parent_id": parent["id"], "section_id": section["id"]}
    assert pointers(alice.api.post("/tasks", body)) == ["/section_id"]
    task = post_task(alice)
    del body["title"]
    assert pointers(alice.api.patch(f"/tasks/{task['id']}", body)) == ["/section_id"]
    assert pointers(alice.api.post(f"/tasks/{task['id']}/move", body)) == ["/section_id"]


def test_putting_what_was_read_keeps_the_place(alice: Person) -> None:
    section = make_section(alice, make_project(alice))
    parent = post_task(alice, section_id=section["id"])
    child = post_task(alice, parent_id=parent["id"])
    body = {"title": "Dig", **{name: child[name] for name in ("project_id", "section_id", "parent_id")}}
    assert alice.api.put(f"/tasks/{child['id']}", body).json() == child


def test_nothing_alive_is_purged_even_where_the_rule_was_broken(alice: Person) -> None:
    parent = post_task(alice)
    child = post_task(alice, parent_id=parent["id"])
    Task.objects.filter(id=parent["id"]).update(
        deleted_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    )  # past the services
    purged = purge_trash(before=timezone.now(), now=timezone.now())
    assert purged["Task"] == 0
    assert alive(parent["id"], child["id"]) == [False, True]
