"""The account that tests a release is usable for its test only, and leaves nothing behind."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests.conftest import Api, Person
from todo_project.accounts import tasks
from todo_project.accounts.models import User
from todo_project.accounts.services import registration, release_accounts
from todo_project.todos.models import Change

CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:1\r\nSUMMARY:Imported\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)


def command(action: str) -> dict[str, Any]:
    printed = io.StringIO()
    call_command("release_account", action, stdout=printed)
    return dict(json.loads(printed.getvalue()))


def rows() -> dict[str, int]:
    """Return the number of rows of every table, except the log, which also says that the account was removed."""
    with connection.cursor() as cursor:
        counts = {}
        for table in {*connection.introspection.table_names(cursor)} - {Change._meta.db_table}:
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - the table exists
            counts[table] = cursor.fetchone()[0]
    return counts


def test_no_row_is_left_of_it(alice: Person, anonymous: Api, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    before = rows()
    account = command("create")
    login = {"email": account["email"], "password": account["password"]}
    answer = anonymous.post("/auth/login", login, headers={"X-Forwarded-For": account["address"]})
    api = Api(answer.json()["token"])
    for number in range(2):
        key = {"Idempotency-Key": f"key {number}"}
        assert api.post("/projects", {"name": f"Project {number}"}, headers=key).status_code == 201
    project = api.get("/projects").json()["results"][-1]["id"]
    section = api.post("/sections", {"name": "Section", "project_id": project}).json()["id"]
    label = api.post("/labels", {"name": "Label"}).json()["id"]
    task = {"title": "Task", "project_id": project, "section_id": section, "labels": [label]}
    assert api.post("/tasks", task).status_code == 201
    assert api.upload("/imports/ics", {"file": SimpleUploadedFile("a.ics", CALENDAR.encode())}).status_code == 201
    assert api.post("/tokens", {"name": "More", "scopes": ["read"], "expires_at": None}).status_code == 201
    assert rows() != before

    assert command("remove") == {"removed": 1}

    assert rows() == before
    assert api.get("/me").status_code == 401
    assert alice.api.get("/me").status_code == 200


def test_what_a_killed_test_has_left_goes_with_the_next_one(alice: Person) -> None:
    first, second = command("create"), command("create")

    assert first["email"] != second["email"]
    assert first["password"] != second["password"]
    assert set(User.objects.values_list("email", flat=True)) == {alice.user.email, second["email"]}


def test_the_daily_purge_removes_one_that_was_left_a_day_ago(alice: Person) -> None:
    command("create")
    tasks.purge_expired()
    assert User.objects.count() == 2

    User.objects.exclude(pk=alice.user.pk).update(created_at=timezone.now() - dt.timedelta(days=2))
    tasks.purge_expired()

    assert list(User.objects.all()) == [alice.user]


@pytest.mark.parametrize("email", ["mallory@release-test.invalid", " Mallory@RELEASE-TEST.invalid"])
def test_nobody_can_register_an_account_that_would_be_removed(anonymous: Api, email: str) -> None:
    answer = anonymous.post("/auth/register", {"email": email, "password": "a long enough one", "name": "M"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/email"
    assert not User.objects.exists()


def test_its_privileges_are_those_of_anybody(db: None) -> None:
    account = release_accounts.create(now=timezone.now())

    user = User.objects.get(email=account.email)
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert account.email.endswith(registration.RELEASE_DOMAIN)
