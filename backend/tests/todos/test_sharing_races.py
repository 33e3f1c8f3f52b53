"""Several people write to one project at the same time (PostgreSQL)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.races import one_waits
from tests.todos.stories import broken_rules, make, make_project, make_section, post_task, share
from todo_project.todos.models import Invitation, Membership, Role, Section, Task
from todo_project.todos.services import trees

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
DAILY = {"due": {"date": "2026-11-30"}, "recurrence": {"rule": "FREQ=DAILY"}}
Request = Callable[[Person, dict[str, str]], Any]
# writes of a member in a project of somebody else
WRITES: dict[str, Request] = {
    "create": lambda who, ids: who.api.post("/tasks", {"title": "New", "project_id": ids["project"]}),
    "create_below": lambda who, ids: who.api.post("/tasks", {"title": "New", "parent_id": ids["task"]}),
    "rename": lambda who, ids: who.api.patch(f"/tasks/{ids['task']}", {"title": "New"}),
    "complete": lambda who, ids: who.api.post(f"/tasks/{ids['task']}/complete"),
    "complete_recurring": lambda who, ids: who.api.post(f"/tasks/{ids['daily']}/complete"),
    "reopen": lambda who, ids: who.api.post(f"/tasks/{ids['done']}/reopen"),
    "move": lambda who, ids: who.api.post(f"/tasks/{ids['task']}/move", {"project_id": ids["own"]}),
    "bring": lambda who, ids: who.api.post(f"/tasks/{ids['own_task']}/move", {"project_id": ids["project"]}),
    "trash": lambda who, ids: who.api.delete(f"/tasks/{ids['task']}"),
    "create_section": lambda who, ids: who.api.post("/sections", {"name": "New", "project_id": ids["project"]}),
    "rename_section": lambda who, ids: who.api.patch(f"/sections/{ids['section']}", {"name": "New"}),
    "trash_section": lambda who, ids: who.api.delete(f"/sections/{ids['section']}"),
    "rename_project": lambda who, ids: who.api.patch(f"/projects/{ids['project']}", {"name": "New"}),
    "create_project": lambda who, ids: who.api.post("/projects", {"name": "New", "parent_id": ids["project"]}),
}


def make_rows(owner: Person, member: Person) -> dict[str, str]:
    """Make a shared project with one of everything in it, and a project of the member."""
    project, own = make_project(owner), make_project(member)
    section = make_section(owner, project)
    rows = {
        "project": project,
        "own": own,
        "own_task": post_task(member, project_id=own["id"]),
        "section": section,
        "task": post_task(owner, section_id=section["id"]),
        "daily": post_task(owner, project_id=project["id"], **DAILY),
        "done": post_task(owner, project_id=project["id"]),
    }
    owner.api.post(f"/tasks/{rows['done']['id']}/complete")
    share(project, member, Role.ADMIN)
    return {name: row["id"] for name, row in rows.items()}


def test_a_removed_member_writes_nothing_any_more(alice: Person, bob: Person) -> None:
    for name, write in WRITES.items():  # in one test, because emptying the tables takes longer than a case
        ids = make_rows(alice, bob)
        remove = partial(alice.api.delete, f"/projects/{ids['project']}/members/{bob.user.pk}")
        removed, refused = one_waits(remove, partial(write, bob, ids))
        assert removed.status_code == 204
        assert refused.status_code in (400, 404), (name, refused.content)
        assert not Task.objects.filter(title="New").exists(), name
        assert not Section.objects.filter(name="New").exists(), name
        assert broken_rules() == [], name


def test_a_member_is_removed_after_the_write_that_came_first(alice: Person, bob: Person) -> None:
    for name, write in WRITES.items():
        ids = make_rows(alice, bob)
        remove = partial(alice.api.delete, f"/projects/{ids['project']}/members/{bob.user.pk}")
        written, removed = one_waits(partial(write, bob, ids), remove)
        assert written.status_code in (200, 201, 204), (name, written.content)
        assert removed.status_code == 204
        assert bob.api.get(f"/projects/{ids['project']}").status_code == 404
        assert broken_rules() == [], name


def test_a_project_that_was_just_transferred_is_not_locked_after_those_of_its_old_owner(
    alice: Person, bob: Person
) -> None:
    for write in (
        alice.api.delete,
        lambda path: alice.api.post(f"{path}/restore"),
        lambda path: alice.api.patch(path, {"position": "b1"}),
    ):
        project = make_project(alice)
        share(project, bob)
        path = f"/projects/{project['id']}"
        transfer = partial(alice.api.post, f"{path}/transfer", {"user_id": str(bob.user.pk)})
        transferred, (refused, count) = one_waits(transfer, partial(locking, write, path))
        assert (transferred.status_code, refused.status_code, count) == (200, 409, 1), refused.content


def locking(write: Callable[[str], Any], path: str) -> tuple[Any, int]:
    """Return the response, and how many statements have locked projects."""
    with CaptureQueriesContext(connection) as sent:
        answer = write(path)
    return answer, sum('FOR NO KEY UPDATE OF "todos_project"' in query["sql"] for query in sent)


def test_an_invitation_is_answered_after_what_happens_to_its_project(
    alice: Person, bob: Person, mallory: Person
) -> None:
    project = make_project(alice)
    share(project, bob, Role.ADMIN)
    invited = make(alice, f"projects/{project['id']}/invitations", email=mallory.user.email, role="viewer")
    accept = partial(mallory.api.post, f"/invitations/{invited['id']}/accept")
    transfer = partial(alice.api.post, f"/projects/{project['id']}/transfer", {"user_id": str(bob.user.pk)})
    assert one_waits(transfer, accept)[1].status_code == 409
    assert one_waits(partial(delete_invitations_to, bob), accept)[1].status_code == 404


def delete_invitations_to(owner: Person) -> None:
    trees.locked_tree(owner_id=owner.user.pk)
    Invitation.objects.filter(project__owner_id=owner.user.pk).delete()


def test_two_people_hand_their_projects_to_each_other(alice: Person, bob: Person) -> None:
    hers, his = make_project(alice), make_project(bob)
    share(hers, bob, Role.ADMIN)
    share(his, alice, Role.ADMIN)
    first, second = one_waits(
        lambda: alice.api.patch(f"/projects/{hers['id']}", {"parent_id": his["id"]}),
        lambda: bob.api.patch(f"/projects/{his['id']}", {"parent_id": hers["id"]}),
    )
    assert first.status_code == 200
    assert second.status_code in (400, 403, 409), second.content
    assert broken_rules() == []


class Crowd:
    """Several people who write to two projects of Alice, until some of them are removed."""

    def __init__(self, owner: Person, leaving: Person, staying: list[Person]) -> None:
        self.owner = owner
        self.leaving = leaving
        self.people = [owner, leaving, *staying]
        self.projects = [make_project(owner)["id"] for _ in range(2)]
        for who in self.people[1:]:
            for project in self.projects:
                share({"id": project}, who, Role.EDITOR)
        self.sections = [make_section(owner, {"id": project})["id"] for project in self.projects]
        self.label = make(owner, "labels", name="shared")["id"]
        for project in self.projects:
            post_task(owner, project_id=project, labels=[self.label])
        self.tasks = [post_task(owner, section_id=section)["id"] for section in self.sections]
        self.is_removed = threading.Event()
        self.titles: list[str] = []

    def run(self) -> None:
        """Let everybody write at the same time, and remove one of them meanwhile."""
        jobs = [partial(self.work, who) for who in self.people] + [self.remove]
        with ThreadPoolExecutor(len(jobs)) as pool:
            for done in [pool.submit(closing, job) for job in jobs]:
                done.result()

    def remove(self) -> None:
        """Remove the member from both projects."""
        for project in self.projects:
            answer = self.owner.api.delete(f"/projects/{project}/members/{self.leaving.user.pk}")
            assert answer.status_code == 204
        self.is_removed.set()

    def work(self, who: Person) -> None:
        """Create tasks, and write to them and to the sections; the member who leaves may be refused."""
        refused = (400, 403, 404) if who is self.leaving else ()
        for turn in range(5):
            was_removed = who is self.leaving and self.is_removed.is_set()
            body = {"title": "New", "project_id": self.projects[turn % 2], "labels": [self.label]}
            made = who.api.post("/tasks", body)
            assert made.status_code in (201, *refused), made.content
            assert not (was_removed and made.status_code == 201)
            if made.status_code == 201:
                self.write(who, f"/tasks/{made.json()['id']}", turn, (200, 409, *refused))

    def write(self, who: Person, task: str, turn: int, allowed: tuple[int, ...]) -> None:
        """Write to one task, which also moves, and to a section, which moves between the projects."""
        here, there = self.projects[turn % 2], self.projects[1 - turn % 2]
        title = f"{who.user.email} {turn}"
        for method, path, body in (
            ("PATCH", task, {"title": title}),
            ("POST", f"{task}/move", {"project_id": there}),
            ("POST", f"{task}/complete", None),
            ("PATCH", f"/tasks/{self.tasks[turn % 2]}", {"description": title}),
            ("PATCH", f"/sections/{self.sections[turn % 2]}", {"project_id": there}),
            ("PATCH", f"/sections/{self.sections[turn % 2]}", {"project_id": here}),
        ):
            answer = who.api.request(method, path, body)
            assert answer.status_code in allowed, answer.content
            if body == {"title": title} and answer.status_code == 200:
                self.titles.append(title)


def closing(job: Callable[[], None]) -> None:
    """Do the job of a thread, and close its connection."""
    try:
        job()
    finally:
        connection.close()


def test_many_people_in_one_project_lose_no_write(
    alice: Person, bob: Person, person: Callable[..., Person]
) -> None:
    crowd = Crowd(alice, bob, [person(f"member{number}") for number in range(4)])
    crowd.run()
    assert len(crowd.titles) >= 5 * 5
    assert set(Task.objects.values_list("title", flat=True)) >= set(crowd.titles)
    assert not Membership.objects.filter(user=bob.user).exists()
    assert broken_rules() == []
