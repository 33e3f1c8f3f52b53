"""Two at the same moment: one of them wins, and nothing is done twice (PostgreSQL)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, post_task
from todo_project.db.rows import uuid7
from todo_project.todos.models import Task

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PATIENCE = 120  # seconds; the machine may be busy


def at_once(*requests: Callable[[], Any]) -> list[Any]:
    """Send the requests from as many threads, and give the answers in their order."""
    barrier, answers = threading.Barrier(len(requests)), [None] * len(requests)

    def send(position: int) -> None:
        barrier.wait()
        try:
            answers[position] = requests[position]()
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(position,)) for position in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert None not in answers
    return answers


def statuses(answers: list[Any]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


@pytest.mark.parametrize("turn", range(3))
def test_of_two_changes_of_one_version_one_wins(alice: Person, turn: int) -> None:
    task = post_task(alice)
    path, held = f"/tasks/{task['id']}", {"If-Match": alice.api.get(f"/tasks/{task['id']}")["ETag"]}
    answers = at_once(*(lambda n=n: alice.api.patch(path, {"title": f"Title {n}"}, headers=held) for n in range(4)))
    assert statuses(answers) == [200, 412, 412, 412]
    (won,) = [answer for answer in answers if answer.status_code == 200]
    assert alice.api.get(path).json() == won.json()


@pytest.mark.parametrize("turn", range(3))
def test_two_completions_make_one_next_task(alice: Person, turn: int) -> None:
    task = post_task(alice, due={"date": "2026-11-30"}, recurrence={"rule": "FREQ=DAILY"})
    answers = at_once(*[lambda: alice.api.post(f"/tasks/{task['id']}/complete")] * 4)
    assert statuses(answers) == [200] * 4
    assert len({answer.json()["next_task_id"] for answer in answers}) == 1
    assert Task.objects.count() == 2


@pytest.mark.parametrize("turn", range(3))
def test_one_id_is_made_once(alice: Person, turn: int) -> None:
    path = f"/tasks/{uuid7()}"
    answers = at_once(*[lambda: alice.api.put(path, {"title": "Dig"})] * 4)
    assert statuses(answers) == [200, 200, 200, 201]
    assert len({answer["ETag"] for answer in answers}) == 1
    assert Task.objects.count() == 1


def test_one_key_makes_one_task(alice: Person) -> None:
    key = {"Idempotency-Key": "k1"}
    answers = at_once(*[lambda: alice.api.post("/tasks", {"title": "Dig"}, headers=key)] * 4)
    assert statuses(answers) == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_change_that_waited_replaces_the_labels_that_are_there_then(alice: Person) -> None:
    old, theirs, ours = (make(alice, "labels", name=name)["id"] for name in ("old", "theirs", "ours"))
    path = f"/tasks/{post_task(alice, labels=[old])['id']}"
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(_patched(alice, path, {"labels": [ours]})))
    with transaction.atomic():
        assert alice.api.patch(path, {"labels": [theirs]}).status_code == 200
        waiting.start()
        _until_somebody_waits_for_us()
    waiting.join(PATIENCE)
    assert [answer.json()["labels"] for answer in answers] == [[ours]]
    assert alice.api.get(path).json() == answers[0].json()


def _patched(who: Person, path: str, changes: dict[str, Any]) -> Any:
    try:
        return who.api.patch(path, changes)
    finally:
        connection.close()


def _until_somebody_waits_for_us() -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone() != (0,):
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize("turn", range(3))
def test_two_tasks_do_not_come_to_be_below_each_other(alice: Person, turn: int) -> None:
    one, other = post_task(alice, project_id=make_project(alice)["id"]), post_task(alice)
    answers = at_once(
        lambda: alice.api.patch(f"/tasks/{one['id']}", {"parent_id": other["id"]}),
        lambda: alice.api.patch(f"/tasks/{other['id']}", {"parent_id": one["id"]}),
    )
    assert all(status in (200, 400, 409) for status in statuses(answers))
    assert Task.objects.filter(parent_id=None).exists()


@pytest.mark.parametrize("turn", range(3))
def test_whatever_happens_at_once_nothing_lives_in_the_trash_and_nobody_waits_forever(
    alice: Person, turn: int
) -> None:
    project = make_project(alice)
    section, label = make_section(alice, project), make(alice, "labels", name="urgent")
    place = {"project_id": project["id"], "section_id": section["id"]}
    recurring = post_task(alice, **place, due={"date": "2026-11-30"}, recurrence={"rule": "FREQ=DAILY"})
    other = post_task(alice)
    answers = at_once(
        lambda: alice.api.delete(f"/projects/{project['id']}"),
        lambda: alice.api.post("/tasks", {"title": "Dig", **place}),
        lambda: alice.api.post(f"/tasks/{recurring['id']}/complete"),
        lambda: alice.api.patch(f"/tasks/{other['id']}", {**place, "labels": [label["id"]]}),
        lambda: alice.api.delete(f"/labels/{label['id']}"),
        lambda: alice.api.post(f"/tasks/{recurring['id']}/move", {"parent_id": None}),
    )
    assert all(status < 500 for status in statuses(answers))
    assert not Task.objects.filter(project_id=project["id"], deleted_at=None).exists()
