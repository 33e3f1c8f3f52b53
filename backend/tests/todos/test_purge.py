"""The purge deletes what has been in the trash for too long, and nothing else."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.todos.races import one_waits
from tests.todos.stories import alive, make, make_project, make_section, post_task, share
from todo_project.accounts.services import deletion
from todo_project.errors import NotFound
from todo_project.jobs.queue import registry
from todo_project.todos.models import Change, Label, Project, Section, Task
from todo_project.todos.services import purge, trash

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def purge_all(**options: Any) -> dict[str, int]:
    later = timezone.now() + dt.timedelta(days=1)
    return purge.purge_trash(before=later, now=timezone.now(), **options)


def break_the_rule(*rows: dict[str, Any]) -> None:
    """Put rows into the trash without what they contain."""
    for kind in (Task, Section, Project):
        kind.objects.filter(id__in=[row["id"] for row in rows]).update(deleted_at=LONG_AGO)


def test_a_live_task_two_levels_below_the_trash_is_kept(alice: Person, caplog: pytest.LogCaptureFixture) -> None:
    parent = post_task(alice)
    child = post_task(alice, parent_id=parent["id"])
    below = post_task(alice, parent_id=child["id"])
    gone = post_task(alice, parent_id=child["id"])
    break_the_rule(parent, child, gone)
    with caplog.at_level(logging.WARNING):
        assert purge_all()["Task"] == 1
    assert alive(parent["id"], child["id"], below["id"]) == [False, False, True]
    (logged,) = [record for record in caplog.records if record.message == "todos.trash_kept"]
    assert logged.kept == {"Task": 2}  # type: ignore[attr-defined]


def test_a_live_task_in_a_sub_project_is_kept(alice: Person) -> None:
    top = make_project(alice)
    below = make_project(alice, parent_id=top["id"])
    task = post_task(alice, project_id=below["id"])
    break_the_rule(top, below)
    assert purge_all()["Project"] == 0
    assert alive(top["id"], below["id"], task["id"]) == [False, False, True]


@pytest.mark.parametrize("kind", ["projects", "sections"])
def test_what_lives_in_a_project_in_the_trash_is_kept(alice: Person, kind: str) -> None:
    top = make_project(alice)
    held = make_section(alice, top) if kind == "sections" else make_project(alice, parent_id=top["id"])
    break_the_rule(top)
    assert purge_all()["Project"] == 0
    assert alive(top["id"], held["id"]) == [False, True]


def test_a_live_task_in_a_section_in_the_trash_keeps_its_section(alice: Person) -> None:
    section = make_section(alice, make_project(alice))
    task = post_task(alice, section_id=section["id"])
    break_the_rule(section)
    assert purge_all()["Section"] == 0
    assert alice.api.get(f"/tasks/{task['id']}").json() == task


def test_a_tree_is_deleted_whatever_the_size_of_a_batch(alice: Person, caplog: pytest.LogCaptureFixture) -> None:
    top = make_project(alice)
    section = make_section(alice, make_project(alice, parent_id=top["id"]))
    parent = post_task(alice, section_id=section["id"])
    for _ in range(3):
        parent = post_task(alice, parent_id=parent["id"])
    alice.api.delete(f"/projects/{top['id']}")
    with caplog.at_level(logging.WARNING):
        assert purge_all(batch=1) == {"Task": 4, "Section": 1, "Project": 2, "Label": 0, "SavedFilter": 0}
    assert not [record for record in caplog.records if record.message == "todos.trash_kept"]


def test_the_job_writes_the_present_time(alice: Person) -> None:
    gone = post_task(alice)
    done = post_task(alice)
    Task.objects.filter(id=done["id"]).update(next_task=gone["id"])
    break_the_rule(gone)
    scheduled = int(timezone.now().timestamp()) - 86_400
    registry["todos.purge_trash"].run(timestamp=scheduled)
    assert not Task.objects.filter(id=gone["id"]).exists()
    changed = Task.objects.get(id=done["id"])
    assert changed.version == 2
    assert changed.updated_at > dt.datetime.fromisoformat(done["updated_at"])


def test_a_label_in_the_trash_is_deleted_from_its_tasks(alice: Person) -> None:
    label = make(alice, "labels", name="old")
    task = post_task(alice, labels=[label["id"]])
    alice.api.delete(f"/labels/{label['id']}")
    assert purge_all()["Label"] == 1
    assert not Label.objects.exists()
    assert alive(task["id"]) == [True]


class TestAPurgedIdStaysTaken:
    """The log still has what happened to the thing, and activity shows it to whoever has one with that id."""

    def test_a_former_member_does_not_get_the_activity_of_a_deleted_account(
        self, alice: Person, bob: Person
    ) -> None:
        project = make_project(alice)
        share(project, bob)
        task = post_task(alice, project_id=project["id"])
        alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}")
        alice.api.patch(f"/tasks/{task['id']}", {"title": "Secret"})
        deletion.delete_account(user_id=alice.user.pk, now=timezone.now())
        for path, values in (
            (f"/projects/{project['id']}", {"name": "Mine"}),
            (f"/tasks/{task['id']}", {"title": "Mine"}),
        ):
            assert bob.api.put(path, values).status_code == 404
            assert bob.api.put(path, values, HTTP_IF_NONE_MATCH="*").status_code == 404
            assert bob.api.get(f"{path}/activity").status_code == 404

    @pytest.mark.parametrize("kind", ["projects", "sections", "tasks", "labels", "filters"])
    def test_for_things_of_every_kind_and_their_owner(self, alice: Person, kind: str) -> None:
        values: dict[str, Any] = {"title": "Dig"} if kind == "tasks" else {"name": "Garden"}
        values |= {"project_id": make_project(alice)["id"]} if kind == "sections" else {}
        values |= {"query": "is:open"} if kind == "filters" else {}
        path = f"/{kind}/{make(alice, kind, **values)['id']}"
        alice.api.delete(path)
        purge_all()
        sent = {"atomic": True, "operations": [{"method": "PUT", "path": path, "body": values}]}
        assert alice.api.post("/batch", sent).status_code == 404
        assert alice.api.put(path, values).status_code == 404
        assert alice.api.get(path).status_code == 404

    def test_until_the_log_is_purged(self, alice: Person) -> None:
        path = f"/tasks/{post_task(alice)['id']}"
        alice.api.delete(path)
        purge_all()
        Change.objects.all().delete()
        assert alice.api.put(path, {"title": "Dig"}).status_code == 201
        assert [row["action"] for row in alice.api.get(f"{path}/activity").json()["results"]] == ["created"]

    def test_the_id_of_an_account_is_not_taken_by_a_member_who_was_removed(
        self, alice: Person, bob: Person
    ) -> None:
        project = make_project(alice)
        share(project, bob)
        alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}")
        assert alice.api.put(f"/tasks/{bob.user.pk}", {"title": "Dig"}).status_code == 201

    @pytest.mark.postgres
    @pytest.mark.django_db(transaction=True)
    def test_while_it_is_purged(self, alice: Person, bob: Person) -> None:
        path = f"/tasks/{post_task(alice)['id']}"
        alice.api.delete(path)
        _, answer = one_waits(purge_all, lambda: bob.api.put(path, {"title": "Mine"}))
        assert answer.status_code == 404


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestWithRestore:
    """A section is in the trash with a task and its subtask, and the batch ends between the two."""

    @pytest.fixture
    def task_ids(self, alice: Person) -> tuple[Any, Any]:
        section = make_section(alice, make_project(alice))
        parent = post_task(alice, section_id=section["id"])
        child = post_task(alice, parent_id=parent["id"])
        alice.api.delete(f"/sections/{section['id']}")
        Task.objects.filter(id=parent["id"]).update(deleted_at=LONG_AGO)  # so that it comes first
        return parent["id"], child["id"]

    def test_what_is_being_restored_is_kept(self, alice: Person, task_ids: tuple[Any, Any]) -> None:
        parent_id, child_id = task_ids
        one_waits(
            lambda: trash.restore_task(user=alice.user, task_id=child_id, now=timezone.now()),
            lambda: purge_all(batch=1),
        )
        assert alive(child_id) == [True]
        assert not Task.objects.filter(id=parent_id).exists()

    def test_what_is_being_purged_is_not_restored(self, alice: Person, task_ids: tuple[Any, Any]) -> None:
        def restore() -> Any:
            with pytest.raises(NotFound):
                trash.restore_task(user=alice.user, task_id=task_ids[1], now=timezone.now())

        one_waits(lambda: purge_all(batch=1), restore)
        assert not Task.objects.exists()
