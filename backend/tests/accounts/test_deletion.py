"""A deleted account leaves nothing behind, and others keep what is theirs, with new versions of what changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.conftest import Api, Person
from tests.todos.stories import broken_rules, fill, make, make_project, make_section, post_task, share
from todo_project.accounts.models import User
from todo_project.accounts.services import deletion
from todo_project.comments.models import Comment
from todo_project.jobs.queue import in_context, registry
from todo_project.todos.models import Invitation, Membership, Project, Role, Section, Task, TaskLabel
from todo_project.todos.services import purge


def delete(who: Person) -> None:
    deletion.delete_account(user_id=who.user.pk, now=timezone.now())


def left() -> dict[str, int]:
    """Return how many rows there are of what an account can have."""
    kinds = (User, Project, Section, Task, TaskLabel, Membership, Invitation, Comment)
    return {kind.__name__: kind.objects.count() for kind in kinds}


def changes(api: Api, since: str | None = None) -> tuple[set[tuple[str, str, str]], str]:
    """Return what has changed for the person, and the cursor from which to go on."""
    answer = api.get("/changes" + (f"?since={since}" if since else "")).json()
    assert not answer["has_more"]
    return {(each["kind"], each["id"], each["action"]) for each in answer["results"]}, answer["next_cursor"]


@pytest.fixture
def project(alice: Person, bob: Person) -> dict[str, Any]:
    """Bob's project, of which alice is an admin."""
    made = make_project(bob, name="Shared")
    share(made, alice, Role.ADMIN)
    return made


