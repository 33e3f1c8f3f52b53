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
        page = operator.get("/admin/todos/task/?priority__exact=4")
    assert b"the urgent one" in page.content
    assert b"the one that can wait" not in page.content
    assert b"?priority__exact=0" in page.content
    assert operator.get("/admin/todos/task/?priority__exact=nonsense").status_code == 302


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
    assert b"Moved 1 project to the trash." in page.content
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


def shown(operator: Client, path: str) -> dict[str, Any]:
    """Return what a browser would send if the operator saved the form as it is."""
    form = operator.get(path).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items() if value is not False}


def row_of(person: Person, kind: str) -> dict[str, Any]:
    rows = {
        "project": lambda: make_project(person),
        "section": lambda: make_section(person, make_project(person)),
        "label": lambda: make(person, "labels", name="home"),
        "task": lambda: make(person, "tasks", title="Dig"),
    }
    return rows[kind]()


@pytest.mark.parametrize("kind", PAGES)
def test_every_kind_goes_to_the_trash_and_comes_back(alice: Person, operator: Client, kind: str) -> None:
    path = f"/{kind}s/{row_of(alice, kind)['id']}"
    for action, status in (("move_to_trash", 404), ("restore_from_trash", 200)):
        sent = {"action": action, "_selected_action": [path.rpartition("/")[2]]}
        assert operator.post(f"/admin/todos/{kind}/", sent).status_code == 302
        assert alice.api.get(path).status_code == status


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("project", "color", "#3b82f6"),
        ("section", "position", "z1"),
        ("label", "color", "#3b82f6"),
        ("task", "priority", "2"),
    ],
)
def test_a_form_that_shows_an_older_version_is_refused(
    alice: Person, operator: Client, kind: str, field: str, value: str
) -> None:
    """The operator opens the form, the owner renames the row, the operator saves another field."""
    row = row_of(alice, kind)
    path = f"/admin/todos/{kind}/{row['id']}/change/"
    sent = {**shown(operator, path), field: value}
    renamed = alice.api.patch(f"/{kind}s/{row['id']}", {"title" if kind == "task" else "name": "Renamed"}).json()
    page = operator.post(path, sent, follow=True)
    assert b"The resource has changed since you read it." in page.content
    assert b"was changed successfully" not in page.content
    assert alice.api.get(f"/{kind}s/{row['id']}").json() == renamed
    again = operator.post(path, {**shown(operator, path), field: value}, follow=True)
    assert b"was changed successfully" in again.content


def test_an_action_that_changes_nothing_says_so(alice: Person, operator: Client) -> None:
    inbox = Project.objects.get(owner=alice.user, is_inbox=True)
    sent = {"action": "move_to_trash", "_selected_action": [str(inbox.id)]}
    assert b"Moved no projects to the trash." in operator.post("/admin/todos/project/", sent, follow=True).content


def form_of(row: dict[str, Any], *names: str, **changes: str) -> dict[str, str]:
    return {name: row.get(name) or "" for name in names} | changes


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("project", {"position": "z0"}),
        ("project", {"position": "A1"}),
        ("project", {"position": "z" * 51}),
        ("project", {"color": "banana"}),
        ("project", {"color": "#12345"}),
        ("project", {"name": " "}),
        ("section", {"position": "z0"}),
        ("section", {"position": ""}),
        ("section", {"position": "z" * 51}),
        ("label", {"color": "banana"}),
        ("task", {"position": "z0"}),
        ("task", {"position": "z" * 51}),
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


def test_a_position_that_a_service_computed_may_be_longer(alice: Person, operator: Client) -> None:
    make(alice, "projects", name="Last", position="z" * 50)
    row = make_project(alice)
    assert len(row["position"]) > 50
    form = form_of(row, "color", "position", name="Garden", parent="")
    assert operator.post(f"/admin/todos/project/{row['id']}/change/", form).status_code == 302
    assert alice.api.get(f"/projects/{row['id']}").json()["name"] == "Garden"


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
