"""POST /tasks/quick: what it creates, whose names it knows, and what it refuses."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Person
from tests.todos.logged import brief, logged
from tests.todos.stories import make, make_project, make_section, pointers, post_task, share
from todo_project.accounts.models import User
from todo_project.todos.models import Change, Label, Project, Role, Task
from todo_project.todos.services.access import LEAST_ROLE, Action

NOW = "2026-11-24T09:00:00Z"
RENT = "pay rent every 1st at 9 #Home p1 @finance"


@pytest.fixture(autouse=True)
def clock() -> Any:
    """Let it be Tuesday morning, in UTC."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def quick(who: Person, text: str, *, status: int = 201, **values: Any) -> Any:
    answer = who.api.post("/tasks/quick", {"text": text, **values})
    assert answer.status_code == status, answer.content
    return answer.json()


def task_of(who: Person, text: str, **values: Any) -> Any:
    return quick(who, text, **values)["task"]


def stored() -> list[Any]:
    return [list(kind.objects.order_by("pk").values()) for kind in (Project, Task, Label, Change)]


def test_it_creates_the_task_that_the_text_describes(alice: Person) -> None:
    home, finance = make_project(alice, name="Home"), make(alice, "labels", name="finance")
    answer = alice.api.post("/tasks/quick", {"text": RENT, "time_zone": "Europe/Berlin"})
    assert answer.status_code == 201, answer.content
    task = answer.json()["task"]
    assert task["title"] == "pay rent"
    assert task["due"] == {"at": "2026-12-01T08:00:00Z", "time_zone": "Europe/Berlin"}
    assert task["recurrence"] == {"rule": "FREQ=MONTHLY;BYMONTHDAY=1", "mode": "schedule"}
    assert (task["project_id"], task["labels"], task["priority"]) == (home["id"], [finance["id"]], 4)
    assert [(each["kind"], each["text"]) for each in answer.json()["understood"]] == [
        ("recurrence", "every 1st"),
        ("due", "at 9"),
        ("project", "#Home"),
        ("priority", "p1"),
        ("label", "@finance"),
    ]
    assert answer["Location"] == f"/api/v1/tasks/{task['id']}"
    found = alice.api.get(f"/tasks/{task['id']}")
    assert (found.json(), found["ETag"]) == (task, answer["ETag"])


def test_it_reads_chinese(alice: Person) -> None:
    home = make_project(alice, name="家")
    task = task_of(alice, "明天下午三点 交房租 #家 每月", time_zone="Asia/Shanghai")
    assert (task["title"], task["project_id"]) == ("交房租", home["id"])
    assert task["due"] == {"at": "2026-11-25T07:00:00Z", "time_zone": "Asia/Shanghai"}
    assert task["recurrence"]["rule"] == "FREQ=MONTHLY"


def test_spans_count_code_points_of_the_text_as_it_was_sent(alice: Person) -> None:
    text = "  \U0001f600 dig\ttomorrow  p2 "
    said = quick(alice, text)
    assert said["task"]["title"] == "\U0001f600 dig"
    assert [(each["start"], each["end"]) for each in said["understood"]] == [(8, 16), (18, 20)]
    assert all(text[each["start"] : each["end"]] == each["text"] for each in said["understood"])


def test_a_dry_run_answers_the_same_and_writes_nothing(alice: Person) -> None:
    make_project(alice, name="Home")
    urgent = make(alice, "labels", name="urgent")
    before = stored()
    text = f"{RENT} @urgent"
    draft = quick(alice, text, status=200, dry_run=True)
    assert stored() == before
    real = quick(alice, text)
    assert draft["task"] | {"id": real["task"]["id"], "labels": real["task"]["labels"]} == real["task"]
    assert (draft["task"]["id"], draft["task"]["labels"]) == (None, [urgent["id"]])
    assert {name: draft[name] for name in ("understood", "new_labels")} == {
        name: real[name] for name in ("understood", "new_labels")
    }
    assert draft["new_labels"] == ["finance"]


def test_a_dry_run_has_no_tag_and_no_location(alice: Person) -> None:
    answer = alice.api.post("/tasks/quick", {"text": "dig", "dry_run": True})
    assert answer.status_code == 200
    assert not {"ETag", "Location"} & answer.headers.keys()


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_repeated_request_runs_once(alice: Person, dry_run: bool) -> None:
    body, key = {"text": f"dig @new{dry_run}", "dry_run": dry_run}, {"Idempotency-Key": "1"}
    first, second = (alice.api.post("/tasks/quick", body, headers=key) for _ in range(2))
    assert second["Idempotency-Replayed"] == "true"
    assert second.content == first.content
    assert Task.objects.count() == Label.objects.count() == (0 if dry_run else 1)


