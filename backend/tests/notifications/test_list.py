"""GET /notifications, and what is marked as read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.conftest import Person
from tests.notifications.stories import DUE, HOUR, tell
from tests.todos.stories import make, make_project, pointers, post_task, share
from todo_project.notifications.models import Notification
from todo_project.todos.models import Role

pytestmark = pytest.mark.django_db


def listed(who: Person, query: str = "") -> list[dict[str, Any]]:
    answer = who.api.get(f"/notifications{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]  # type: ignore[no-any-return]


def unread(who: Person) -> int:
    return who.api.get("/notifications/count").json()["unread"]  # type: ignore[no-any-return]


def test_the_newest_comes_first_page_by_page(alice: Person) -> None:
    task = post_task(alice)
    ids = [str(tell(alice, task, at=DUE + hour * HOUR).id) for hour in range(3)]
    first = alice.api.get("/notifications?limit=2").json()
    assert [row["id"] for row in first["results"]] == ids[:0:-1]
    assert [row["id"] for row in listed(alice, f"?limit=2&cursor={first['next_cursor']}")] == ids[:1]
    [row] = listed(alice, "?limit=1")
    assert row["title"] == "Dig"
    assert (row["kind"], row["task_id"], row["project_id"]) == ("reminder", task["id"], task["project_id"])
    assert dt.datetime.fromisoformat(row["at"]) == DUE + 2 * HOUR


def test_a_title_is_that_of_now(alice: Person) -> None:
    task = post_task(alice)
    tell(alice, task)
    alice.api.patch(f"/tasks/{task['id']}", {"title": "Weed"})
    assert [row["title"] for row in listed(alice)] == ["Weed"]


def test_an_unchanged_page_is_not_sent_again(alice: Person) -> None:
    tell(alice, post_task(alice))
    tag = alice.api.get("/notifications")["ETag"]
    assert alice.api.get("/notifications", headers={"If-None-Match": tag}).status_code == 304


def test_what_is_read_by_ids_by_time_or_all(alice: Person, bob: Person) -> None:
    task = post_task(alice)
    rows = [tell(alice, task, at=DUE + hour * HOUR, created_at=DUE + hour * HOUR) for hour in range(4)]
    of_bob = tell(bob, post_task(bob))

    def read(body: dict[str, Any]) -> int:
        answer = alice.api.post("/notifications/read", body)
        assert answer.status_code == 200, answer.content
        return answer.json()["unread"]  # type: ignore[no-any-return]

    assert unread(alice) == 4
    assert read({"ids": [str(rows[3].id), str(of_bob.id)]}) == 3
    assert [row["id"] for row in listed(alice, "?is_read=true")] == [str(rows[3].id)]
    assert read({"before": rows[1].created_at.isoformat()}) == 1
    assert [row["id"] for row in listed(alice, "?is_read=false")] == [str(rows[2].id)]
    first_read = Notification.objects.get(id=rows[3].id).read_at
    assert read({"all": True}) == 0
    assert Notification.objects.get(id=rows[3].id).read_at == first_read
    assert unread(bob) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"all": False}, "/all"),
        ({"all": True, "ids": ["019aaf3e-7d10-7a00-8000-000000000401"]}, "/all"),
        ({"ids": []}, "/ids"),
        ({"ids": ["x"]}, "/ids/0"),
        ({"before": "yesterday"}, "/before"),
        ({"everything": True}, "/everything"),
    ],
)
def test_bad_input_names_the_field(alice: Person, body: dict[str, Any], pointer: str) -> None:
    assert pointer in pointers(alice.api.post("/notifications/read", body))


def test_what_is_out_of_sight_is_not_listed(alice: Person, bob: Person) -> None:
    project = make_project(alice)
    share(project, bob, Role.EDITOR)
    kept, trashed, commented = (post_task(alice, project_id=project["id"]) for _ in range(3))
    comment = make(alice, "comments", task_id=commented["id"], text="Hello")
    for task in (kept, trashed):
        tell(bob, task)
    tell(bob, commented, kind="comment", comment_id=comment["id"])
    assert unread(bob) == len(listed(bob)) == 3
    alice.api.delete(f"/tasks/{trashed['id']}")
    alice.api.delete(f"/comments/{comment['id']}")
    assert [row["task_id"] for row in listed(bob)] == [kept["id"]]
    assert unread(bob) == 1
    alice.api.delete(f"/projects/{project['id']}/members/{bob.user.pk}")
    assert (listed(bob), unread(bob)) == ([], 0)
    share(project, bob)
    assert len(listed(bob)) == 1


def test_a_stranger_sees_nothing(alice: Person, mallory: Person) -> None:
    row = tell(alice, post_task(alice, title="Secret"))
    assert (listed(mallory), unread(mallory)) == ([], 0)
    mallory.api.post("/notifications/read", {"ids": [str(row.id)]})
    mallory.api.post("/notifications/read", {"all": True})
    assert unread(alice) == 1


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("get", "/count"), ("post", "/read")])
def test_scopes_are_checked(person: Any, method: str, path: str) -> None:
    weak = person("weak", scopes=["write"] if method == "get" else ["read"])
    assert getattr(weak.api, method)(f"/notifications{path}").status_code == 403
