"""GET /changes: what it sends to whom, and when its cursors end."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from tests.conftest import Person
from tests.todos.races import interleaved
from tests.todos.stories import make, make_project, make_section, make_task, post_task, share
from todo_project.db.changes import position
from todo_project.db.changes.position import Position
from todo_project.db.rows import uuid7
from todo_project.todos.models import Change, Membership, Project, Task
from todo_project.todos.services.filters import USUAL

pytestmark = pytest.mark.django_db(transaction=True)


def changes(who: Person, since: str | None = None, *, limit: int = 50) -> tuple[list[dict[str, Any]], str]:
    """Return all changes since the cursor, page by page, and the cursor after them."""
    found: list[dict[str, Any]] = []
    while True:
        query = f"?limit={limit}" + (f"&since={since}" if since else "")
        answer = who.api.get(f"/changes{query}")
        assert answer.status_code == 200, answer.content
        page = answer.json()
        assert len(page["results"]) <= limit
        found += page["results"]
        since = page["next_cursor"]
        assert since is not None
        if not page["has_more"]:
            return found, since


def brief(found: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    assert all((each["data"] is None) == (each["action"] == "deleted") for each in found)
    return {(each["kind"], each["id"], each["action"]) for each in found}


def test_without_a_cursor_it_is_everything_as_get_returns_it(alice: Person, mallory: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    label = make(alice, "labels", name="urgent")
    task = post_task(alice, section_id=section["id"], labels=[label["id"]])
    trashed = post_task(alice)
    alice.api.delete(f"/tasks/{trashed['id']}")
    for limit in (1, 2, 50):
        found, _ = changes(alice, limit=limit)
        by_id = {each["id"]: each for each in found}
        assert len(by_id) == len(found) == 5 + len(USUAL)  # with the Inbox
        for path, row in (("projects", project), ("sections", section), ("labels", label), ("tasks", task)):
            assert by_id[row["id"]]["data"] == alice.api.get(f"/{path}/{row['id']}").json()
            assert by_id[row["id"]]["kind"] == path.removesuffix("s")
    assert [each["kind"] for each in changes(mallory)[0]] == ["project", *("filter" for _ in USUAL)]


def test_a_cursor_brings_what_happened_since_each_thing_once(alice: Person) -> None:
    kept, gone = post_task(alice), post_task(alice)
    _, cursor = changes(alice)
    assert changes(alice, cursor)[0] == []
    for title in ("Weed", "Water"):
        alice.api.patch(f"/tasks/{kept['id']}", {"title": title})
    alice.api.delete(f"/tasks/{gone['id']}")
    found, later = changes(alice, cursor)
    assert brief(found) == {("task", kept["id"], "upserted"), ("task", gone["id"], "deleted")}
    assert [each["data"]["title"] for each in found if each["data"]] == ["Water"]
    assert changes(alice, later)[0] == []


def test_a_cursor_of_another_account_does_not_hide_what_the_caller_never_got(alice: Person, bob: Person) -> None:
    post_task(bob)
    page = alice.api.get("/changes?limit=1").json()
    _, done = changes(alice)
    for cursor in (page["next_cursor"], done):
        assert refused(bob, cursor)


def test_a_cursor_of_an_earlier_release_names_no_account(alice: Person, bob: Person) -> None:
    task = post_task(alice)
    _, cursor = changes(alice)
    fields = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    older = base64.urlsafe_b64encode(json.dumps(fields[:-1]).encode()).decode().rstrip("=")
    alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed"})
    found, newer = changes(alice, older)
    assert brief(found) == {("task", task["id"], "upserted")}
    assert bob.api.get(f"/changes?since={newer}").status_code == 410, "from then on it does"


def test_what_happens_during_the_copy_comes_after_it(alice: Person) -> None:
    for _ in range(3):
        post_task(alice)
    page = alice.api.get("/changes?limit=3").json()
    assert page["has_more"]
    first = page["results"][-1]
    assert first["kind"] == "task"
    alice.api.delete(f"/tasks/{first['id']}")
    rest, _ = changes(alice, page["next_cursor"])
    assert brief(rest) >= {("task", first["id"], "deleted")}


def test_joining_a_project_brings_all_it_holds_and_leaving_one_tombstone(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    section = make_section(alice, project)
    label = make(alice, "labels", name="urgent")["id"]
    tasks = [post_task(alice, section_id=section["id"], labels=[label])["id"] for _ in range(3)]
    _, cursor = changes(bob)
    share(project, bob)
    for limit in (1, 2, 50):
        found, joined = changes(bob, cursor, limit=limit)
        assert brief(found) == {
            ("project", project["id"], "upserted"),
            ("section", section["id"], "upserted"),
            ("label", label, "upserted"),
            *(("task", id_, "upserted") for id_ in tasks),
        }
    Membership.objects.all().delete()
    alice.api.patch(f"/tasks/{tasks[0]}", {"title": "Secret"})
    found, _ = changes(bob, joined)
    assert brief(found) == {("project", project["id"], "deleted"), ("label", label, "deleted")}


def test_a_project_that_is_joined_during_the_request_is_copied(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(alice)
    task = post_task(alice, project_id=project["id"])
    _, cursor = changes(bob)
    horizon, joined = position.horizon, []

    def after_joining() -> position.Horizon:
        if not joined:
            joined.append(share(project, bob))
        return horizon()

    monkeypatch.setattr(position, "horizon", after_joining)
    assert ("task", task["id"], "upserted") in brief(changes(bob, cursor)[0])


def test_a_task_that_moves_out_of_sight_is_deleted_there_only(alice: Person, bob: Person) -> None:
    shared = make_project(alice)
    share(shared, bob)
    label = make(alice, "labels", name="urgent")["id"]
    task = post_task(alice, project_id=shared["id"], labels=[label])
    before = {who.user.id: changes(who)[1] for who in (alice, bob)}
    alice.api.patch(f"/tasks/{task['id']}", {"project_id": None})
    assert brief(changes(bob, before[bob.user.id])[0]) == {
        ("task", task["id"], "deleted"),
        ("label", label, "deleted"),
    }
    assert brief(changes(alice, before[alice.user.id])[0]) == {
        ("task", task["id"], "upserted"),
        ("label", label, "upserted"),  # as it was touched in the project
    }
    alice.api.patch(f"/tasks/{task['id']}", {"title": "Secret"})
    assert b"Secret" not in bob.api.get(f"/changes?since={before[bob.user.id]}").content


def test_a_new_name_of_a_label_reaches_who_sees_a_task_with_it(alice: Person, bob: Person, mallory: Person) -> None:
    shared = make_project(alice)
    share(shared, bob)
    label = make(alice, "labels", name="urgent")["id"]
    post_task(alice, project_id=shared["id"], labels=[label])
    cursors = [changes(who)[1] for who in (bob, mallory)]
    alice.api.patch(f"/labels/{label}", {"name": "soon"})
    found = [changes(who, cursor)[0] for who, cursor in zip((bob, mallory), cursors, strict=True)]
    assert [each["data"]["name"] for each in found[0]] == ["soon"]
    assert found[1] == []


@pytest.mark.parametrize(
    "since", ["x", "%00", "WzFd", base64.urlsafe_b64encode(b'["e","2026-11-30T09:00:00",0,0,null]').decode()]
)
def test_another_text_is_no_cursor(alice: Person, since: str) -> None:
    answer = alice.api.get(f"/changes?since={since}")
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/since"]


def refused(who: Person, cursor: str) -> bool:
    answer = who.api.get(f"/changes?since={cursor}")
    if answer.status_code == 410:
        assert answer.json()["type"] == "urn:todo:problem:cursor_expired"
        assert answer.json()["detail"].startswith(
            "This cursor cannot be continued. Send the request without `since`"
        )
    return bool(answer.status_code == 410)


def test_a_cursor_ends_with_the_retention_unless_it_is_used(alice: Person, settings: Any) -> None:
    settings.CHANGES_RETENTION_DAYS = 2
    _, cursor = changes(alice)
    with time_machine.travel(timezone.now() + dt.timedelta(days=1)):
        assert not refused(alice, cursor)
        _, used = changes(alice, cursor)
    with time_machine.travel(timezone.now() + dt.timedelta(days=2, minutes=1)):
        assert refused(alice, cursor)
        assert not refused(alice, used)


def test_a_cursor_of_another_history_is_refused(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    _, cursor = changes(alice)
    now = position.horizon()
    for other in (now._replace(epoch="another"), now._replace(end=Position(0, 0))):
        monkeypatch.setattr(position, "horizon", lambda other=other: other)
        assert refused(alice, cursor)


@pytest.mark.postgres
def test_another_table_or_timeline_is_another_history(alice: Person) -> None:
    epoch = position.horizon().epoch
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE todos_change RENAME TO old_change")
            cursor.execute("CREATE TABLE todos_change (LIKE old_change)")
        assert position.horizon().epoch != epoch
        transaction.set_rollback(True)
    assert position.horizon().epoch == epoch


@pytest.mark.postgres
def test_what_commits_late_is_not_skipped(alice: Person) -> None:
    """The transaction that begins first commits last; a client reads in between."""
    inbox = Project.objects.get(owner=alice.user)
    _, cursor = changes(alice)
    quick, slow = uuid7(), uuid7()

    def meanwhile() -> tuple[list[dict[str, Any]], str]:
        make_task(alice, id=quick, project=inbox)
        return changes(alice, cursor)

    _, (found, between), _ = interleaved(lambda: make_task(alice, id=slow, project=inbox), meanwhile)
    first, second = (Change.objects.get(object_id=id_) for id_ in (slow, quick))
    assert first.xid < second.xid
    assert found == []  # the quick one waits for the slow one
    assert brief(changes(alice, between)[0]) == {
        ("task", str(slow), "upserted"),
        ("task", str(quick), "upserted"),
    }


@pytest.mark.postgres
def test_an_open_transaction_ends_what_can_be_read(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the statement itself, which other databases of the server may hold back further
    inbox = Project.objects.get(owner=alice.user)
    task, horizon, _ = interleaved(lambda: make_task(alice, project=inbox), position.horizon)
    assert horizon.end.xid <= Change.objects.get(object_id=task.id).xid


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["change_in_project", "change_of_person"])
def test_the_log_is_read_by_index(alice: Person, table: str) -> None:
    ids = [uuid7() for _ in range(20)]
    Change.objects.bulk_create(
        Change(
            xid=n,
            at=timezone.now(),
            kind="task",
            object_id=ids[0],
            action="updated",
            project_id=ids[n % 20],
            user_id=ids[n % 20],
            request_id="",
            fields={},
            has_left=False,
        )
        for n in range(5_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE todos_change")
    rows = Change.objects.all()
    rows = rows.in_projects(ids[:1]) if table == "change_in_project" else rows.of_person(ids[0])
    plan = rows.between(Position(4_000, 0), Position(5_000, 0)).without_values()[:50].explain()
    assert table in plan, plan


def test_an_account_without_news_is_cheap(alice: Person, django_assert_num_queries: Any, settings: Any) -> None:
    settings.REQUESTS_PER_TOKEN = 0
    for _ in range(3):
        Task.objects.all().update(priority=1)
    _, cursor = changes(alice)
    # token, horizon, own projects, joined ones, what went out of sight, own rows, rows in projects
    with django_assert_num_queries(7):
        changes(alice, cursor)
