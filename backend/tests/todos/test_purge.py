"""The purge deletes what has been in the trash for too long, and nothing else."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.todos.races import one_waits
from tests.todos.stories import alive, make, make_project, make_section, post_task
from todo_project.errors import NotFound
from todo_project.jobs.queue import registry
from todo_project.todos.models import Label, Project, Section, Task
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
