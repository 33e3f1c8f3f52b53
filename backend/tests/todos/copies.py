"""Clients that keep a copy by changes alone, and histories of several people who share some of their projects."""

from __future__ import annotations

import contextlib
import random
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from django.db.models import F
from django.utils import timezone

from tests.todos.histories import SETUP, History, steps
from todo_project.accounts.models import User
from todo_project.comments import services as comments
from todo_project.comments.models import Comment
from todo_project.errors import DomainError
from todo_project.todos.api.feed import Feed
from todo_project.todos.api.kinds import kinds
from todo_project.todos.models import Label, Membership, Project, Task, TaskLabel
from todo_project.todos.services import labels, projects, tasks, trash

Things = dict[tuple[str, str], Any]
# the field with the thing with which a thing is forgotten
_HOLDER = {"section": "project_id", "task": "project_id", "comment": "task_id"}


class Copy:
    """A client of one person: it knows only what /changes has sent it."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.things: Things = {}
        self.cursor: str | None = None

    def sync(self, limit: int) -> bool:
        """Apply one page; return whether there is more."""
        user = User.objects.get(id=self.user.pk)
        step = Feed(user, self.cursor, limit=limit, now=timezone.now()).read()
        assert len(step.things) <= limit
        for (kind, id_), data in step.things.items():
            self.apply(kind, str(id_), plain(data))
        self.cursor = step.cursor.encode()
        return step.has_more

    def sync_all(self, limit: int) -> None:
        """Apply pages until there is no more."""
        while self.sync(limit):
            pass

    def apply(self, kind: str, id_: str, data: Any) -> None:
        """Store a thing, or forget it; a project takes along what it holds."""
        if data is not None:
            self.things[kind, id_] = data
            return
        self.things.pop((kind, id_), None)
        for held in [key for key, thing in self.things.items() if thing.get(_HOLDER.get(key[0], "")) == id_]:
            self.apply(*held, None)


def plain(value: Any) -> Any:
    """Return what a client reads in the JSON of a value."""
    return msgspec.json.decode(msgspec.json.encode(value))


def server(user: User) -> Things:
    """Return everything that the lists have for the user."""
    user = User.objects.get(id=user.pk)
    found: Things = {}
    for name, kind in kinds.items():
        if kind.holders is not None:  # only listed by task
            present = kind.resource.structs(kind.resource.present(user.pk))
            found |= {(name, str(each.id)): plain(each) for each in present}
            continue
        cursor = None
        while True:
            query = {"limit": 200, "cursor": cursor, "updated_since": None, "include_deleted": False}
            page = kind.resource.page(query).page_from_primary(user)
            found |= {(name, str(each.id)): plain(each) for each in page["results"]}
            cursor = page["next_cursor"]
            if cursor is None:
                break
    return found


class Company:
    """Three people who share projects. Besides the writes of other histories, they do what no service does."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.names = iter(range(10_000))
        now = timezone.now()
        self.people = [
            User.objects.create(
                email=f"{uuid.uuid4().hex}@example.org", is_member=True, created_at=now, updated_at=now
            )
            for _ in range(3)
        ]
        self.history = History(*self.people)
        for user in self.people:
            projects.create_inbox(user=user, now=now)
            self.history.user = user
            for step in SETUP:
                self.history.write(step)

    def write(self) -> str:
        """Do one write and return its name."""
        if self.chance.random() < 0.7:
            (step,) = steps(self.chance.randrange(10**9), 1)
            self.history.user = self.chance.choice(self.people)
            self.history.write(step)
            return step[0]
        name = self.chance.choice(ACTS)
        with contextlib.suppress(DomainError):
            getattr(self, name)()
        return name

    def any(self, rows: Any) -> Any:
        """Choose one of the rows, or None."""
        ids = list(rows.filter(owner__in=self.people).order_by("id").values_list("id", flat=True))
        return rows.get(id=self.chance.choice(ids)) if ids else None

    def leave(self) -> None:
        """Delete a membership."""
        found = list(Membership.objects.filter(user__in=self.people).order_by("id"))
        if found:
            self.chance.choice(found).delete()

    def label(self) -> None:
        """Put somebody's label on somebody's task."""
        owner = self.chance.choice(self.people)
        label = labels.create_label(
            user_id=owner.pk, values={"name": f"Label {next(self.names)}"}, now=timezone.now()
        )
        for _ in range(self.chance.randrange(3)):
            task = self.any(Task.objects.all())
            if task is not None:
                TaskLabel.objects.get_or_create(task=task, label=label)

    def unlabel(self) -> None:
        """Take a label off a task."""
        task = self.any(Task.objects.all())
        if task is not None:
            TaskLabel.objects.filter(task=task).delete()

    def change_label(self) -> None:
        """Rename a label, or move it to the trash or back."""
        label = self.any(Label.objects.all())
        if label is None:
            return
        user_id, now = label.owner_id, timezone.now()
        acts: list[Callable[[], object]] = [
            lambda: trash.restore_label(user_id=user_id, label_id=label.id, now=now),
            lambda: trash.trash_label(user_id=user_id, label_id=label.id, now=now),
        ]
        if label.deleted_at is None:
            name = f"Label {next(self.names)}"
            acts.append(
                lambda: labels.update_label(user_id=user_id, label_id=label.id, changes={"name": name}, now=now)
            )
        self.chance.choice(acts)()

    def comment(self) -> None:
        """Let somebody who sees a task comment on it."""
        task, user = self.any(Task.objects.alive()), self.chance.choice(self.people)
        if task is not None:
            values: Any = {"task_id": task.id, "text": f"Comment {next(self.names)}"}
            comments.create_comment(user_id=user.pk, values=values, now=timezone.now())

    def delete_comment(self) -> None:
        """Delete a comment, past the services."""
        found = list(Comment.objects.filter(task__owner__in=self.people).order_by("id"))
        if found:
            self.chance.choice(found).delete()

    def rename_task(self) -> None:
        """Give a task another title."""
        task = self.any(Task.objects.alive())
        if task is not None:
            title: Any = {"title": f"Title {next(self.names)}"}
            tasks.update_task(user=task.owner, task_id=task.id, changes=title, now=timezone.now())

    def hand_over_task(self) -> None:
        """Move a task to somebody else's project."""
        task, project = self.any(Task.objects.all()), self.any(Project.objects.alive())
        if task is None or task.children.exists():
            return
        Task.objects.filter(id=task.id).update(
            owner=project.owner_id, project=project, section=None, parent=None, uid="", version=F("version") + 1
        )

    def delete_project(self) -> None:
        """Delete a project for good, past the services."""
        project = self.any(Project.objects.filter(is_inbox=False))
        if project is not None:
            project.delete()


_NO_WRITES = {"write", "any"}
ACTS = [name for name in vars(Company) if not name.startswith("_") and name not in _NO_WRITES]
