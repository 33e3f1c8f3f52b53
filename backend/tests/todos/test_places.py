"""The rule of placement.py: what generated histories of writes leave behind, and the cases that broke it once."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import uuid
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import Person
from tests.todos.stories import alive, broken_rules, make_project, make_section, pointers, post_task
from todo_project.errors import DomainError
from todo_project.todos.models import Project, Section, Task
from todo_project.todos.services import completion, ordering, projects, sections, tasks, trash
from todo_project.todos.services.purge import purge_trash

START = dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)


class History:
    """Writes of one person, each chosen by numbers, at the instants of a clock that moves on."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.now = START
        self.names = iter(range(10_000))

    def pick(self, kind: type[Any], number: int, *, optional: bool = False) -> uuid.UUID | None:
        """Choose a row of the kind, in the trash or not; or, if optional, none."""
        rows = kind.objects.filter(owner=self.user).order_by("id")
        if number % 4:  # more of what is alive, so that most writes are possible
            rows = rows.alive()
        ids = list(rows.values_list("id", flat=True))
        choices = [None, *ids] if optional or not ids else ids
        return choices[number // 4 % len(choices)]

    def run(self, step: tuple[str, int, int, int, int]) -> None:
        """Do one write; one that the domain refuses changes nothing."""
        name, *numbers = step
        before = self.living()
        with contextlib.suppress(DomainError):
            getattr(self, name)(*numbers)
        assert broken_rules() == [], step
        if name == "purge":
            assert self.living() == before

    def living(self) -> set[uuid.UUID]:
        """Return what is not in the trash."""
        return {
            id_ for kind in (Task, Section, Project) for id_ in kind.objects.alive().values_list("id", flat=True)
        }

    def place(self, a: int, b: int, c: int, d: int) -> dict[str, Any]:
        """Choose some of the three fields that make a place."""
        kinds = {"project_id": (Project, a), "section_id": (Section, b), "parent_id": (Task, c)}
        chosen = [key for bit, key in enumerate(kinds) if d >> bit & 1]
        return {key: self.pick(*kinds[key], optional=True) for key in chosen}

    def create_task(self, a: int, b: int, c: int, d: int) -> None:
        """Create a task somewhere; some recur."""
        fields: Any = {"title": f"Task {next(self.names)}", **self.place(a, b, c, d)}
        if d & 8:
            fields |= {"due": {"date": dt.date(2026, 12, 1)}, "recurrence": {"rule": "FREQ=DAILY"}}
        tasks.create_task(user=self.user, fields=fields, now=self.now)

    def change_task(self, a: int, b: int, c: int, d: int) -> None:
        """Move a task by naming some of the fields of its place."""
        task: Any = self.pick(Task, d >> 3)
        tasks.update_task(user=self.user, task_id=task, changes=self.place(a, b, c, d), now=self.now)  # type: ignore[arg-type]

    def move_task(self, a: int, b: int, c: int, d: int) -> None:
        """Move a task beside another one."""
        task, other = self.pick(Task, a), self.pick(Task, b)
        beside: Any = ordering.Beside(id=other, before=bool(d & 1)) if other else None
        tasks.move_task(user=self.user, task_id=task, to={}, beside=beside, now=self.now)  # type: ignore[arg-type]

    def complete_task(self, a: int, *_: int) -> None:
        """Complete a task; one that recurs goes on as another."""
        completion.complete_task(user=self.user, task_id=self.pick(Task, a), now=self.now)  # type: ignore[arg-type]

    def reopen_task(self, a: int, *_: int) -> None:
        """Reopen a task."""
        completion.reopen_task(user=self.user, task_id=self.pick(Task, a), now=self.now)  # type: ignore[arg-type]

    def trash_task(self, a: int, *_: int) -> None:
        """Put a task into the trash."""
        trash.trash_task(user=self.user, task_id=self.pick(Task, a), now=self.now)  # type: ignore[arg-type]

    def restore_task(self, a: int, *_: int) -> None:
        """Restore a task."""
        trash.restore_task(user=self.user, task_id=self.pick(Task, a), now=self.now)  # type: ignore[arg-type]

    def create_section(self, a: int, *_: int) -> None:
        """Create a section."""
        values: Any = {"name": f"Section {next(self.names)}", "project_id": self.pick(Project, a)}
        sections.create_section(owner_id=self.user.pk, values=values, now=self.now)

    def move_section(self, a: int, b: int, *_: int) -> None:
        """Move a section to another project."""
        section, values = self.pick(Section, a), {"project_id": self.pick(Project, b)}
        sections.update_section(owner_id=self.user.pk, section_id=section, changes=values, now=self.now)  # type: ignore[arg-type]

    def trash_section(self, a: int, *_: int) -> None:
        """Put a section into the trash."""
        trash.trash_section(owner_id=self.user.pk, section_id=self.pick(Section, a), now=self.now)  # type: ignore[arg-type]

    def restore_section(self, a: int, *_: int) -> None:
        """Restore a section."""
        trash.restore_section(owner_id=self.user.pk, section_id=self.pick(Section, a), now=self.now)  # type: ignore[arg-type]

    def create_project(self, a: int, *_: int) -> None:
        """Create a project."""
        values: Any = {"name": f"Project {next(self.names)}", "parent_id": self.pick(Project, a, optional=True)}
        projects.create_project(owner_id=self.user.pk, values=values, now=self.now)

    def move_project(self, a: int, b: int, *_: int) -> None:
        """Move a project into another one."""
        project, values = self.pick(Project, a), {"parent_id": self.pick(Project, b, optional=True)}
        projects.update_project(owner_id=self.user.pk, project_id=project, changes=values, now=self.now)  # type: ignore[arg-type]

    def trash_project(self, a: int, *_: int) -> None:
        """Put a project into the trash."""
        trash.trash_project(owner_id=self.user.pk, project_id=self.pick(Project, a), now=self.now)  # type: ignore[arg-type]

    def restore_project(self, a: int, *_: int) -> None:
        """Restore a project."""
        trash.restore_project(owner_id=self.user.pk, project_id=self.pick(Project, a), now=self.now)  # type: ignore[arg-type]

    def purge(self, a: int, *_: int) -> None:
        """Delete for good what went into the trash some steps ago."""
        purge_trash(before=self.now - dt.timedelta(hours=a % 8), now=self.now, batch=2)

    def wait(self, a: int, *_: int) -> None:
        """Let the clock move; without this, steps share an instant."""
        self.now += dt.timedelta(hours=a % 8)


SETUP = (("create_project", 0, 0, 0, 0), ("create_section", 1, 0, 0, 0), ("create_task", 0, 0, 0, 2))
WRITES = [
    name for name in vars(History) if not name.startswith("_") and name not in {"pick", "run", "living", "place"}
]
OFTEN = ["create_task", "create_task", "change_task", "change_task", "change_task", "move_section", "wait"]


@pytest.mark.parametrize("seed", range(16))
def test_no_history_of_writes_breaks_the_rule(alice: Person, seed: int) -> None:
    chance = random.Random(seed)
    history = History(alice.user)
    for step in SETUP:
        history.run(step)
    for _ in range(60):
        history.run((chance.choice([*WRITES, *OFTEN]), *(chance.randrange(64) for _ in range(4))))


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
