"""A task names its next one only while both are in the same project, which the same people see."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import Person
from tests.todos.logged import logged
from tests.todos.stories import broken_rules, make_project, make_section, post_task, share, updated
from tests.todos.test_migrations import Earlier
from todo_project.todos.models import Role, Task
from todo_project.todos.services import purge, repair

pytestmark = pytest.mark.django_db(transaction=True)
DAILY = {"due": {"date": "2030-01-01"}, "recurrence": {"rule": "FREQ=DAILY"}}


def post(who: Person, path: str, **body: Any) -> dict[str, Any]:
    answer = who.api.post(path, body)
    assert answer.status_code == 200, answer.content
    assert broken_rules() == []
    return answer.json()  # type: ignore[no-any-return]


def get(who: Person, path: str) -> dict[str, Any]:
    answer = who.api.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()  # type: ignore[no-any-return]


@pytest.fixture
def shared(alice: Person, bob: Person) -> dict[str, Any]:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    return project


@pytest.fixture
def done(alice: Person, shared: dict[str, Any]) -> dict[str, Any]:
    """A completed task in the shared project."""
    task = post_task(alice, project_id=shared["id"], title="Water", **DAILY)
    return post(alice, f"/tasks/{task['id']}/complete")


def shown_to(who: Person, task: dict[str, Any]) -> set[str | None]:
    """Return the ids of the next task that any response with the task has."""
    path = f"/tasks/{task['id']}"
    lists = [get(who, f"/tasks?{query}") for query in ("", "sort=due", "filter=is:done", "expand=project")]
    found = [
        each["data"] for page in ("/search?q=water", "/changes?limit=200") for each in get(who, page)["results"]
    ]
    rows = [get(who, path), *(row for each in lists for row in each["results"]), *found]
    moves = [each["fields"] for each in get(who, f"{path}/activity")["results"]]
    named = {
        change["next_task_id"][side] for change in moves for side in ("from", "to") if "next_task_id" in change
    }
    return named | {row["next_task_id"] for row in rows if row["id"] == task["id"]}


def test_it_is_not_named_after_it_moved_to_where_others_take_no_part(
    alice: Person, bob: Person, done: dict[str, Any]
) -> None:
    following = done["next_task_id"]
    assert shown_to(bob, done) == {None, following}, "null before it was completed"
    since = get(bob, "/changes?limit=200")["next_cursor"]
    tag = bob.api.get(f"/tasks/{done['id']}")["ETag"]
    post(alice, f"/tasks/{following}/move", project_id=None)
    assert shown_to(bob, done) == {None}
    assert bob.api.get(f"/tasks/{done['id']}", HTTP_IF_NONE_MATCH=tag).status_code == 200
    upserted = {each["id"]: each["data"] for each in get(bob, f"/changes?since={since}")["results"]}
    assert upserted[done["id"]]["next_task_id"] is None
    assert updated(upserted[done["id"]]) > updated(done)


def test_it_is_named_again_after_it_moved_back_or_the_move_was_undone(
    alice: Person, shared: dict[str, Any], done: dict[str, Any]
) -> None:
    following = done["next_task_id"]
    post(alice, f"/tasks/{following}/move", project_id=None)
    post(alice, f"/tasks/{following}/move", project_id=shared["id"])
    assert get(alice, f"/tasks/{done['id']}")["next_task_id"] == following
    post(alice, f"/tasks/{following}/move", project_id=None)
    change = get(alice, f"/tasks/{following}/activity?limit=1")["results"][0]
    post(alice, "/undo", change_id=change["id"])
    assert get(alice, f"/tasks/{done['id']}")["next_task_id"] == following


def test_the_task_before_moves_alone_or_with_it(
    alice: Person, shared: dict[str, Any], done: dict[str, Any]
) -> None:
    path, following = f"/tasks/{done['id']}", done["next_task_id"]
    assert post(alice, f"{path}/move", project_id=None)["next_task_id"] is None
    assert get(alice, path)["next_task_id"] is None
    assert post(alice, f"{path}/move", project_id=shared["id"])["next_task_id"] == following
    other, section = make_project(alice), make_section(alice, shared)
    answer = alice.api.patch(path, {"section_id": section["id"]})
    assert answer.json()["next_task_id"] == following, "in another section"
    assert alice.api.patch(f"/sections/{section['id']}", {"project_id": other["id"]}).status_code == 200
    assert get(alice, path)["next_task_id"] is None
    assert broken_rules() == []
    post(alice, f"/tasks/{following}/move", section_id=section["id"])
    assert get(alice, path)["next_task_id"] == following
    assert alice.api.patch(f"/sections/{section['id']}", {"project_id": shared["id"]}).status_code == 200
    assert get(alice, path)["next_task_id"] == following, "both are in the section"
    assert broken_rules() == []


def test_who_read_the_task_before_that_can_send_it_back(alice: Person, done: dict[str, Any]) -> None:
    post(alice, f"/tasks/{done['next_task_id']}/move", project_id=None)
    answer = alice.api.put(f"/tasks/{done['id']}", {**done, "title": "Water more"})
    assert (answer.status_code, answer.json()["next_task_id"]) == (200, None)


def test_subtasks_move_with_their_parent(alice: Person, shared: dict[str, Any]) -> None:
    parent = post_task(alice, project_id=shared["id"])
    step = post_task(alice, parent_id=parent["id"], **DAILY)
    following = post(alice, f"/tasks/{step['id']}/complete")["next_task_id"]
    post(alice, f"/tasks/{parent['id']}/move", project_id=None)
    assert get(alice, f"/tasks/{step['id']}")["next_task_id"] == following
    post(alice, f"/tasks/{following}/move", project_id=shared["id"])
    assert get(alice, f"/tasks/{step['id']}")["next_task_id"] is None


def test_a_reopened_task_is_completed_without_another_next_one(alice: Person, done: dict[str, Any]) -> None:
    path = f"/tasks/{done['id']}"
    post(alice, f"/tasks/{done['next_task_id']}/move", project_id=None)
    assert post(alice, f"{path}/reopen")["next_task_id"] is None
    assert post(alice, f"{path}/complete")["next_task_id"] is None
    assert Task.objects.alive().count() == 2


@pytest.mark.parametrize("action", ["complete", "undo"])
def test_a_next_task_that_was_restored_elsewhere_is_not_named(
    alice: Person, done: dict[str, Any], action: str
) -> None:
    path, following = f"/tasks/{done['id']}", done["next_task_id"]
    assert alice.api.post(f"{path}/reopen").status_code == 200
    reopening = get(alice, f"{path}/activity?limit=1")["results"][0]
    post(alice, f"/tasks/{following}/restore")
    post(alice, f"/tasks/{following}/move", project_id=None)
    if action == "undo":
        post(alice, "/undo", change_id=reopening["id"])
    else:
        post(alice, f"{path}/complete")
    now = get(alice, path)
    assert (now["completed_at"] is not None, now["next_task_id"]) == (True, None)
    assert Task.objects.alive().count() == 2


def test_the_log_says_nothing_of_it_that_the_release_before_does_not_know(
    alice: Person, done: dict[str, Any]
) -> None:
    again = post_task(alice, **DAILY)
    with logged() as changes:
        post(alice, f"/tasks/{done['next_task_id']}/move", project_id=None)
        post(alice, f"/tasks/{again['id']}/complete")
        post(alice, f"/tasks/{again['id']}/reopen")
    assert Task.objects.get(id=again["id"]).taken_back_id
    fields = {name for change in changes() for name in change.fields}
    assert fields >= {"project_id", "completed_at"}
    assert fields.isdisjoint({"is_next_elsewhere", "taken_back_id"})


def test_it_is_forgotten_with_the_next_task(alice: Person, done: dict[str, Any]) -> None:
    following = done["next_task_id"]
    post(alice, f"/tasks/{following}/move", project_id=None)
    assert alice.api.delete(f"/tasks/{following}").status_code == 204
    later = timezone.now() + dt.timedelta(days=1)
    assert purge.purge_trash(before=later, now=later)["Task"] == 1
    assert broken_rules() == []


def test_what_the_release_before_purges_is_noted_later(alice: Person, done: dict[str, Any]) -> None:
    post(alice, f"/tasks/{done['next_task_id']}/move", project_id=None)
    Task.objects.filter(id=done["next_task_id"]).delete()
    assert broken_rules()
    repair.repair_sharing(now=timezone.now())
    assert broken_rules() == []


def test_what_the_release_before_moves_is_noted_later(alice: Person, done: dict[str, Any]) -> None:
    inbox = Task.objects.get(id=post_task(alice)["id"]).project_id
    for project_id in (inbox, done["project_id"]):
        Task.objects.filter(id=done["next_task_id"]).update(project_id=project_id)
        assert broken_rules()
        repair.repair_sharing(now=timezone.now())
        assert broken_rules() == []


def test_many_are_noted_in_batches(alice: Person, done: dict[str, Any]) -> None:
    inbox = Task.objects.get(id=post_task(alice)["id"]).project_id
    Task.objects.update(project_id=inbox)
    more = post_task(alice, **DAILY)
    following = post(alice, f"/tasks/{more['id']}/complete")["next_task_id"]
    Task.objects.filter(id__in=[following, done["next_task_id"]]).update(project_id=done["project_id"])
    with CaptureQueriesContext(connection) as queries:
        repair.repair_sharing(now=timezone.now(), batch=1)
    assert broken_rules() == []
    written = [each["sql"] for each in queries if each["sql"].startswith("UPDATE") and "is_next" in each["sql"]]
    assert len(written) == 4, "two for each batch"


class TestRowsOfBefore(Earlier):
    before = [("todos", "0028_labels_are_locked")]
    after = [("todos", "0030_note_next_elsewhere")]

    def test_they_are_noted(self) -> None:
        here, elsewhere = (self.make("Task", project=each, title="Dig") for each in (self.garden, self.house))
        before = [
            self.make("Task", project=self.garden, title="Dig", next_task=each) for each in (here, elsewhere, None)
        ]
        self.migrate()
        rows = [Task.objects.get(id=each.id) for each in before]
        assert [(row.is_next_elsewhere, row.version) for row in rows] == [(False, 1), (True, 2), (False, 1)]

    @pytest.mark.postgres
    def test_the_triggers_of_before_are_replaced(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_functiondef('log_todos_task'::regproc)")
            now = cursor.fetchone()[0]
            before = now.replace(", 'is_next_elsewhere'", "")
            assert before != now
            cursor.execute(before, None)
        self.migrate()
        task = self.make("Task", project=self.garden, title="Dig")
        with logged() as changes:
            Task.objects.filter(id=task.id).update(is_next_elsewhere=True)
        assert [change.fields for change in changes()] == [{}]
