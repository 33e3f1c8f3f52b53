"""Many people who write to one shared project, and clients that keep a copy of it by changes alone."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.e2e.api import expect
from tests.e2e.harness import Client, Stack, wait_for

# Registering and logging in would cost a password hash each.
PEOPLE = """
import json, sys
from django.utils import timezone
from todo_project.accounts.models import User
from todo_project.accounts.services import tokens
from todo_project.todos.models import Project, Role
from todo_project.todos.services import members, projects
project = Project.objects.get(id={project!r})
made, now = [], timezone.now()
for number in range({count}):
    user = User.objects.create(email=f"person-{{number}}@together.invalid", created_at=now, updated_at=now)
    projects.create_inbox(user=user, now=now)
    members.set_role(project=project, user_id=user.pk, role=Role.EDITOR, now=now)
    token = tokens.create_token(user=user, name="", scopes=["read", "write"], expires_at=None, now=now)
    made.append(token.token)
print("PEOPLE", json.dumps(made))
"""
Things = dict[tuple[str, str], Any]


def editors(stack: Stack, owner: Client, project_id: str, *, count: int) -> list[Client]:
    """Return clients of new people who may edit the project."""
    program = PEOPLE.format(project=project_id, count=count)
    said = stack.execute("backend", "python", "manage.py", "shell", "-c", program).stdout
    (line,) = (line for line in said.splitlines() if line.startswith("PEOPLE "))
    return [
        replace(owner, headers=owner.headers | {"Authorization": f"Bearer {token}"})
        for token in json.loads(line.partition(" ")[2])
    ]


@dataclass
class Work:
    """What the people have done, as far as the server has acknowledged it."""

    project_id: str
    # the titles that each may have: two, if nobody knows whether the change arrived
    created: dict[str, set[str]] = field(default_factory=dict)
    commented: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unanswered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, person: Client, method: str, path: str, data: Any = None) -> Any:
        """Return the body of the answer, or None if the server was away; wait then until it is back."""
        try:
            answer = person.request(method, f"/api/v1{path}", data=data)
        except (OSError, http.client.HTTPException):
            answer = None
        if answer is None or answer.status in (502, 503):
            with self.lock:
                self.unanswered += 1
            wait_for("an answer", lambda: person.get("/api/v1/me").status == 200)
            return None
        if answer.status >= 400:
            with self.lock:
                self.refused.append(f"{method} {path}: {answer.status} {answer.text[:300]}")
            return None
        return answer.json() if answer.body else {}

    def run(self, person: Client, number: int, *, rounds: int) -> None:
        """Write as one person: own tasks, which nobody else changes, in the list that all share."""
        chance = random.Random(number)
        for turn in range(rounds):
            title = f"Task {turn} of {number}"
            task = self.send(person, "POST", "/tasks", {"title": title, "project_id": self.project_id})
            if task is None:
                continue
            with self.lock:
                others = [*self.created] or [None]
                self.created[task["id"]] = {title}
            path = f"/tasks/{task['id']}"
            other = chance.choice(others)
            self.send(person, "POST", f"{path}/move", {"before": other} if other else {})
            changed = self.send(person, "PATCH", path, {"title": f"{title}, again"})
            with self.lock:
                self.created[task["id"]] = {f"{title}, again"} if changed else {title, f"{title}, again"}
            comment = self.send(person, "POST", "/comments", {"task_id": task["id"], "text": title})
            with self.lock:
                self.commented += [comment["id"]] if comment else []
            self.send(person, "POST", f"{path}/{chance.choice(['complete', 'reopen'])}")


@dataclass
class Copy:
    """A client that knows only what /changes has sent it."""

    person: Client
    things: Things = field(default_factory=dict)
    cursor: str = ""

    def sync(self) -> bool:
        """Apply one page; return whether there is more."""
        since = f"&since={self.cursor}" if self.cursor else ""
        page = expect(self.person.get(f"/api/v1/changes?limit=200{since}"), 200)
        for row in page["results"]:
            if row["data"] is None:
                self.things.pop((row["kind"], row["id"]), None)
            else:
                self.things[row["kind"], row["id"]] = row["data"]
        self.cursor = page["next_cursor"]
        return bool(page["has_more"])

    def follow(self, stop: threading.Event) -> None:
        """Apply what is new again and again."""
        while not stop.is_set():
            wait_for("changes", lambda: self.sync() or True)

    def sync_all(self) -> None:
        """Apply pages until there is no more."""
        while self.sync():
            pass


def all_at_once(*works: Callable[[], object]) -> list[threading.Thread]:
    """Start all functions at the same moment, each in a thread of its own."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        start.wait()
        work()

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    return threads
