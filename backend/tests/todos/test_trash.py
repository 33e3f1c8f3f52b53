"""What is deleted together comes back together, and goes for good together."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import alive, fill, make, make_project, make_section, make_task
from todo_project.jobs.queue import registry
from todo_project.todos.models import Label, Project, Section, Task, TaskLabel
from todo_project.todos.services import purge


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Let a story pass in a known time."""
    with time_machine.travel(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) as traveller:
        yield traveller


def test_a_project_takes_along_what_it_holds_and_brings_it_back(alice: Person) -> None:
    top = make_project(alice)
    below = make_project(alice, parent_id=top["id"])
    section = make_section(alice, below)
    task = make_task(alice, project_id=below["id"], section_id=section["id"])
    before = make_task(alice, project_id=below["id"], deleted_at=timezone.now())
    beside = make_project(alice)
    everything = (top["id"], below["id"], section["id"], str(task.id), str(before.id), beside["id"])

    assert alice.api.delete(f"/projects/{top['id']}").status_code == 204
    assert alive(*everything) == [False, False, False, False, False, True]
    task.refresh_from_db()
    assert task.deleted_at == Project.objects.get(id=top["id"]).deleted_at == task.updated_at
    assert task.version == 2

    assert alice.api.post(f"/projects/{top['id']}/restore").status_code == 200
    assert alive(*everything) == [True, True, True, True, False, True]
    task.refresh_from_db()
    assert task.version == 3


def test_what_was_deleted_earlier_stays_deleted(alice: Person) -> None:
    top = make_project(alice)
    earlier = make_project(alice, parent_id=top["id"])
    alice.api.delete(f"/projects/{earlier['id']}")
    alice.api.delete(f"/projects/{top['id']}")
    alice.api.post(f"/projects/{top['id']}/restore")
    assert alive(top["id"], earlier["id"]) == [True, False]
    alice.api.post(f"/projects/{earlier['id']}/restore")
    assert alive(earlier["id"]) == [True]


def test_nothing_is_restored_into_the_trash(alice: Person) -> None:
    top = make_project(alice, name="Top")
    below, section = make_project(alice, parent_id=top["id"]), make_section(alice, top)
    alice.api.delete(f"/projects/{top['id']}")
    for path in (f"/projects/{below['id']}", f"/sections/{section['id']}"):
        answer = alice.api.post(f"{path}/restore")
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:todo:problem:parent_is_trashed"
        assert f"/projects/{top['id']}/restore" in answer.json()["detail"]


