"""Generated histories of writes, and what each write may do to the rows that are not in the trash."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import random
import uuid
from collections.abc import Iterator
from typing import Any

from tests.imports.calendars import calendar, todo
from tests.todos.stories import broken_rules
from todo_project.accounts.models import User
from todo_project.errors import DomainError
from todo_project.imports.services import components, imports
from todo_project.todos.models import Project, Role, Section, Task
from todo_project.todos.services import completion, members, ordering, projects, sections, tasks, trash
from todo_project.todos.services.purge import purge_trash

START = dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)
KINDS = (Task, Section, Project)
Step = tuple[str, int, int, int, int]


class History:
    """Writes of some people, each chosen by numbers, at the instants of a clock that moves on."""

    def __init__(self, *users: Any) -> None:
        self.users = users
        self.user = users[0]
        self.now = START
        self.names = iter(range(10_000))
        self.by_hand: set[uuid.UUID] = set()

    def pick(self, kind: type[Any], number: int, *, optional: bool = False) -> uuid.UUID | None:
        """Choose a row of the kind, in the trash or not; or, if optional, none."""
        rows = kind.objects.filter(owner__in=self.users).order_by("id")
        if number % 4:  # more of what is alive, so that most writes are possible
            rows = rows.alive()
        ids = list(rows.values_list("id", flat=True))
        choices = [None, *ids] if optional or not ids else ids
        return choices[number // 4 % len(choices)]

    def run(self, step: Step) -> None:
        """Do one write, and check what it did to the rows that were not in the trash, and to those that were."""
        before, trashed = self.rows()
        restored = self.restored()
        self.write(step)
        assert broken_rules() == [], step
        after, name = self.living(), step[0]
        if name == "reopen_task":
            assert not (before - after) & self.by_hand, step
        elif not name.startswith("trash_"):
            assert before <= after, step
        if name.startswith("restore_"):
            assert len({trashed[id_] for id_ in after - before}) <= 1, step
        for task in Task.objects.filter(id__in=restored).completed():
            assert task.next_task_id == restored[task.id], step
        if name == "purge":
            assert after == before, step

    def write(self, step: Step) -> Any:
        """Do one write and return its result; one that the domain refuses changes nothing."""
        name, *numbers = step
        actor = copy.copy(self)
        # it is_member if it has joined a project meanwhile
        actor.user = User.objects.get(pk=self.users[sum(numbers) % len(self.users)].pk)
        with contextlib.suppress(DomainError):
            result = getattr(actor, name)(*numbers)
            self.now = actor.now
            return result

    def rows(self) -> tuple[set[uuid.UUID], dict[uuid.UUID, dt.datetime]]:
        """Return the ids of what is not in the trash, and of what is, since when it is."""
        found = dict(row for kind in KINDS for row in kind.objects.values_list("id", "deleted_at"))
        trashed = {id_: deleted_at for id_, deleted_at in found.items() if deleted_at is not None}
        return found.keys() - trashed.keys(), trashed

    def living(self) -> set[uuid.UUID]:
        """Return the ids of what is not in the trash."""
        return self.rows()[0]

    def trashed(self) -> dict[uuid.UUID, dt.datetime]:
        """Return the ids of what is in the trash, and since when it is."""
        return self.rows()[1]

    def restored(self) -> dict[uuid.UUID, uuid.UUID | None]:
        """Return the next tasks that reopening took back and somebody has restored, by the reopened task."""
        reopened = Task.objects.alive().open().filter(taken_back_id__in=Task.objects.alive().values("id"))
        return dict(reopened.filter(next_task=None).values_list("id", "taken_back_id"))

    def place(self, a: int, b: int, c: int, d: int) -> dict[str, Any]:
        """Choose some of the three fields that make a place."""
        kinds = {"project_id": (Project, a), "section_id": (Section, b), "parent_id": (Task, c)}
        chosen = [key for bit, key in enumerate(kinds) if d >> bit & 1]
        return {key: self.pick(*kinds[key], optional=True) for key in chosen}

    def other(self, number: int) -> uuid.UUID:
        """Choose a person."""
        return uuid.UUID(str(self.users[number % len(self.users)].pk))

    def create_task(self, a: int, b: int, c: int, d: int) -> None:
        """Create a task somewhere; some recur."""
        fields: Any = {"title": f"Task {next(self.names)}", **self.place(a, b, c, d)}
        if d & 8:
            fields |= {"due": {"date": dt.date(2026, 12, 1)}, "recurrence": {"rule": "FREQ=DAILY"}}
        self.by_hand.add(tasks.create_task(user=self.user, fields=fields, now=self.now).id)

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
        """Reopen a completed task."""
        completed = (
            Task.objects.filter(owner__in=self.users).completed().order_by("id").values_list("id", flat=True)
        )
        task_id = completed[a % len(completed)] if completed else self.pick(Task, a)
        completion.reopen_task(user=self.user, task_id=task_id, now=self.now)  # type: ignore[arg-type]

    def trash_task(self, a: int, *_: int) -> None:
        """Put a task into the trash."""
        trash.trash_task(user=self.user, task_id=self.pick(Task, a), now=self.now)  # type: ignore[arg-type]

    def restore_task(self, a: int, *_: int) -> None:
        """Restore a task."""
        trash.restore_task(user=self.user, task_id=self.pick(Task, a), now=self.now)  # type: ignore[arg-type]

    def import_file(self, a: int, b: int, c: int, d: int) -> None:
        """Import some of four tasks, again or for the first time; each may be a subtask of another one."""
        parents = {"u0": "u1", "u1": f"u{b % 4}", "u2": f"u{c % 4}", "u3": "u0"}
        chosen = [name for bit, name in enumerate(parents) if d >> bit & 1]
        lines = {name: [f"RELATED-TO:{parents[name]}"] if b >> 2 & 1 else [] for name in chosen}
        data = calendar(*(todo(*lines[name], uid=name, summary=f"Task {next(self.names)}") for name in chosen))
        before = self.living()
        imports.import_ics(
            user=self.user, contents=components.parse(data), now=lambda: self.now, project_id=self.pick(Project, a)
        )
        self.by_hand |= self.living() - before

    def create_section(self, a: int, *_: int) -> None:
        """Create a section."""
        values: Any = {"name": f"Section {next(self.names)}", "project_id": self.pick(Project, a)}
        sections.create_section(user_id=self.user.pk, values=values, now=self.now)

    def move_section(self, a: int, b: int, *_: int) -> None:
        """Move a section to another project."""
        section, values = self.pick(Section, a), {"project_id": self.pick(Project, b)}
        sections.update_section(user_id=self.user.pk, section_id=section, changes=values, now=self.now)  # type: ignore[arg-type]

    def trash_section(self, a: int, *_: int) -> None:
        """Put a section into the trash."""
        trash.trash_section(user_id=self.user.pk, section_id=self.pick(Section, a), now=self.now)  # type: ignore[arg-type]

    def restore_section(self, a: int, *_: int) -> None:
        """Restore a section."""
        trash.restore_section(user_id=self.user.pk, section_id=self.pick(Section, a), now=self.now)  # type: ignore[arg-type]

    def create_project(self, a: int, *_: int) -> None:
        """Create a project."""
        values: Any = {"name": f"Project {next(self.names)}", "parent_id": self.pick(Project, a, optional=True)}
        projects.create_project(user_id=self.user.pk, values=values, now=self.now)

    def move_project(self, a: int, b: int, *_: int) -> None:
        """Move a project into another one."""
        project, values = self.pick(Project, a), {"parent_id": self.pick(Project, b, optional=True)}
        projects.update_project(user_id=self.user.pk, project_id=project, changes=values, now=self.now)  # type: ignore[arg-type]

    def trash_project(self, a: int, *_: int) -> None:
        """Put a project into the trash."""
        trash.trash_project(user_id=self.user.pk, project_id=self.pick(Project, a), now=self.now)  # type: ignore[arg-type]

    def restore_project(self, a: int, *_: int) -> None:
        """Restore a project."""
        trash.restore_project(user_id=self.user.pk, project_id=self.pick(Project, a), now=self.now)  # type: ignore[arg-type]

    def share_project(self, a: int, b: int, c: int, *_: int) -> None:
        """Make somebody a member."""
        project = Project.objects.get(id=self.pick(Project, a))
        members.set_role(project=project, user_id=self.other(b), role=Role(1 + c % 4), now=self.now)

    def remove_member(self, a: int, b: int, *_: int) -> None:
        """Remove a member, or leave."""
        project: Any = self.pick(Project, a)
        members.remove_member(user_id=self.user.pk, project_id=project, member_id=self.other(b), now=self.now)

    def transfer_project(self, a: int, b: int, *_: int) -> None:
        """Make a member the owner."""
        project: Any = self.pick(Project, a)
        members.transfer_project(user_id=self.user.pk, project_id=project, new_owner_id=self.other(b), now=self.now)

    def purge(self, a: int, *_: int) -> None:
        """Delete for good what went into the trash some steps ago."""
        purge_trash(before=self.now - dt.timedelta(hours=a % 8), now=self.now, batch=2)

    def wait(self, a: int, *_: int) -> None:
        """Let the clock move; without this, steps share an instant."""
        self.now += dt.timedelta(hours=a % 8)


SETUP: tuple[Step, ...] = (
    ("create_project", 0, 0, 0, 0),
    ("create_section", 1, 0, 0, 0),
    ("create_task", 0, 0, 0, 2),
)
# for three people: the first one's project, which is the fourth after their Inboxes, is shared with both others
SHARED: tuple[Step, ...] = (
    ("create_project", 0, 0, 0, 0),
    ("share_project", 12, 1, 2, 0),
    ("share_project", 12, 2, 3, 0),
    ("create_section", 12, 0, 0, 0),
    ("create_task", 16, 0, 0, 1),
)
_NO_WRITES = {"pick", "run", "write", "rows", "living", "trashed", "restored", "place", "other"}
WRITES = [name for name in vars(History) if not name.startswith("_") and name not in _NO_WRITES]
OFTEN = [
    *("create_task", "create_task", "change_task", "change_task", "change_task", "move_section", "wait"),
    *("complete_task", "complete_task", "reopen_task"),
]


def steps(seed: int, count: int) -> Iterator[Step]:
    """Choose the steps of a history."""
    chance = random.Random(seed)
    for _ in range(count):
        a, b, c, d = (chance.randrange(64) for _ in range(4))
        yield chance.choice([*WRITES, *OFTEN]), a, b, c, d
