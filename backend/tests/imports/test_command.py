"""`manage.py import_ics`: files in, a report for people or machines out, an exit code for scripts."""

from __future__ import annotations

import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.imports.calendars import calendar, todo

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str, int]:
    """Give what the command wrote to standard output and standard error, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_ics", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue() + str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(data: bytes, name: str = "tasks.ics") -> str:
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write


def titles(person: Any) -> list[str]:
    return [each["title"] for each in person.api.get("/tasks").json()["results"]]


def test_files_go_to_the_inbox_and_the_report_names_what_no_field_holds(alice, file):
    lines = ("LOCATION:Balcony", "PRIORITY:12")
    path = file(
        calendar(*[todo(*lines, uid=f"{number}") for number in range(5)], "BEGIN:VEVENT\nUID:e\nEND:VEVENT")
    )
    out, err, code = run(path, "--user", "Alice@Example.org")
    assert code == 0
    assert f"{path}: 5 created, 0 updated, 0 unchanged, 1 skipped" in out
    assert "skipped e: VEVENT" in out
    assert "  LOCATION (VTODO) is not supported; found in 0, 1, 2 and 2 more\n" in out
    assert "  PRIORITY (VTODO): 12 is not between 0 and 9. Found in 0, 1, 2 and 2 more\n" in out
    assert "bytes" in err
    assert len(titles(alice)) == 5


def test_a_project_is_named_by_id_or_by_name(alice, file):
    project = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
    assert run(file(calendar(todo(uid="1"))), "--user", "alice@example.org", "--project", "garden")[2] == 0
    assert run(file(calendar(todo(uid="2"))), "--user", "alice@example.org", "--project", project)[2] == 0
    assert len(alice.api.get(f"/tasks?project_id={project}").json()["results"]) == 2


def test_a_dry_run_reports_and_writes_nothing(alice, file):
    out, _, code = run(file(calendar(todo("CATEGORIES:Home"))), "--user", "alice@example.org", "--dry-run")
    assert (code, titles(alice)) == (0, [])
    assert alice.api.get("/labels").json()["results"] == []
    assert "1 created" in out
    assert "dry run" in out


def test_json_is_one_array_with_an_object_for_each_file(alice, file, tmp_path):
    good, missing = file(calendar(todo("LOCATION:Balcony"))), str(tmp_path / "missing.ics")
    out, err, code = run(good, missing, "--user", "alice@example.org", "--json")
    assert code == 1
    first, second = json.loads(out)
    assert (first["file"], first["created"]) == (good, 1)
    assert first["unsupported"][0]["property"] == "LOCATION"
    assert second == {"file": missing, "error": "No such file or directory"}
    assert "1 of 2 files" in err


@pytest.mark.parametrize("bad", [b"", b"<html></html>", b"x" * 300])
def test_a_file_that_cannot_be_imported_does_not_keep_the_others_out(alice, file, bad, settings):
    settings.ATTACHMENT_MAX_BYTES = 250
    arguments = [file(bad, "bad.ics"), file(calendar(todo()), "good.ics")]
    out, err, code = run(*arguments, "--user", "alice@example.org")
    assert code == 1
    assert "bad.ics: " in err
    assert "good.ics: 1 created" in out
    assert titles(alice) == ["Water the plants"]


def test_a_dash_is_standard_input(alice, monkeypatch):
    class Input:
        buffer = io.BytesIO(calendar(todo()))

    monkeypatch.setattr("sys.stdin", Input)
    assert run("-", "--user", "alice@example.org")[2] == 0
    assert titles(alice) == ["Water the plants"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--user", "nobody@example.org"), "No account"),
        (("--user", "alice@example.org", "--project", "Nothing"), "no project"),
        (("--user", "alice@example.org", "--project", str(uuid.uuid4())), "no project"),
        (("--user", "alice@example.org", "--project", "Twice"), "Use --project with one of these ids"),
    ],
)
def test_an_unknown_account_or_project_is_a_usage_error(alice, file, arguments, words):
    for _ in range(2):
        alice.api.post("/projects", {"name": "Twice"})
    _, err, code = run(file(calendar(todo())), *arguments)
    assert code == 2
    assert words in err


def test_another_s_project_is_not_found(alice, bob, file):
    alice.api.post("/projects", {"name": "Garden"})
    assert run(file(calendar(todo())), "--user", "bob@example.org", "--project", "Garden")[2] == 2


def test_an_archived_project_is_an_error_of_the_file(alice, file):
    project = alice.api.post("/projects", {"name": "Garden"}).json()["id"]
    alice.api.patch(f"/projects/{project}", {"is_archived": True})
    _, err, code = run(file(calendar(todo())), "--user", "alice@example.org", "--project", "Garden")
    assert code == 1
    assert "archived" in err