@pytest.mark.parametrize("role", [None, *Role])
def test_a_project_is_understood_by_those_who_may_add_tasks(
    alice: Person, mallory: Person, role: Role | None
) -> None:
    garden = make_project(alice, name="Garden")
    make_section(alice, garden, name="Shed")
    caller = alice if role is Role.OWNER else mallory
    if role not in (None, Role.OWNER):
        share(garden, mallory, role)
    caller.user.refresh_from_db()
    said = quick(caller, "dig #Garden/Shed +alice@example.org")
    task = said["task"]
    if role is not None and role >= LEAST_ROLE[Action.EDIT]:
        assert (task["title"], task["project_id"]) == ("dig", garden["id"])
        assert (task["section_id"] is not None, task["assignees"]) == (True, [str(alice.user.pk)])
        return
    inbox = Project.objects.get(owner=caller.user, is_inbox=True)
    assert (task["title"], task["project_id"]) == ("dig #Garden/Shed +alice@example.org", str(inbox.id))
    # no hint: a name that nobody has is answered in the same way
    unknown = quick(caller, "dig #Gorden/Shed +alicf@example.org")
    assert unknown["understood"] == said["understood"] == []


def test_a_role_that_is_lost_meanwhile_is_an_error_of_the_text(alice: Person, bob: Person) -> None:
    garden = make_project(alice, name="Garden")
    names = "todo_project.quick_add.services.adding.NamesOf.projects"
    with mock.patch(names, return_value={"garden": Project.objects.get(id=garden["id"]).id}):
        answer = bob.api.post("/tasks/quick", {"text": "dig #Garden @new"})
    assert pointers(answer) == ["/text"]
    assert not Label.objects.exists()


def test_archived_and_deleted_names_are_unknown(alice: Person) -> None:
    garden, home = make_project(alice, name="Garden"), make_project(alice, name="Home")
    label = make(alice, "labels", name="tools")
    alice.api.post(f"/projects/{garden['id']}/archive")
    alice.api.delete(f"/projects/{home['id']}")
    alice.api.delete(f"/labels/{label['id']}")
    said = quick(alice, "dig #Garden #Home @tools")
    assert said["task"]["title"] == "dig #Garden #Home"
    assert said["new_labels"] == ["tools"]


def test_of_projects_with_the_same_name_the_oldest_of_ones_own_is_meant(
    alice: Person, bob: Person, clock: Any
) -> None:
    share(make_project(alice, name="Home"), bob, Role.EDITOR)
    bob.user.refresh_from_db()
    mine = make_project(bob, name="home")
    clock.shift(1)
    make_project(bob, name="HOME")
    assert task_of(bob, "dig #Home")["project_id"] == mine["id"]


def test_labels_in_use_in_the_project_are_known_there(alice: Person, bob: Person) -> None:
    garden, tools = make_project(alice, name="Garden"), make(alice, "labels", name="tools")
    post_task(alice, project_id=garden["id"], labels=[tools["id"]])
    share(garden, bob, Role.EDITOR)
    bob.user.refresh_from_db()
    assert task_of(bob, "dig @tools #Garden")["labels"] == [tools["id"]]
    # in one's own Inbox, the name is a new label of one's own
    said = quick(bob, "dig @tools")
    assert said["new_labels"] == ["tools"]
    assert said["task"]["labels"] != [tools["id"]]


def test_a_label_that_was_just_created_elsewhere_is_used(alice: Person) -> None:
    tools = make(alice, "labels", name="Tools")
    with mock.patch("todo_project.quick_add.services.adding.NamesOf.labels", return_value={}):
        assert task_of(alice, "dig @tools")["labels"] == [tools["id"]]


@pytest.mark.django_db(transaction=True)
def test_what_it_writes_is_in_the_log_of_changes_and_can_be_undone(alice: Person) -> None:
    with logged() as rows:
        quick(alice, "dig @tools", status=200, dry_run=True)
        assert rows() == []
        answer = alice.api.post("/tasks/quick", {"text": "dig @tools"})
        assert set(brief(rows())) >= {("label", "created"), ("task", "created")}
        assert {row.actor_id for row in rows()} == {alice.user.pk}
    undone = alice.api.post("/undo", {"request_id": answer["X-Request-ID"]})
    assert undone.status_code == 200, undone.content
    assert not Task.objects.alive().exists()
    assert not Label.objects.alive().exists()


