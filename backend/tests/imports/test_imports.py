"""Files become tasks that the API shows, once, and with everything that the file says of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.conftest import PASSWORD
from tests.imports.calendars import LOCATED_ZONE, alarm, calendar, todo
from tests.imports.stories import counts, imported, send, task
from tests.todos.stories import make_task, updated
from todo_project.todos.models import Task

pytestmark = pytest.mark.django_db


class TestRoundTrip:
    def test_every_field_comes_back_as_the_file_has_it(self, alice):
        data = calendar(
            LOCATED_ZONE,
            todo(
                r"DESCRIPTION:Roses\, then ferns\;\nnot the cactus",
                "PRIORITY:1",
                "CREATED:20260417T163203Z",
                "DTSTART;TZID=Prague at home:20260112T080000",
                "DUE;VALUE=DATE:20260113",
                "RRULE:FREQ=WEEKLY;BYDAY=MO",
                "CATEGORIES:Garden,Home",
                "RELATED-TO:parent@example.org",
                *alarm("TRIGGER:-PT15M"),
                *alarm("TRIGGER;VALUE=DATE-TIME:20260112T060000Z"),
            ),
            todo("STATUS:COMPLETED", "COMPLETED:20260418T184302Z", uid="parent@example.org", summary="Garden"),
        )
        report = imported(alice, data)
        assert report == {"created": 2, "updated": 0, "unchanged": 0, "skipped": [], "unsupported": []}
        shown, parent = task(alice), task(alice, "parent@example.org")
        labels = {each["id"]: each["name"] for each in alice.api.get("/labels").json()["results"]}
        assert shown["title"] == "Water the plants"
        assert shown["description"] == "Roses, then ferns;\nnot the cactus"
        assert shown["priority"] == 4
        assert shown["created_at"] == "2026-04-17T16:32:03Z"
        assert shown["start"] == {"at": "2026-01-12T07:00:00Z", "time_zone": "Europe/Prague"}
        assert shown["due"] == {"date": "2026-01-13"}
        assert shown["recurrence"] == {"rule": "FREQ=WEEKLY;BYDAY=MO", "mode": "schedule"}
        assert sorted(labels[each] for each in shown["labels"]) == ["Garden", "Home"]
        assert shown["parent_id"] == parent["id"]
        assert shown["reminders"] == [
            {"offset_seconds": -900, "relative_to": "start"},
            {"at": "2026-01-12T06:00:00Z"},
        ]
        assert shown["completed_at"] is None
        assert parent["completed_at"] == "2026-04-18T18:43:02Z"

    def test_what_was_imported_can_be_written_back_as_it_is(self, alice):
        imported(
            alice, calendar(todo("DUE:20260113T080000Z", "RRULE:FREQ=DAILY", *alarm("TRIGGER;RELATED=END:-P1D")))
        )
        shown = task(alice)
        names = ("title", "description", "priority", "due", "start", "recurrence", "reminders", "labels")
        answer = alice.api.patch(f"/tasks/{shown['id']}", {name: shown[name] for name in names})
        assert answer.status_code == 200
        assert answer.json()["updated_at"] == shown["updated_at"]

    def test_floating_times_are_read_in_the_account_s_zone(self, alice):
        alice.user.time_zone = "Asia/Shanghai"
        alice.user.save()
        imported(alice, calendar(todo("DUE:20260113T080000")))
        assert task(alice)["due"] == {"at": "2026-01-13T00:00:00Z", "time_zone": "Asia/Shanghai"}

    def test_what_has_no_field_is_named_with_its_task(self, alice):
        report = imported(alice, calendar(todo("LOCATION:Balcony", "PRIORITY:11")))
        uid = "task-1@example.org"
        assert report["unsupported"] == [
            {"uid": uid, "property": "PRIORITY", "component": "VTODO", "detail": "11 is not between 0 and 9."},
            {"uid": uid, "property": "LOCATION", "component": "VTODO", "detail": ""},
        ]

    def test_tasks_come_behind_the_others_in_the_order_of_the_file(self, alice):
        alice.api.post("/tasks", {"title": "Before"})
        imported(alice, calendar(*[todo(uid=f"{number}", summary=f"{number}") for number in (3, 1, 2)]))
        shown = alice.api.get("/tasks").json()["results"]
        assert [each["title"] for each in sorted(shown, key=lambda each: each["position"])] == [
            "Before",
            "3",
            "1",
            "2",
        ]


class TestAgain:
    def test_the_same_file_changes_nothing(self, alice):
        data = calendar(todo("CATEGORIES:Home", *alarm("TRIGGER:20260101T000000Z")), todo(uid=None), todo(uid=None))
        assert counts(imported(alice, data)) == (3, 0, 0)
        before = alice.api.get("/tasks").content
        report = imported(alice, data)
        assert counts(report) == (0, 0, 3)
        assert alice.api.get("/tasks").content == before

    def test_an_export_that_differs_in_dtstamp_and_line_ends_changes_nothing(self, alice):
        imported(alice, calendar(todo("DTSTAMP:20260101T000000Z", "PRIORITY:1")))
        before = task(alice)
        report = imported(alice, calendar(todo("PRIORITY:1", "DTSTAMP:20260601T000000Z"), end="\n"))
        assert counts(report) == (0, 0, 1)
        assert task(alice) == before

    def test_a_changed_task_is_updated(self, alice):
        imported(alice, calendar(todo("PRIORITY:1", "CATEGORIES:Home,Work", "DUE:20260113T080000Z")))
        before = task(alice)
        report = imported(alice, calendar(todo("CATEGORIES:Work,Garden", "STATUS:COMPLETED", summary="Sow")))
        assert counts(report) == (0, 1, 0)
        shown = task(alice)
        labels = {each["id"]: each["name"] for each in alice.api.get("/labels").json()["results"]}
        assert shown["id"] == before["id"]
        assert shown["title"] == "Sow"
        assert shown["priority"] == 0
        assert shown["due"] is None
        assert shown["completed_at"] is not None
        assert sorted(labels[each] for each in shown["labels"]) == ["Garden", "Work"]
        assert updated(shown) > updated(before)
        assert shown["position"] == before["position"]

    def test_what_was_changed_here_stays_when_the_file_did_not_change_it(self, alice):
        imported(alice, calendar(todo("PRIORITY:1")))
        path = f"/tasks/{task(alice)['id']}"
        alice.api.patch(path, {"title": "My words", "priority": 2})
        assert counts(imported(alice, calendar(todo("PRIORITY:1")))) == (0, 0, 1)
        assert task(alice)["title"] == "My words"
        assert counts(imported(alice, calendar(todo("PRIORITY:5", "DUE;VALUE=DATE:20260113")))) == (0, 1, 0)
        shown = task(alice)
        assert shown["title"] == "My words"
        assert shown["priority"] == 2
        assert shown["due"] == {"date": "2026-01-13"}

    def test_a_task_that_was_made_here_with_the_uid_takes_all_that_the_file_says(self, alice):
        imported(alice, calendar(todo()))
        Task.objects.update(ical="", title="Made here", priority=3)
        assert counts(imported(alice, calendar(todo("CATEGORIES:Home")))) == (0, 1, 0)
        shown = task(alice)
        assert (shown["title"], shown["priority"], len(shown["labels"])) == ("Water the plants", 0, 1)

    def test_a_task_whose_text_can_no_longer_be_read_takes_all_that_the_file_says(self, alice, settings):
        imported(alice, calendar(todo("DESCRIPTION:" + "x" * 100)))
        settings.TASK_DESCRIPTION_MAX_LENGTH = 50
        assert counts(imported(alice, calendar(todo(summary="Sow")))) == (0, 1, 0)
        assert (task(alice)["title"], task(alice)["description"]) == ("Sow", "")

    def test_a_change_raises_the_version(self, alice):
        imported(alice, calendar(todo()))
        path = f"/tasks/{task(alice)['id']}"
        tag = alice.api.get(path)["ETag"]
        imported(alice, calendar(todo("PRIORITY:1")))
        assert alice.api.get(path, headers={"If-None-Match": tag}).status_code == 200

    def test_a_task_in_the_trash_stays_there_and_is_mentioned(self, alice):
        imported(alice, calendar(todo()))
        alice.api.delete(f"/tasks/{task(alice)['id']}")
        report = imported(alice, calendar(todo()))
        assert counts(report) == (0, 0, 0)
        assert "trash" in report["skipped"][0]["reason"]
        assert alice.api.get("/tasks").json()["results"] == []

    @pytest.mark.parametrize("names_project", [False, True])
    def test_a_task_that_was_moved_to_another_project_is_found_there(self, alice, names_project):
        inbox = alice.api.get("/projects").json()["results"][0]["id"]
        garden = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
        target = {"project_id": inbox} if names_project else {}
        imported(alice, calendar(todo()), **target)
        moved = alice.api.patch(f"/tasks/{task(alice)['id']}", {"project_id": garden}).json()
        assert counts(imported(alice, calendar(todo()), **target)) == (0, 0, 1)
        assert counts(imported(alice, calendar(todo("PRIORITY:1")), **target)) == (0, 1, 0)
        shown = task(alice)
        assert (shown["id"], shown["project_id"], shown["priority"]) == (moved["id"], garden, 4)

    def test_of_two_tasks_with_the_uid_the_one_in_the_named_project_is_changed(self, alice):
        garden = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
        imported(alice, calendar(todo()))
        first = Task.objects.get()
        second = make_task(alice, project_id=garden, uid=first.uid, ical=first.ical)
        assert counts(imported(alice, calendar(todo("PRIORITY:1")), project_id=garden)) == (0, 1, 0)
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.priority, second.priority) == (0, 4)

    def test_a_task_in_the_trash_of_another_project_is_made_anew(self, alice):
        garden = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
        imported(alice, calendar(todo()), project_id=garden)
        assert alice.api.delete(f"/projects/{garden}").status_code == 204
        assert counts(imported(alice, calendar(todo()))) == (1, 0, 0)

    def test_two_accounts_do_not_meet(self, alice, bob):
        imported(alice, calendar(todo("CATEGORIES:Home")))
        assert counts(imported(bob, calendar(todo("CATEGORIES:Home")))) == (1, 0, 0)


class TestLabels:
    def test_a_label_that_is_there_is_used_whatever_its_case(self, alice):
        label = alice.api.post("/labels", {"name": "home"}).json()["id"]
        imported(alice, calendar(todo("CATEGORIES:HOME"), todo("CATEGORIES:Home", uid="2")))
        assert task(alice)["labels"] == task(alice, "2")["labels"] == [label]

    def test_a_label_in_the_trash_is_made_anew(self, alice):
        label = alice.api.post("/labels", {"name": "Home"}).json()["id"]
        alice.api.delete(f"/labels/{label}")
        imported(alice, calendar(todo("CATEGORIES:Home")))
        assert task(alice)["labels"] not in ([], [label])

    @pytest.mark.parametrize("names", ["Äpfel,äpfel", "İstanbul,istanbul", "ß,SS,ss", "ǅ,ǆ"])
    def test_letters_that_databases_fold_otherwise_are_no_error(self, alice, names):
        imported(alice, calendar(todo(f"CATEGORIES:{names}")))
        assert 1 <= len(task(alice)["labels"]) <= 3
        assert counts(imported(alice, calendar(todo(f"CATEGORIES:{names}", uid="2")))) == (1, 0, 0)


class TestRefusals:
    def test_the_inbox_takes_what_names_no_project(self, alice):
        imported(alice, calendar(todo()))
        inbox = next(each for each in alice.api.get("/projects").json()["results"] if each["is_inbox"])
        assert task(alice)["project_id"] == inbox["id"]

    def test_another_s_project_does_not_exist(self, alice, mallory):
        project = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
        response = send(mallory, calendar(todo()), project_id=project)
        assert response.status_code == 400
        assert response.json()["errors"][0]["pointer"] == "/project_id"
        assert alice.api.get("/tasks").json()["results"] == []

    def test_an_archived_or_trashed_project_takes_nothing(self, alice):
        project = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
        alice.api.patch(f"/projects/{project}", {"is_archived": True})
        assert send(alice, calendar(todo()), project_id=project).json()["errors"][0]["code"] == "project_archived"
        alice.api.delete(f"/projects/{project}")
        assert send(alice, calendar(todo()), project_id=project).status_code == 400

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "empty"),
            (b" \r\n", "empty"),
            (b"PK\x03\x04" + b"\x00\xff" * 500, "Unpack"),
            (b"<html><body>Log in</body></html>", "not an iCalendar file"),
        ],
    )
    def test_what_is_no_calendar_is_400_and_says_what_to_do(self, alice, data, words):
        response = send(alice, data)
        assert response.status_code == 400
        (error,) = response.json()["errors"]
        assert error["pointer"] == "/file"
        assert words in error["detail"]

    def test_a_file_over_the_limit_is_413(self, alice, settings):
        settings.ATTACHMENT_MAX_BYTES = 100
        assert send(alice, calendar(todo())).status_code == 413
        assert send(alice, b"x" * 100_000).status_code == 413

    def test_a_browser_s_session_uploads_with_its_csrf_token_and_within_the_limit(self, alice, settings):
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        login = {"email": alice.user.email, "password": PASSWORD, "session": True}
        assert client.post("/api/v1/auth/login", login, content_type="application/json").status_code == 200
        headers = {"X-CSRFToken": client.cookies[settings.CSRF_COOKIE_NAME].value}
        form = {"file": SimpleUploadedFile("a.ics", calendar(todo()))}
        assert client.post("/api/v1/imports/ics", form).status_code == 403
        form["file"].seek(0)
        assert client.post("/api/v1/imports/ics", form, headers=headers).status_code == 201
        settings.ATTACHMENT_MAX_BYTES = 100
        form = {"file": SimpleUploadedFile("a.ics", b"x" * 100_000)}
        assert client.post("/api/v1/imports/ics", form, headers=headers).status_code == 413

    def test_a_large_file_stays_in_memory(self, alice, monkeypatch):
        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("a file was opened")

        monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
        big = calendar(*[todo("COMMENT:" + "x" * 4000, uid=f"{number}") for number in range(800)])
        assert send(alice, big).status_code == 202

    @pytest.mark.parametrize(
        ("form", "pointer"),
        [
            ({}, "/file"),
            ({"file": "BEGIN:VCALENDAR"}, "/file"),
            ({"file": None, "project_id": "7"}, "/project_id"),
            ({"file": None, "project_id": "{019aaf3e-7d10-7a00-8000-0000000000b1}"}, "/project_id"),
            ({"file": None, "project_id": "019aaf3e7d107a0080000000000000b1"}, "/project_id"),
            ({"file": None, "project": "7"}, "/project"),
            ({"file": [SimpleUploadedFile(name, calendar(todo())) for name in ("a.ics", "b.ics")]}, "/file"),
        ],
    )
    def test_a_form_that_is_not_as_described_names_the_field(self, alice, form, pointer):
        if "file" in form and form["file"] is None:
            form = {**form, "file": SimpleUploadedFile("a.ics", calendar(todo()))}
        response = alice.api.upload("/imports/ics", form)
        assert response.status_code == 400
        assert [each["pointer"] for each in response.json()["errors"]] == [pointer]

    def test_another_body_is_415(self, alice):
        assert alice.api.post("/imports/ics", {"file": "x"}).status_code == 415
        raw = alice.api.post("/imports/ics", "BEGIN:VCALENDAR", content_type="text/calendar")
        assert raw.status_code == 415

    def test_a_form_that_is_cut_off_is_400(self, alice):
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.ics"\r\n'
        for kind in ("multipart/form-data; boundary=x", "multipart/form-data"):
            answer = alice.api.request("POST", "/imports/ics", data=body, content_type=kind)
            assert answer.status_code == 400

    def test_it_needs_the_scope_to_write(self, person, anonymous):
        reader = person("reader", scopes=("read",))
        assert send(reader, calendar(todo())).status_code == 403
        assert anonymous.upload("/imports/ics", {}).status_code == 401

    def test_a_broken_task_does_not_keep_the_others_out(self, alice):
        report = imported(alice, calendar(todo("DESCRIPTION:\x00", uid="bad"), todo()))
        assert counts(report) == (1, 0, 0)
        assert [each["uid"] for each in report["skipped"]] == ["bad"]

    def test_an_idempotency_key_makes_a_repetition_the_same_answer(self, alice):
        headers = {"Idempotency-Key": "once"}
        first = send(alice, calendar(todo()), headers=headers)
        again = send(alice, calendar(todo()), headers=headers)
        assert again.content == first.content
        assert again["Idempotency-Replayed"] == "true"
        assert send(alice, calendar(todo(summary="Other")), headers=headers).status_code == 422


def test_a_time_zone_that_no_longer_exists_does_not_keep_an_account_out(alice):
    alice.user.time_zone = "Europe/Atlantis"
    alice.user.save()
    imported(alice, calendar(todo("DUE:20260113T080000")))
    assert task(alice)["due"]["at"] == "2026-01-13T08:00:00Z"


def test_nothing_is_written_when_something_fails(alice, monkeypatch):
    from todo_project.todos.services import batches

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(batches, "_add_labels", fail)
    assert send(alice, calendar(todo("CATEGORIES:Home"))).status_code == 500
    assert alice.api.get("/tasks").json()["results"] == []
    assert alice.api.get("/labels").json()["results"] == []


def test_many_tasks_take_few_statements(alice, django_assert_max_num_queries):
    data = calendar(*[todo("CATEGORIES:Home", "RELATED-TO:0", uid=f"{number}") for number in range(400)])
    with django_assert_max_num_queries(40):
        imported(alice, data)
    with django_assert_max_num_queries(40):
        imported(alice, data)
    with django_assert_max_num_queries(40):
        imported(alice, data.replace(b"Water", b"Pour"))
    assert task(alice, "7")["title"] == "Pour the plants"
    assert dt.datetime.fromisoformat(task(alice, "7")["updated_at"])
