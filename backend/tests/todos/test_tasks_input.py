"""What a task cannot be made of: named, all of it at once, whatever it is."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Person
from tests.todos.stories import make, make_project, make_section, pointers, post_task

NOBODYS = "019aaaaa-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("title", "", "/title"),
        ("title", "   ", "/title"),
        ("title", None, "/title"),
        ("title", 5, "/title"),
        ("title", ["x"], "/title"),
        ("title", "x" * 501, "/title"),
        ("title", "a\0b", "/title"),
        ("description", "x" * 50_001, "/description"),
        ("description", None, "/description"),
        ("description", "a\0b", "/description"),
        ("priority", 5, "/priority"),
        ("priority", -1, "/priority"),
        ("priority", True, "/priority"),
        ("priority", "3", "/priority"),
        ("priority", 1.5, "/priority"),
        ("priority", 10**400, "/priority"),
        ("labels", "x", "/labels"),
        ("labels", None, "/labels"),
        ("labels", [1], "/labels/0"),
        ("labels", [NOBODYS], "/labels/0"),
        ("labels", [NOBODYS, NOBODYS], "/labels/1"),
        ("labels", [f"{NOBODYS[:-3]}{n:03}" for n in range(101)], "/labels"),
        ("labels", [{"a": [[]]}], "/labels/0"),
        ("due", "2026-11-30", "/due"),
        ("due", {}, "/due"),
        ("due", [], "/due"),
        ("due", {"date": None}, "/due/date"),
        ("due", {"date": "2026-02-30"}, "/due/date"),
        ("due", {"date": "20261130"}, "/due/date"),
        ("due", {"date": "2026-W01-1"}, "/due/date"),
        ("due", {"date": "10000-01-01"}, "/due/date"),
        ("due", {"date": "0000-01-01"}, "/due/date"),
        ("due", {"date": 20261130}, "/due/date"),
        ("due", {"date": "2026-11-30T00:00:00Z"}, "/due/date"),
        ("due", {"date": "2026-11-30", "at": "2026-11-30T09:00:00Z"}, "/due"),
        ("due", {"date": "2026-11-30", "time_zone": "UTC"}, "/due/time_zone"),
        ("due", {"at": "2026-11-30T09:00:00"}, "/due/at"),
        ("due", {"at": "2026-11-30"}, "/due/at"),
        ("due", {"at": "0001-01-01T00:00:00+14:00"}, "/due/at"),
        ("due", {"at": "9999-12-31T23:59:59-12:00"}, "/due/at"),
        ("due", {"at": "9999-12-31T23:59:59Z", "time_zone": "Asia/Shanghai"}, "/due/at"),
        ("due", {"at": "0001-01-01T00:00:00Z", "time_zone": "America/New_York"}, "/due/at"),
        ("due", {"at": 1764493200}, "/due/at"),
        ("due", {"time_zone": "UTC"}, "/due"),
        ("due", {"date": None, "at": None}, "/due"),
        ("due", {"date": None, "at": None, "time_zone": None}, "/due"),
        ("due", {"at": None}, "/due/at"),
        ("due", {"at": "2026-11-30T09:00:00Z", "time_zone": "../../etc/passwd"}, "/due/time_zone"),
        ("due", {"at": "2026-11-30T09:00:00Z", "time_zone": "/etc/localtime"}, "/due/time_zone"),
        ("due", {"at": "2026-11-30T09:00:00Z", "time_zone": "Europe"}, "/due/time_zone"),
        ("due", {"at": "2026-11-30T09:00:00Z", "time_zone": "x" * 100_000}, "/due/time_zone"),
        ("due", {"at": "2026-11-30T09:00:00Z", "time_zone": ""}, "/due/time_zone"),
        ("due", {"at": "2026-11-30T09:00:00Z", "time_zone": 8}, "/due/time_zone"),
        ("start", {"when": "soon"}, "/start"),
        ("deadline", {"date": "2026-11-30", "hour": 9}, "/deadline/hour"),
        ("recurrence", {"rule": "FREQ=SECONDLY"}, "/recurrence/rule"),
        ("recurrence", {"mode": "schedule"}, "/recurrence/rule"),
        ("recurrence", {"rule": "FREQ=DAILY", "mode": "sometimes"}, "/recurrence/mode"),
        ("recurrence", {"rule": "FREQ=DAILY"}, "/recurrence"),
        ("recurrence", "FREQ=DAILY", "/recurrence"),
        ("reminders", [{"offset_seconds": 5}], "/reminders/0/relative_to"),
        ("reminders", [{"offset_seconds": 5, "relative_to": "due"}], "/reminders/0/relative_to"),
        ("reminders", [{"offset_seconds": 5, "relative_to": "start"}], "/reminders/0/relative_to"),
        ("reminders", [{"offset_seconds": 5, "relative_to": "deadline"}], "/reminders/0/relative_to"),
        ("reminders", [{"offset_seconds": 10**12, "relative_to": "due"}], "/reminders/0/offset_seconds"),
        ("reminders", [{"offset_seconds": True, "relative_to": "due"}], "/reminders/0/offset_seconds"),
        ("reminders", [{"at": "soon"}], "/reminders/0/at"),
        ("reminders", [{"at": "2026-11-30T09:00:00Z", "relative_to": "due"}], "/reminders/0/relative_to"),
        ("reminders", [{"at": "2026-11-30T09:00:00Z"}] * 21, "/reminders"),
        ("position", "", "/position"),
        ("position", "a0", "/position"),
        ("position", "A", "/position"),
        ("position", "a\n", "/position"),
        ("position", "a" * 101, "/position"),
        ("project_id", NOBODYS, "/project_id"),
        ("project_id", "inbox", "/project_id"),
        ("project_id", 1, "/project_id"),
        ("section_id", NOBODYS, "/section_id"),
        ("parent_id", NOBODYS, "/parent_id"),
        ("completed_at", "2026-11-30T09:00:00Z", "/completed_at"),
        ("owner_id", NOBODYS, "/owner_id"),
        ("uid", "x", "/uid"),
        ("a/b~c", 1, "/a~1b~0c"),
    ],
)
def test_what_cannot_be_used_is_named(alice: Person, field: str, value: Any, pointer: str) -> None:
    assert pointers(alice.api.post("/tasks", {"title": "Dig", field: value})) == [pointer]
    assert alice.api.get("/tasks").json()["results"] == []


def test_all_errors_come_at_once(alice: Person) -> None:
    body = {
        "title": "",
        "priority": 9,
        "labels": ["x"],
        "due": {"at": "soon", "time_zone": "Mars/Phobos"},
        "reminders": [{"at": "2026-11-30T09:00:00Z"}, {"at": 1}],
        "color": "red",
    }
    assert pointers(alice.api.post("/tasks", body)) == [
        "/color",
        "/due/at",
        "/due/time_zone",
        "/labels/0",
        "/priority",
        "/reminders/1/at",
        "/title",
    ]


def test_all_that_the_rules_forbid_comes_at_once(alice: Person) -> None:
    body = {
        "title": "Dig",
        "labels": [NOBODYS],
        "parent_id": NOBODYS,
        "section_id": NOBODYS,
        "project_id": NOBODYS,
        "recurrence": {"rule": "FREQ=DAILY"},
    }
    assert pointers(alice.api.post("/tasks", body)) == [
        "/labels/0",
        "/parent_id",
        "/project_id",
        "/recurrence",
        "/section_id",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"\xff",
        b'{"title": "\\ud800"}',
        b'{"title": NaN}',
        b"[" * 100_000,
        b'{"title": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
    ],
)
def test_what_is_no_object_is_an_error(alice: Person, body: bytes) -> None:
    answer = alice.api.request("POST", "/tasks", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_limits_are_those_of_the_settings(alice: Person, settings: Any) -> None:
    settings.TASK_TITLE_MAX_LENGTH, settings.TASK_DESCRIPTION_MAX_LENGTH = 3, 4
    assert post_task(alice, title="abc", description="abcd")["title"] == "abc"
    assert pointers(alice.api.post("/tasks", {"title": "abcd", "description": "abcde"})) == [
        "/description",
        "/title",
    ]


def test_a_section_and_a_parent_are_of_the_same_project(alice: Person) -> None:
    garden, house = make_project(alice), make_project(alice, name="House")
    section, task = make_section(alice, garden), post_task(alice, project_id=garden["id"])
    body = {"title": "Dig", "project_id": house["id"], "section_id": section["id"], "parent_id": task["id"]}
    assert pointers(alice.api.post("/tasks", body)) == ["/parent_id", "/section_id"]


def test_nothing_comes_into_an_archived_project(alice: Person) -> None:
    project, task = make_project(alice), post_task(alice)
    kept = post_task(alice, project_id=project["id"])
    alice.api.patch(f"/projects/{project['id']}", {"is_archived": True})
    body = {"project_id": project["id"]}
    assert pointers(alice.api.post("/tasks", {"title": "Dig", **body})) == ["/project_id"]
    assert pointers(alice.api.patch(f"/tasks/{task['id']}", body)) == ["/project_id"]
    assert alice.api.patch(f"/tasks/{kept['id']}", {"title": "Weed", **body}).status_code == 200
    assert alice.api.patch(f"/tasks/{kept['id']}", {"project_id": None}).status_code == 200


def test_nothing_comes_to_what_is_in_the_trash(alice: Person) -> None:
    project, parent = make_project(alice), post_task(alice)
    section, label = make_section(alice, make_project(alice)), make(alice, "labels", name="urgent")
    for path in ("projects", project), ("sections", section), ("labels", label), ("tasks", parent):
        assert alice.api.delete(f"/{path[0]}/{path[1]['id']}").status_code == 204
    for field, value, pointer in (
        ("project_id", project["id"], "/project_id"),
        ("section_id", section["id"], "/section_id"),
        ("parent_id", parent["id"], "/parent_id"),
        ("labels", [label["id"]], "/labels/0"),
    ):
        assert pointers(alice.api.post("/tasks", {"title": "Dig", field: value})) == [pointer]


def test_tasks_nest_ten_deep(alice: Person) -> None:
    tasks = [post_task(alice)]
    for _ in range(9):
        tasks.append(post_task(alice, parent_id=tasks[-1]["id"]))
    assert pointers(alice.api.post("/tasks", {"title": "Dig", "parent_id": tasks[-1]["id"]})) == ["/parent_id"]
    top = post_task(alice)
    assert pointers(alice.api.patch(f"/tasks/{tasks[0]['id']}", {"parent_id": top["id"]})) == ["/parent_id"]
    assert alice.api.patch(f"/tasks/{tasks[1]['id']}", {"parent_id": top["id"]}).status_code == 200


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_task_cannot_be_below_itself(alice: Person, depth: int) -> None:
    tasks = [post_task(alice)]
    for _ in range(2):
        tasks.append(post_task(alice, parent_id=tasks[-1]["id"]))
    below = {"parent_id": tasks[depth]["id"]}
    assert pointers(alice.api.patch(f"/tasks/{tasks[0]['id']}", below)) == ["/parent_id"]
    assert pointers(alice.api.post(f"/tasks/{tasks[0]['id']}/move", below)) == ["/parent_id"]


def test_a_body_of_an_action_has_nothing_unknown(alice: Person) -> None:
    task = post_task(alice)
    for action in ("complete", "reopen", "restore", "move"):
        assert pointers(alice.api.post(f"/tasks/{task['id']}/{action}", {"soon": True})) == ["/soon"]


def test_a_move_has_one_neighbour_which_is_another_task(alice: Person) -> None:
    one, other = post_task(alice), post_task(alice)
    path = f"/tasks/{one['id']}/move"
    assert pointers(alice.api.post(path, {"before": other["id"], "after": other["id"]})) == ["/after"]
    assert pointers(alice.api.post(path, {"before": one["id"]})) == ["/before"]
    assert pointers(alice.api.post(path, {"after": NOBODYS})) == ["/after"]
    assert pointers(alice.api.post(path, {"after": other["id"], "parent_id": other["id"]})) == ["/after"]


NEVER = ("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", "2027-01-01")
NEVER_AGAIN = [
    NEVER,
    ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", "2027-02-01"),
    ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "2027-01-05"),
    ("FREQ=DAILY", "9999-12-31"),
    ("FREQ=DAILY;UNTIL=20000101", "2026-12-30"),
    ("FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20261230", "2026-12-01"),
    ("FREQ=DAILY;UNTIL=20261129", "2026-11-30"),
    ("FREQ=DAILY;UNTIL=20261130T235959Z", "2026-11-30"),
]


@pytest.mark.parametrize(("rule", "day"), NEVER_AGAIN)
def test_a_rule_that_its_date_never_meets_again_is_refused(alice: Person, rule: str, day: str) -> None:
    body = {"title": "Dig", "due": {"date": day}, "recurrence": {"rule": rule}}
    assert pointers(alice.api.post("/tasks", body)) == ["/recurrence/rule"]
    task = post_task(alice, due={"date": "2028-02-29"}, recurrence={"rule": "FREQ=DAILY"})
    change = {"due": {"date": day}, "recurrence": {"rule": rule}}
    assert pointers(alice.api.patch(f"/tasks/{task['id']}", change)) == ["/recurrence/rule"]


def test_a_rule_is_compared_with_its_date_in_the_zone_of_the_date(alice: Person) -> None:
    rule = {"rule": "FREQ=DAILY;INTERVAL=7;BYDAY=MO"}
    sunday_in_utc = "2027-01-03T20:00:00Z"
    tokyo = {"at": sunday_in_utc, "time_zone": "Asia/Tokyo"}
    assert post_task(alice, due=tokyo, recurrence=rule)["due"] == tokyo
    body = {"title": "Dig", "due": {"at": sunday_in_utc}, "recurrence": rule}
    assert pointers(alice.api.post("/tasks", body)) == ["/recurrence/rule"]
    alice.api.patch("/me", {"time_zone": "Asia/Tokyo"})
    assert alice.api.post("/tasks", body).status_code == 201


def test_a_date_that_ends_its_series_is_refused(alice: Person) -> None:
    rule = {"rule": "FREQ=DAILY;INTERVAL=7;BYDAY=MO"}
    path = f"/tasks/{post_task(alice, start={'date': '2027-01-04'}, recurrence=rule)['id']}"
    assert pointers(alice.api.patch(path, {"start": {"date": "2027-01-05"}})) == ["/recurrence/rule"]
    assert alice.api.patch(path, {"due": {"date": "2027-01-05"}}).status_code == 200  # counts from the start


def test_the_last_task_of_a_series_can_be_changed(alice: Person) -> None:
    task = post_task(alice, due={"date": "9999-12-30"}, recurrence={"rule": "FREQ=DAILY"})
    last = alice.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    assert alice.api.patch(f"/tasks/{last}", {"title": "The last"}).status_code == 200
    held = alice.api.get(f"/tasks/{last}").json()
    assert alice.api.put(f"/tasks/{last}", held).json() == held


def test_the_last_task_until_a_day_can_be_changed_and_moved(alice: Person) -> None:
    rule = {"rule": "FREQ=DAILY;UNTIL=29991201", "mode": "schedule"}
    task = post_task(alice, due={"date": "2999-11-30"}, recurrence=rule)
    last = alice.api.post(f"/tasks/{task['id']}/complete").json()["next_task_id"]
    path = f"/tasks/{last}"
    assert alice.api.patch(path, {"title": "The last", "recurrence": rule}).status_code == 200
    assert alice.api.patch(path, {"due": {"date": "2999-12-03"}}).json()["recurrence"] == rule
    held = alice.api.get(path).json()
    assert alice.api.put(path, held).json() == held
    assert alice.api.post(f"{path}/complete").json()["next_task_id"] is None


def test_a_series_by_completion_may_begin_on_any_day(alice: Person) -> None:
    rule, day = NEVER
    body = {"due": {"date": day}, "recurrence": {"rule": rule, "mode": "completion"}}
    path = f"/tasks/{post_task(alice, **body)['id']}"
    change = {"recurrence": {"mode": "schedule"}}
    assert pointers(alice.api.patch(path, change)) == ["/recurrence/rule"]


@pytest.mark.parametrize("parameter", ["project_id", "section_id", "parent_id", "label_id"])
@pytest.mark.parametrize("form", ["{0.hex}", "urn:uuid:{0}", "{{{0}}}", "7"])
def test_a_list_takes_ids_in_their_usual_form_only(alice: Person, parameter: str, form: str) -> None:
    given = form.format(uuid.UUID("019aaf3e-0000-7000-8000-000000000001"))
    assert pointers(alice.api.get(f"/tasks?{parameter}={quote(given)}")) == [f"/{parameter}"]