@pytest.mark.parametrize(
    ("profile", "body", "time"),
    [
        ("Asia/Shanghai", None, "2026-11-25T01:00:00Z"),
        ("Asia/Shanghai", "Europe/Berlin", "2026-11-25T08:00:00Z"),
    ],
)
def test_the_time_zone_is_that_of_the_body_or_else_of_the_profile(
    alice: Person, profile: str, body: str | None, time: str
) -> None:
    User.objects.update(time_zone=profile)
    due = task_of(alice, "dig tomorrow at 9", time_zone=body)["due"]
    assert due == {"at": time, "time_zone": body or profile}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/text", "required"),
        ({"text": None}, "/text", "null"),
        ({"text": 7}, "/text", "invalid"),
        ({"text": ""}, "/text", "blank"),
        ({"text": "  "}, "/text", "blank"),
        ({"text": "tomorrow at 9 p1 @tools"}, "/text", "no_title"),
        ({"text": "tomorrow", "dry_run": True}, "/text", "no_title"),
        ({"text": "every day!"}, "/text", "no_title"),
        ({"text": "x" * 501 + " p1"}, "/text", "max_length"),
        ({"text": "x" * 1001}, "/text", "max_length"),
        ({"text": "dig\0"}, "/text", "null_characters_not_allowed"),
        ({"text": "dig", "time_zone": "Mars/Base"}, "/time_zone", "unknown_time_zone"),
        ({"text": "dig", "time_zone": "../etc"}, "/time_zone", "unknown_time_zone"),
        ({"text": "dig", "dry_run": "yes"}, "/dry_run", "invalid"),
        ({"text": "dig", "title": "dig"}, "/title", "unknown_field"),
    ],
)
def test_wrong_input_is_named(alice: Person, body: dict[str, Any], pointer: str, code: str) -> None:
    before = stored()
    answer = alice.api.post("/tasks/quick", body)
    assert pointers(answer) == [pointer]
    assert answer.json()["errors"][0]["code"] == code
    assert stored() == before


def test_half_a_character_is_refused(alice: Person) -> None:
    answer = alice.api._client.post(
        "/api/v1/tasks/quick",
        b'{"text": "dig \\ud800"}',
        content_type="application/json",
        headers=alice.api._headers,
    )
    assert answer.status_code == 400, answer.content


def test_a_token_needs_the_scope_to_write(person: Any) -> None:
    reader = person("reader", scopes=("read",))
    for dry_run in (False, True):
        quick(reader, "dig", status=403, dry_run=dry_run)


def test_a_batch_refuses_it(alice: Person) -> None:
    operation = {"method": "POST", "path": "/tasks/quick", "body": {"text": "dig"}}
    result = alice.api.post("/batch", {"atomic": False, "operations": [operation]}).json()["results"][0]
    assert result["status"] == 404
    assert "A batch cannot use this path" in result["body"]["detail"]
    assert not Task.objects.exists()


def test_a_text_without_marks_reads_no_names(alice: Person, django_assert_max_num_queries: Any) -> None:
    post_task(alice)
    plain = {"title": "dig"}
    with CaptureQueriesContext(connection) as usual:
        alice.api.post("/tasks", plain)
    # and a savepoint of the transaction around both writes
    with django_assert_max_num_queries(len(usual) + 2):
        quick(alice, "dig tomorrow p1")


def test_a_recurrence_that_begins_at_a_skipped_time_has_that_time_later(alice: Person, clock: Any) -> None:
    clock.move_to("2027-03-27T09:00:00Z")
    task = task_of(alice, "water every day at 2:30am from tomorrow", time_zone="Europe/Berlin")
    (second,) = alice.api.get(f"/tasks/{task['id']}/occurrences?n=1").json()["results"]
    assert [each["due"]["at"] for each in (task, second)] == ["2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"]


def test_what_recurs_until_its_first_day_is_a_task_for_that_day(alice: Person) -> None:
    task = task_of(alice, "dig every day until today")
    assert (task["title"], task["due"], task["recurrence"]) == ("dig", {"date": "2026-11-24"}, None)
    assert task_of(alice, "dig every day until tomorrow")["recurrence"]["rule"] == "FREQ=DAILY;UNTIL=20261125"
