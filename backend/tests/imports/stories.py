"""What the tests of imports do: send a file, read its report, look at a task."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.conftest import Person


def send(person: Person, data: bytes, project_id: str | None = None, headers: dict[str, str] | None = None) -> Any:
    """Upload a file as a browser would."""
    form: dict[str, Any] = {"file": SimpleUploadedFile("tasks.ics", data, content_type="text/calendar")}
    if project_id is not None:
        form["project_id"] = project_id
    return person.api.upload("/imports/ics", form, headers=headers)


def imported(person: Person, data: bytes, **options: Any) -> dict[str, Any]:
    response = send(person, data, **options)
    assert response.status_code == 201, response.content
    report: dict[str, Any] = response.json()
    return report


def counts(report: dict[str, Any]) -> tuple[int, int, int]:
    return report["created"], report["updated"], report["unchanged"]


def task(person: Person, uid: str = "task-1@example.org") -> Any:
    """Give the task with this UID as the API shows it."""
    (found,) = [each for each in person.api.get("/tasks?limit=200").json()["results"] if each["uid"] == uid]
    return found