def test_a_section_takes_its_tasks_along_and_brings_them_back(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    inside = make_task(alice, project_id=project["id"], section_id=section["id"])
    outside = make_task(alice, project_id=project["id"])
    alice.api.delete(f"/sections/{section['id']}")
    assert alive(str(inside.id), str(outside.id)) == [False, True]
    alice.api.post(f"/sections/{section['id']}/restore")
    assert alive(str(inside.id), section["id"]) == [True, True]


def test_a_task_that_was_imported_again_is_not_restored_beside_itself(alice: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    make_task(alice, project_id=project["id"], section_id=section["id"], uid="once")
    alice.api.delete(f"/sections/{section['id']}")
    again = make_task(alice, project_id=project["id"], uid="once", title="Again")
    answer = alice.api.post(f"/sections/{section['id']}/restore")
    assert answer.status_code == 409
    assert str(again.id) in answer.json()["detail"]
    assert alive(section["id"]) == [False]


def test_a_label_is_taken_off_its_tasks_and_put_back(alice: Person) -> None:
    project, label = make_project(alice), make(alice, "labels", name="home")
    task = make_task(alice, project_id=project["id"])
    TaskLabel.objects.create(task=task, label_id=label["id"])
    for step, path in enumerate((f"/labels/{label['id']}", f"/labels/{label['id']}/restore")):
        (alice.api.post if path.endswith("restore") else alice.api.delete)(path)
        changed = task.updated_at
        listed = alice.api.get(f"/tasks?label_id={label['id']}").json()["results"]
        assert [found["labels"] for found in listed] == [[label["id"]]] * step
        task.refresh_from_db()
        assert task.version == step + 2
        assert task.updated_at > changed
    assert TaskLabel.objects.filter(task=task, label_id=label["id"]).exists()


def test_two_thousand_tasks_take_a_handful_of_statements(alice: Person) -> None:
    project = make_project(alice)
    fill(alice, project, 2_000)
    for path in (f"/projects/{project['id']}", f"/projects/{project['id']}/restore"):
        with CaptureQueriesContext(connection) as statements:
            (alice.api.post if path.endswith("restore") else alice.api.delete)(path)
        assert len(statements) < 15
    assert Task.objects.alive().filter(project_id=project["id"], version=3).count() == 2_000


def test_the_job_deletes_what_was_long_in_the_trash(alice: Person, clock: time_machine.Traveller) -> None:
    old = make_project(alice)
    child, section = make_project(alice, parent_id=old["id"]), make_section(alice, old)
    task = make_task(alice, project_id=child["id"])
    sub = make_task(alice, project_id=child["id"], parent=task)
    done = make_task(alice, project_id=make_project(alice)["id"], next_task=sub)
    label = make(alice, "labels", name="old")
    TaskLabel.objects.create(task=done, label_id=label["id"])
    alice.api.delete(f"/projects/{old['id']}")
    alice.api.delete(f"/labels/{label['id']}")
    clock.shift(dt.timedelta(days=29))
    young = make_project(alice)
    alice.api.delete(f"/projects/{young['id']}")
    registry["todos.purge_trash"].run()
    assert Project.objects.filter(id=old["id"]).exists()

    clock.shift(dt.timedelta(days=2))
    registry["todos.purge_trash"].run(timestamp=int(time.time()))
    assert not Project.objects.filter(id__in=[old["id"], child["id"]]).exists()
    assert not Section.objects.filter(id=section["id"]).exists()
    assert not Task.objects.filter(id__in=[task.id, sub.id]).exists()
    assert not Label.objects.filter(id=label["id"]).exists()
    assert Project.objects.filter(id=young["id"]).exists()
    version = done.version
    done.refresh_from_db()
    assert done.next_task_id is None
    assert done.version > version


def test_a_purge_goes_in_batches_and_counts(alice: Person) -> None:
    project = make_project(alice)
    fill(alice, project, 25)
    alice.api.delete(f"/projects/{project['id']}")
    later = timezone.now() + dt.timedelta(days=1)
    counts = purge.purge_trash(before=later, now=later, batch=10)
    assert counts == {"Task": 25, "Section": 0, "Project": 1, "Label": 0, "SavedFilter": 0}
    assert purge.purge_trash(before=later, now=later)["Task"] == 0


def test_subtasks_go_where_their_section_goes(alice: Person) -> None:
    here, there = make_project(alice), make_project(alice)
    section = make_section(alice, here)
    task = make(alice, "tasks", title="Dig", section_id=section["id"])
    below = make(alice, "tasks", title="Find the spade", parent_id=task["id"])
    path = f"/sections/{section['id']}"
    alice.api.patch(path, {"project_id": there["id"]})
    assert alice.api.get(f"/tasks/{below['id']}").json()["project_id"] == there["id"]
    alice.api.delete(path)
    assert alive(task["id"], below["id"]) == [False, False]
    alice.api.post(f"{path}/restore")
    assert alive(task["id"], below["id"]) == [True, True]


def test_labels_of_tasks_are_shown_while_they_are_alive(alice: Person) -> None:
    label = make(alice, "labels", name="home")
    answer = alice.api.post("/tasks", {"title": "Dig", "labels": [label["id"]]})
    path, tag = answer["Location"], answer["ETag"]
    alice.api.delete(f"/labels/{label['id']}")
    hidden = alice.api.get(path, headers={"If-None-Match": tag})
    assert hidden.status_code == 200
    assert hidden.json()["labels"] == []
    alice.api.post(f"/labels/{label['id']}/restore")
    assert alice.api.get(path).json()["labels"] == [label["id"]]
