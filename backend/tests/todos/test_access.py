"""Every operation on a shared project, in every role: by its path, by ids in the body, and as part of a batch."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.api.operations import CALENDAR, OPERATIONS
from tests.architecture.source import REPOSITORY
from tests.conftest import Person
from tests.todos.attempts import ACTIONS, ATTEMPTS, ELSEWHERE, LISTS, ROLES, STRANGER, Attempt
from tests.todos.stories import make, make_project, make_section, post_task, share
from todo_project.comments.models import Comment
from todo_project.db.rows import uuid7
from todo_project.todos.models import (
    Change,
    Invitation,
    Label,
    Membership,
    Project,
    Role,
    Section,
    Task,
    TaskAssignee,
    TaskLabel,
)
from todo_project.todos.services.access import LEAST_ROLE


class World:
    """Alice's shared project, one of everything in it and in a sub-project, and what the caller owns."""

    def __init__(self, alice: Person, caller: Person, member: Person, role: Role | None) -> None:
        self.caller = caller
        root = make_project(alice)
        below = make_project(alice, parent_id=root["id"])
        self.own = self._own(caller)
        self.writers = {"comment": alice, "written": caller}
        self.direct = self._filled(alice, root, {"member": str(member.user.pk), "root": root["id"]})
        self.nested = self._filled(alice, below, self.direct)
        share(root, member)
        if role in set(Role) - {Role.OWNER}:
            share(root, caller, Role(role))

    @staticmethod
    def _own(caller: Person) -> dict[str, Any]:
        project = make_project(caller, name="Own")
        section = make_section(caller, project)
        return {
            "own": project["id"],
            "own_section": section["id"],
            "own_task": post_task(caller, section_id=section["id"])["id"],
        }

    def _filled(self, alice: Person, project: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
        section, trashed_section = make_section(alice, project), make_section(alice, project)
        label = make(alice, "labels", name=f"of {project['id']}")
        task = post_task(alice, section_id=section["id"], labels=[label["id"]])
        daily = {"due": {"date": "2026-12-01"}, "recurrence": {"rule": "FREQ=DAILY"}}
        rows = {
            "project": project,
            "trashed_project": make_project(alice, parent_id=project["id"]),
            "section": section,
            "trashed_section": trashed_section,
            "label": label,
            "task": task,
            "subtask": post_task(alice, parent_id=task["id"]),
            "done": post_task(alice, project_id=project["id"]),
            "trashed": post_task(alice, project_id=project["id"]),
            "recurring": post_task(alice, project_id=project["id"], **daily),
        }
        alice.api.post(f"/tasks/{rows['done']['id']}/complete")
        alice.api.delete(f"/tasks/{rows['trashed']['id']}")
        alice.api.delete(f"/sections/{trashed_section['id']}")
        alice.api.delete(f"/projects/{rows['trashed_project']['id']}")
        comments = {name: self._comment(who, task) for name, who in self.writers.items()}
        made = Change.objects.get(object_id=rows["subtask"]["id"], action=Change.Action.CREATED)
        return more | {name: row["id"] for name, row in rows.items()} | comments | {"change": made.id}

    @staticmethod
    def _comment(who: Person, task: dict[str, Any]) -> str:
        """Write a comment past the API, as if the person had been allowed to when it was written."""
        now = timezone.now()
        made = Comment.objects.create(
            task_id=task["id"], author=who.user, text="Old", created_at=now, updated_at=now
        )
        Task.objects.filter(id=task["id"]).update(comment_count=F("comment_count") + 1)
        return str(made.id)

    def send(self, attempt: Attempt, ids: dict[str, Any]) -> Any:
        """Send the request."""
        if attempt.operation == "import_ics":
            file = io.BytesIO(CALENDAR)
            file.name = "tasks.ics"
            return self.caller.api.upload(attempt.path, {"file": file} | filled(attempt.body, ids))
        return self.caller.api.request(attempt.method, filled(attempt.path, ids), filled(attempt.body, ids))

    def send_in_batch(self, attempt: Attempt, ids: dict[str, Any]) -> Any:
        """Send it as the only operation of a batch; return its status and body."""
        body = filled(attempt.body, ids)
        operation = {"method": attempt.method, "path": filled(attempt.path, ids), "body": body}
        answer = self.caller.api.post("/batch", {"atomic": False, "operations": [operation]})
        assert answer.status_code == 200, answer.content
        return answer.json()["results"][0]


def filled(value: Any, ids: dict[str, Any]) -> Any:
    """Replace names in braces by ids."""
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    if value == "{change}":  # a number
        return ids["change"]
    return value.format(**ids, new=uuid7()) if isinstance(value, str) else value


KINDS = (Project, Section, Task, Label, TaskLabel, TaskAssignee, Membership, Comment, Invitation)
STORED = [str(kind.objects.order_by("pk").query) for kind in KINDS]


def stored() -> list[Any]:
    """Return all rows that a write could change."""
    found = []
    with connection.cursor() as cursor:
        for statement in STORED:
            cursor.execute(statement)
            found += cursor.fetchall()
    return found


@pytest.fixture(params=ROLES, ids=lambda role: role.label if role else "Stranger")
def role(request: pytest.FixtureRequest) -> Role | None:
    """One role after the other."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def world(alice: Person, bob: Person, mallory: Person, role: Role | None) -> World:
    """Let alice share with bob as a viewer, and with mallory in the role, unless alice is the caller."""
    return World(alice, alice if role is Role.OWNER else mallory, bob, role)


def check(attempt: Attempt, role: Role | None, status: int, body: dict[str, Any]) -> None:
    """Compare a response with the table."""
    if attempt.is_allowed(role):
        assert status in (200, 201, 204), (str(attempt), body)
    elif role is not STRANGER:
        expected = "label_is_not_yours" if attempt.operation.endswith("_label") else "role_too_low"
        assert (status, body["type"]) == (403, f"urn:todo:problem:{expected}"), (str(attempt), body)
    elif attempt.pointers:
        assert status == 400, (str(attempt), body)
        assert {error["code"] for error in body["errors"]} == {"not_found"}
        assert sorted(error["pointer"] for error in body["errors"]) == sorted(attempt.pointers)
    else:
        assert (status, body["type"]) == (404, "urn:todo:problem:not_found"), (str(attempt), body)


def test_every_operation_follows_the_table(world: World, role: Role | None) -> None:
    held = stored()
    for place, attempt in itertools.product((world.direct, world.nested), ATTEMPTS):
        before = transaction.savepoint()
        answer = world.send(attempt, world.own | place)
        check(attempt, role, answer.status_code, answer.json() if answer.content else {})
        if not attempt.is_allowed(role):
            assert stored() == held, str(attempt)
        transaction.savepoint_rollback(before)


def test_every_write_follows_it_in_a_batch(world: World, role: Role | None) -> None:
    ids = world.own | world.direct
    for attempt in ATTEMPTS:
        if attempt.method == "GET" or attempt.operation == "import_ics":
            continue
        before = transaction.savepoint()
        result = world.send_in_batch(attempt, ids)
        check(attempt, role, result["status"], result["body"] or {})
        transaction.savepoint_rollback(before)


def test_lists_hold_what_one_may_read(world: World, role: Role | None) -> None:
    for kind in LISTS.values():
        found = listed(world, f"/{kind}?limit=200&include_deleted=true")
        name = kind.removesuffix("s")
        hers = {each[key] for each in (world.direct, world.nested) for key in each if key.endswith(name)}
        assert hers & found == (set() if role is STRANGER else hers), kind
        if kind in ("tasks", "sections"):
            inside = listed(world, f"/{kind}?project_id={world.nested['project']}&limit=200")
            assert (world.nested[name] in inside) == (role is not STRANGER), kind


def listed(world: World, path: str) -> set[str]:
    """Return the ids in a list that the caller reads."""
    return {each["id"] for each in world.caller.api.get(path).json()["results"]}


def test_owners_are_known_without_a_question(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob)
    task = post_task(alice, project_id=project["id"])
    path = f"/tasks/{task['id']}"
    with CaptureQueriesContext(connection) as seen:
        post_task(alice, project_id=project["id"])
        for method, where, body in (
            ("PATCH", path, {"title": "New"}),
            ("POST", f"{path}/complete", None),
            ("POST", f"{path}/reopen", None),
            ("POST", f"{path}/move", {}),
            ("DELETE", path, None),
        ):
            assert alice.api.request(method, where, body).status_code in (200, 204)
    assert not [query["sql"] for query in seen if query["sql"].startswith('SELECT "todos_membership"')]


def test_every_operation_has_a_row_and_an_attempt() -> None:
    assert {each.operation for each in ATTEMPTS} == ACTIONS.keys()
    assert OPERATIONS.keys() == {*ACTIONS, *LISTS, *ELSEWHERE}


def rows_of_the_page() -> Iterator[tuple[str, str]]:
    page = (REPOSITORY / "docs" / "sharing.md").read_text(encoding="utf-8")
    for action, least in re.findall(r"^\| ([^|]+) \| (\w+) \|$", page, re.MULTILINE):
        if least not in ("role", "least"):
            yield action, least


def test_the_page_prints_the_table() -> None:
    printed = {action: least for action, least in rows_of_the_page() if action != "action"}
    assert printed == {action.value: least.label.lower() for action, least in LEAST_ROLE.items()}