def test_everything_in_the_account_goes(alice: Person, person: Callable[..., Person]) -> None:
    before = left()
    carol = person("carol")
    top = make_project(carol)
    section = make_section(carol, make_project(carol, parent_id=top["id"]))
    parent = post_task(carol, section_id=section["id"], labels=[make(carol, "labels", name="L")["id"]])
    child = post_task(carol, parent_id=parent["id"])
    make(carol, "comments", task_id=child["id"], text="Mine")
    share(top, alice, Role.EDITOR)
    carol.api.post(f"/projects/{top['id']}/invitations", {"email": "dave@example.org", "role": "viewer"})
    carol.api.delete(f"/tasks/{parent['id']}")
    delete(carol)
    assert left() == before
    assert carol.api.get("/me").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_shared_project_goes_for_its_members_at_once(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task = post_task(bob, project_id=project["id"])
    _, cursor = changes(alice.api)
    delete(bob)
    found, _ = changes(alice.api, cursor)
    assert ("project", project["id"], "deleted") in found
    assert alice.api.get(f"/projects/{project['id']}").status_code == 404
    assert alice.api.get(f"/tasks/{task['id']}").status_code == 404
    assert broken_rules() == []


@pytest.mark.django_db(transaction=True)
def test_what_was_written_in_projects_of_others_stays(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    task = post_task(alice, project_id=project["id"], assignees=[str(alice.user.pk), str(bob.user.pk)])
    comment = make(alice, "comments", task_id=task["id"], text="From alice")
    _, cursor = changes(bob.api)
    delete(alice)
    kept = bob.api.get(f"/tasks/{task['id']}").json()
    assert kept["assignees"] == [str(bob.user.pk)]
    assert kept["updated_at"] > task["updated_at"]
    said = bob.api.get(f"/comments/{comment['id']}").json()
    assert (said["text"], said["author_id"]) == ("From alice", None)
    assert said["updated_at"] > comment["updated_at"]
    assert bob.api.get(f"/projects/{project['id']}/members").json()["results"][0]["user_id"] == str(bob.user.pk)
    found, _ = changes(bob.api, cursor)
    assert {("task", task["id"], "upserted"), ("comment", comment["id"], "upserted")} <= found
    assert broken_rules() == []


def test_its_labels_go_from_the_tasks_of_others(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    label = make(alice, "labels", name="Mine")
    task = post_task(alice, project_id=project["id"], labels=[label["id"]])
    etag = bob.api.get(f"/tasks/{task['id']}")["ETag"]
    delete(alice)
    answer = bob.api.get(f"/tasks/{task['id']}", headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert answer.json()["labels"] == []


def test_its_invitations_to_projects_of_others_end(alice: Person, bob: Person, project: dict[str, Any]) -> None:
    path = f"/projects/{project['id']}/invitations"
    assert alice.api.post(path, {"email": "dave@example.org", "role": "viewer"}).status_code == 201
    delete(alice)
    assert bob.api.get(path).json()["results"] == []


def test_an_interrupted_deletion_goes_on(alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: count - 1 for name, count in left().items() if name in {"User", "Project"}}
    post_task(alice)

    def fail(**_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "before_deletion", [*deletion.before_deletion, fail])
        with pytest.raises(RuntimeError):
            delete(alice)
    assert User.objects.filter(pk=alice.user.pk, is_active=False).exists()
    registry["accounts.delete_account"].run(user_id=str(alice.user.pk))
    registry["accounts.delete_account"].run(user_id=str(alice.user.pk))
    assert {name: count for name, count in left().items() if name in before} == before


def run_deferred() -> None:
    """Run what a worker would; without one, it has run already."""
    if connection.vendor == "postgresql":
        from procrastinate.contrib.django.models import ProcrastinateJob

        job = ProcrastinateJob.objects.filter(task_name="accounts.delete_account").latest("id")
        in_context(registry[job.task_name])(**job.args)


@pytest.mark.django_db(transaction=True)
def test_the_log_names_who_deleted_it(
    alice: Person, bob: Person, person: Callable[..., Person], project: dict[str, Any]
) -> None:
    task = post_task(bob, project_id=project["id"], assignees=[str(alice.user.pk)])
    operator = person("olga")
    User.objects.filter(pk=operator.user.pk).update(is_staff=True, is_superuser=True)
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    pages = Client()
    pages.force_login(operator.user)
    answer = pages.post(reverse("admin:accounts_user_delete", args=[alice.user.pk]), {"post": "yes"})
    assert answer.status_code == 302
    run_deferred()
    assert not User.objects.filter(pk=alice.user.pk).exists()
    change = bob.api.get(f"/tasks/{task['id']}/activity?limit=1").json()["results"][0]
    assert change["fields"]["assignees"]["to"] == []
    assert change["actor_id"] == str(operator.user.pk)


def test_an_account_that_is_active_again_stays(alice: Person) -> None:
    deletion.request_deletion(user_id=alice.user.pk, now=timezone.now())
    User.objects.filter(pk=alice.user.pk).update(is_active=True)
    registry["accounts.delete_account"].run(user_id=str(alice.user.pk))
    assert User.objects.filter(pk=alice.user.pk, is_active=True).exists()


def test_a_closed_account_gets_no_project(alice: Person, project: dict[str, Any], bob: Person) -> None:
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    answer = bob.api.post(f"/projects/{project['id']}/transfer", {"user_id": str(alice.user.pk)})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/user_id")


def test_a_batch_takes_as_many_statements_whatever_its_size(alice: Person, bob: Person) -> None:
    counts = []
    for who, size in ((alice, 2), (bob, 100)):
        fill(who, make_project(who), size)
        with CaptureQueriesContext(connection) as captured:
            delete(who)
        counts.append(len(captured))
    assert counts[0] == counts[1]


_MANY = """
INSERT INTO todos_task (id, owner_id, project_id, title, priority, position, created_at, updated_at, version,
    description, due_time_zone, start_time_zone, deadline_time_zone, recurrence_rule, recurrence_mode, reminders,
    uid, ical)
SELECT gen_random_uuid(), %s, %s, 'Task', 0, 'a1', now(), now(), 1, '', '', '', '', '', '', '[]', '', ''
FROM generate_series(1, 66000)
"""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)  # within one, each batch would read the rows deleted before it again
def test_an_account_with_more_tasks_than_a_statement_has_parameters_is_deleted(alice: Person) -> None:
    project = make_project(alice)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE todos_task DISABLE TRIGGER USER")
        cursor.execute(_MANY, [alice.user.pk, project["id"]])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending triggers cannot be altered
        cursor.execute("ALTER TABLE todos_task ENABLE TRIGGER USER")
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as captured:
        delete(alice)
    assert left() == dict.fromkeys(left(), 0)
    assert len(captured) < 66_000 / purge.BATCH * 25  # a batch takes 21, whatever its size


_COMMENTS = """
INSERT INTO comments_comment (id, task_id, text, mentions, created_at, updated_at, version)
SELECT gen_random_uuid(), %s, 'Said', '[]', now(), now(), 1 FROM generate_series(1, 66000)
"""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_task_with_more_comments_than_a_statement_has_parameters_is_deleted(alice: Person) -> None:
    task = post_task(alice)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE comments_comment DISABLE TRIGGER USER")
        cursor.execute(_COMMENTS, [task["id"]])
        cursor.execute("ALTER TABLE comments_comment ENABLE TRIGGER USER")
        cursor.execute("ANALYZE")
    delete(alice)
    assert left() == dict.fromkeys(left(), 0)
