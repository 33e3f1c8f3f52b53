"""What operators do in the admin goes through the services."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, make_task
from todo_project.todos.models import Project

PAGES = ("project", "section", "label", "task")


@pytest.fixture
def operator(person: Any) -> Client:
    """A browser of somebody who may everything in the admin."""
    user = person("operator").user
    user.is_staff = user.is_superuser = True
    user.save()
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_a_list_takes_as_many_statements_for_many_rows_as_for_few(
    operator: Client, page: str, person: Any, django_assert_max_num_queries: Any
) -> None:
    people = person("alice"), person("bob")
    for number in range(10):
        for who in people:
            project = make_project(who, name=f"Project {number}")
            make_section(who, make_project(who, parent_id=project["id"]))
            make(who, "labels", name=f"Label {number}")
            make_task(who, project_id=project["id"])
    with django_assert_max_num_queries(6):
        answer = operator.get(f"/admin/todos/{page}/?q=alice")
    assert answer.status_code == 200
    assert b"alice@example.org" in answer.content
    assert b"bob@example.org" not in answer.content


def test_the_priorities_to_choose_from_are_not_looked_for_in_the_tasks(
    alice: Person, operator: Client, django_assert_max_num_queries: Any
) -> None:
    for priority, title in ((1, "the one that can wait"), (4, "the urgent one")):
        make_task(alice, project=Project.objects.get(owner=alice.user), title=title, priority=priority)
    with django_assert_max_num_queries(4):  # session, user, count, page
        page = operator.get("/admin/todos/task/?priority=4")
    assert b"the urgent one" in page.content
    assert b"the one that can wait" not in page.content
    assert b"?priority=0" in page.content
    assert b"the one that can wait" in operator.get("/admin/todos/task/?priority=nonsense").content


def test_a_change_is_a_new_version(alice: Person, operator: Client) -> None:
    project = make_project(alice)
    path = f"/admin/todos/project/{project['id']}/change/"
    page = operator.get(path)
    assert page.status_code == 200
    form = {"name": "Corrected", "color": "", "parent": "", "position": project["position"]}
    assert operator.post(path, form).status_code == 302
    row = Project.objects.get(id=project["id"])
    assert (row.name, row.version) == ("Corrected", 2)
    assert operator.post(path, form).status_code == 302
    row.refresh_from_db()
    assert row.version == 2


def test_domain_errors_are_shown_as_messages(alice: Person, operator: Client) -> None:
    project = make_project(alice)
    path = f"/admin/todos/project/{project['id']}/change/"
    form = {"name": "x", "color": "", "parent": project["id"], "position": project["position"]}
    page = operator.post(path, form, follow=True)
    assert b"cannot be moved into itself" in page.content
    assert Project.objects.get(id=project["id"]).name == "Garden"


def test_actions_trash_and_restore_through_the_services(alice: Person, operator: Client) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    inbox = Project.objects.get(owner=alice.user, is_inbox=True)
    chosen = [project["id"], str(inbox.id)]
    page = operator.post(
        "/admin/todos/project/", {"action": "move_to_trash", "_selected_action": chosen}, follow=True
    )
    assert b"The Inbox cannot be deleted." in page.content
    assert b"1 moved to the trash." in page.content
    assert alice.api.get(f"/sections/{section['id']}").status_code == 404
    listed = operator.get("/admin/todos/project/?trash=yes")
    assert project["id"].encode() in listed.content
    assert str(inbox.id).encode() not in listed.content
    assert project["id"].encode() not in operator.get("/admin/todos/project/?trash=no").content
    operator.post("/admin/todos/project/", {"action": "restore_from_trash", "_selected_action": chosen[:1]})
    assert alice.api.get(f"/sections/{section['id']}").status_code == 200
    assert LogEntry.objects.filter(object_id=project["id"]).count() == 2


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_made_or_deleted_for_good(operator: Client, page: str) -> None:
    assert operator.get(f"/admin/todos/{page}/add/").status_code == 403
    assert b"delete_selected" not in operator.get(f"/admin/todos/{page}/").content


def test_what_is_in_the_trash_is_only_shown(alice: Person, operator: Client) -> None:
    project = make_project(alice)
    alice.api.delete(f"/projects/{project['id']}")
    path = f"/admin/todos/project/{project['id']}/change/"
    assert operator.get(path).status_code == 200
    assert operator.post(path, {"name": "x"}).status_code == 403


def test_a_task_moves_and_comes_back_through_the_services(alice: Person, operator: Client) -> None:
    here, there = make_project(alice), make_project(alice)
    task = make(alice, "tasks", title="Dig", project_id=here["id"])
    path = f"/admin/todos/task/{task['id']}/change/"
    form = {
        "title": "Dig deeper",
        "description": "",
        "priority": "2",
        "project": there["id"],
        "section": "",
        "parent": "",
        "position": task["position"],
    }
    assert operator.post(path, form).status_code == 302
    changed = alice.api.get(f"/tasks/{task['id']}").json()
    assert (changed["title"], changed["priority"], changed["project_id"]) == ("Dig deeper", 2, there["id"])
    for action, status in (("move_to_trash", 404), ("restore_from_trash", 200)):
        operator.post("/admin/todos/task/", {"action": action, "_selected_action": [task["id"]]})
        assert alice.api.get(f"/tasks/{task['id']}").status_code == status


def form_of(row: dict[str, Any], *names: str, **changes: str) -> dict[str, str]:
    return {name: row.get(name) or "" for name in names} | changes


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("project", {"position": "z0"}),
        ("project", {"position": "A1"}),
        ("project", {"color": "banana"}),
        ("project", {"color": "#12345"}),
        ("project", {"name": " "}),
        ("section", {"position": "z0"}),
        ("section", {"position": ""}),
        ("label", {"color": "banana"}),
        ("task", {"position": "z0"}),
        ("task", {"title": ""}),
        ("task", {"title": "x" * 501}),
        ("task", {"description": "x" * 50_001}),
        ("task", {"priority": "5"}),
        ("task", {"priority": "-1"}),
    ],
)
def test_what_the_api_refuses_is_refused_with_a_message(
    alice: Person, operator: Client, kind: str, changes: dict[str, str]
) -> None:
    project = make_project(alice)
    rows = {
        "project": (project, ("name", "color", "position"), {"parent": ""}),
        "section": (make_section(alice, project), ("name", "position"), {"project": project["id"]}),
        "label": (make(alice, "labels", name="home"), ("name", "color"), {}),
        "task": (
            make(alice, "tasks", title="Dig"),
            ("title", "description", "position"),
            {"priority": "0", "section": "", "parent": ""},
        ),
    }
    row, names, others = rows[kind]
    if kind == "task":
        others = {**others, "project": row["project_id"]}
    page = operator.post(f"/admin/todos/{kind}/{row['id']}/change/", form_of(row, *names, **{**others, **changes}))
    assert page.status_code == 200
    assert b"errorlist" in page.content
    assert alice.api.get(f"/{kind}s/{row['id']}").json() == row


def test_another_persons_project_is_not_found_for_a_task(alice: Person, bob: Person, operator: Client) -> None:
    task, theirs = make(alice, "tasks", title="Dig"), make_project(bob)
    form = form_of(
        task, "title", "description", "position", priority="0", project=theirs["id"], section="", parent=""
    )
    page = operator.post(f"/admin/todos/task/{task['id']}/change/", form, follow=True)
    assert b"You have no project with this id." in page.content
    assert alice.api.get(f"/tasks/{task['id']}").json() == task


def test_the_inbox_is_not_archived_here_either(alice: Person, operator: Client) -> None:
    inbox = alice.api.get("/projects").json()["results"][0]
    form = form_of(inbox, "name", "color", "position", parent="", is_archived="on")
    page = operator.post(f"/admin/todos/project/{inbox['id']}/change/", form, follow=True)
    assert page.status_code == 200
    assert not alice.api.get(f"/projects/{inbox['id']}").json()["is_archived"]
