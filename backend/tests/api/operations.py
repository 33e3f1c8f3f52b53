"""Calls any operation of the OpenAPI document as documented, and provokes each of its documented errors."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import time_machine
from django.conf import settings
from django.db import OperationalError
from django.test import Client, override_settings
from django.utils import timezone

from tests.conftest import PASSWORD, Api, Person
from tests.todos.stories import make
from todo_project.accounts.models import ApiToken
from todo_project.accounts.services import registration
from todo_project.api.document import document
from todo_project.api.endpoint import Endpoint
from todo_project.db.rows import uuid7
from todo_project.errors import Conflict
from todo_project.imports.models import Import
from todo_project.todos.models import Change, Invitation, Project, Role
from todo_project.todos.services import members

DOCUMENT: dict[str, Any] = json.loads(document().plain)
CALENDAR = b"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:1\r\nSUMMARY:Dig\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
STALE = '"99999-0"'


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference leads to."""
    if "$ref" not in part:
        return part
    found: Any = DOCUMENT
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Documented:
    """One operation of the document."""

    method: str
    path: str
    details: dict[str, Any]

    @property
    def id(self) -> str:
        """Its operationId."""
        return str(self.details["operationId"])

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """Its parameters by name."""
        return {each["name"]: each for each in map(resolved, self.details["parameters"])}

    @property
    def responses(self) -> dict[int, dict[str, Any]]:
        """Its responses by status."""
        return {int(status): resolved(each) for status, each in self.details["responses"].items()}

    @property
    def is_open(self) -> bool:
        """Whether it needs no authentication."""
        return not self.details.get("security")

    @property
    def media(self) -> dict[str, Any]:
        """The first media type of its body: `{type: …}`."""
        return dict(self.details.get("requestBody", {}).get("content", {}))

    @property
    def body(self) -> Any:
        """The example of its body."""
        for media in self.media.values():
            return resolved(media["examples"]["example"])["value"]
        return None


OPERATIONS = {
    details["operationId"]: Documented(method.upper(), path, details)
    for path, methods in DOCUMENT["paths"].items()
    for method, details in methods.items()
}


class Caller:
    """Calls operations as one person, on rows that alice owns."""

    def __init__(self, who: Person, rows: dict[str, str]) -> None:
        self.who = who
        self.rows = rows

    def __call__(
        self, operation: Documented, *, api: Api | None = None, query: str = "", row: str = "", **extra: Any
    ) -> Any:
        """Call it as the document's example does; `row` replaces the id in the path."""
        api = api or self.who.api
        row = row or (self.rows["recurring"] if operation.id == "skip_task" else "")
        path = operation.path + self._required(operation, query)
        for name, value in self.rows.items():
            path = path.replace(f"{{{name}}}", row or value)
        assert "{" not in path, f"add a row of this kind to rows_of: {path}"
        if "multipart/form-data" in operation.media and "json" not in extra and "data" not in extra:
            headers = extra.pop("headers", {})
            return api._client.post(path, {"file": _file()}, headers=api._headers | headers, **extra)
        return api.request(operation.method, path, **({"json": self.body(operation)} | extra))

    def change(self) -> Change:
        """Return the change that created the label."""
        return Change.objects.get(object_id=self.rows["label_id"], action=Change.Action.CREATED)

    def _required(self, operation: Documented, query: str) -> str:
        """Return the query string with the required parameters."""
        needed = [
            name for name, each in operation.parameters.items() if each["in"] == "query" and each.get("required")
        ]
        given = [f"{name}={self.rows[name]}" for name in needed]
        return "?" + "&".join([*filter(None, [query.removeprefix("?")]), *given]) if query or given else ""

    def body(self, operation: Documented) -> Any:
        """Return the example of the body with ids that exist."""
        example = operation.body
        if isinstance(example, dict):
            example = dict(example)
            example |= {name: self.rows[name] for name in ("project_id", "task_id", "user_id") if name in example}
            if "change_id" in example:
                example["change_id"] = self.change().id
            if operation.id in {"login", "change_password"}:
                example |= {"email": self.who.user.email} if "email" in example else {"current_password": PASSWORD}
            if operation.id == "login":
                example["password"] = PASSWORD
        return example


def _file() -> io.BytesIO:
    file = io.BytesIO(CALENDAR)
    file.name = "tasks.ics"
    return file


def _invitation(who: Person) -> str:
    """Return the id of an invitation that the person has received, to a project that the person manages."""
    now = timezone.now()
    owner = registration.register_user(email=f"{uuid7()}@example.org", password=PASSWORD, name="Dave", now=now)
    project = Project.objects.create(owner=owner, name="Shed", position="i1", created_at=now, updated_at=now)
    members.set_role(project=project, user_id=who.user.pk, role=Role.ADMIN, now=now)
    made = Invitation.objects.create(
        project=project, inviter=owner, email=who.user.email, role=Role.ADMIN, created_at=now, updated_at=now
    )
    return str(made.id)


def rows_of(who: Person) -> dict[str, str]:
    """Return the id of one row of each kind, by the name that it has in paths."""
    project = make(who, "projects", name="Garden")
    now = timezone.now()
    task = make(who, "tasks", title="Dig")
    recurring = make(who, "tasks", title="Water", due={"date": "2026-12-01"}, recurrence={"rule": "FREQ=DAILY"})
    member = registration.register_user(email=f"{uuid7()}@example.org", password=PASSWORD, name="Carol", now=now)
    members.set_role(project=Project.objects.get(id=project["id"]), user_id=member.pk, role=Role.EDITOR, now=now)
    started = Import.objects.create(owner=who.user, created_at=now, updated_at=now)
    return {
        "import_id": str(started.id),
        "project_id": project["id"],
        "section_id": make(who, "sections", name="Beds", project_id=project["id"])["id"],
        "label_id": make(who, "labels", name="later")["id"],
        "filter_id": make(who, "filters", name="Soon", query="due<today+7d")["id"],
        "task_id": task["id"],
        "recurring": recurring["id"],
        "comment_id": make(who, "comments", text="Bob has a ladder.", task_id=task["id"])["id"],
        "user_id": str(member.pk),
        "invitation_id": _invitation(who),
        "q": "dig",
        "token_id": str(ApiToken.objects.visible_to(who.user.pk).get().pk),
    }


@contextmanager
def raising(error: Exception) -> Iterator[None]:
    """Let every operation fail."""
    with mock.patch.object(Endpoint, "initial", side_effect=error):
        yield


def in_one_window() -> time_machine.travel:
    """Stop the clock, so that no limit's window ends between two requests."""
    return time_machine.travel(timezone.now(), tick=False)


# the services that can lose a race between two moves, where it is not that of the same name in todos.services.tasks
_MOVED_IN = {
    "create_project": "todos.services.projects.create_project",
    "create_section": "todos.services.sections.create_section",
    "create_comment": "comments.services.create_comment",
    "update_comment": "comments.services.update_comment",
    "delete_comment": "comments.services.trash_comment",
    "restore_comment": "comments.services.restore_comment",
    "import_ics": "imports.services.imports.import_ics",
    "delete_task": "todos.services.trash.trash_task",
    "delete_label": "todos.services.trash.trash_label",
    "delete_section": "todos.services.trash.trash_section",
    "accept_invitation": "todos.services.invitations.accept_invitation",
    "decline_invitation": "todos.services.invitations.decline_invitation",
    "revoke_invitation": "todos.services.invitations.revoke_invitation",
    "create_invitation": "todos.services.invitations.create_invitation",
    "update_member": "todos.services.members.change_role",
    "remove_member": "todos.services.members.remove_member",
    "transfer_project": "todos.services.members.transfer_project",
    "update_section": "todos.services.sections.update_section",
    "create_task_from_text": "quick_add.services.adding.add_task",
}


class Provoke:
    """How to get each documented error out of an operation."""

    def __init__(self, call: Caller, person: Callable[..., Person], stranger: Person) -> None:
        self.call = call
        self.person = person
        self.stranger = stranger

    def error(self, operation: Documented, status: int) -> Any:
        """Return the answer with this status."""
        special = getattr(self, f"_{status}_{operation.id}", None)
        return special(operation) if special else getattr(self, f"_{status}")(operation)

    def _400(self, operation: Documented) -> Any:
        return self.call(operation, query="?nonsense=1")

    def _401(self, operation: Documented) -> Any:
        return self.call(operation, api=Api(None))

    def _401_login(self, operation: Documented) -> Any:
        return self.call(operation, json={"email": "nobody@example.org", "password": "wrong"})

    def _403(self, operation: Documented) -> Any:
        scopes = ("write",) if operation.method == "GET" else ("read",)
        return self.call(operation, api=self.person(f"weak-{uuid7()}", scopes=scopes).api)

    def _403_logout(self, operation: Documented) -> Any:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(self.call.who.user)
        return browser.post(operation.path)

    def _403_register(self, operation: Documented) -> Any:
        with override_settings(REGISTRATION_OPEN=False):
            return self.call(operation)

    def _404(self, operation: Documented) -> Any:
        inbox = self.stranger.api.get("/projects").json()["results"][0]["id"]
        body = self.call.body(operation)
        if body and "project_id" in body:
            body["project_id"] = inbox
        if body and "task_id" in body:
            body["task_id"] = make(self.stranger, "tasks", title="Dig")["id"]
        return self.call(operation, api=self.stranger.api, json=body)

    def _404_run_batch(self, operation: Documented) -> Any:
        return self._failing_batch(operation, path=f"/labels/{uuid7()}")

    def _406(self, operation: Documented) -> Any:
        return self.call(operation, headers={"Accept": "text/html"})

    def _410(self, operation: Documented) -> Any:
        now = timezone.now()
        cursor = self.call(operation).json()["next_cursor"]
        with time_machine.travel(now + dt.timedelta(days=settings.CHANGES_RETENTION_DAYS, minutes=1)):
            fresh = self.person(f"late-{uuid7()}")  # with a token that has not expired
            return self.call(operation, api=fresh.api, query=f"?since={cursor}")

    def _411(self, operation: Documented) -> Any:
        return self.call(
            operation,
            data=b"",
            content_type="application/json",
            headers={"Transfer-Encoding": "chunked"},
            CONTENT_LENGTH="",
        )

    def _411_import_ics(self, operation: Documented) -> Any:
        return self.call(operation, headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH="")

    def _412(self, operation: Documented) -> Any:
        return self.call(operation, headers={"If-Match": STALE})

    def _412_run_batch(self, operation: Documented) -> Any:
        return self._failing_batch(operation, path=f"/labels/{self.call.rows['label_id']}", if_match=STALE)

    def _413(self, operation: Documented) -> Any:
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
            return self.call(operation, json={"title": "x" * 20})

    def _413_import_ics(self, operation: Documented) -> Any:
        with override_settings(ATTACHMENT_MAX_BYTES=10):
            return self.call(operation)

    def _415(self, operation: Documented) -> Any:
        return self.call(operation, data="x", content_type="text/plain")

    def _failing_batch(self, operation: Documented, **one: Any) -> Any:
        operations = [{"method": "PATCH", "body": {}} | one]
        return self.call(operation, json={"atomic": True, "operations": operations})

    def _422(self, operation: Documented) -> Any:
        key = {"Idempotency-Key": str(uuid7())}
        assert self.call.who.api.post("/labels", {"name": str(uuid7())}, headers=key).status_code == 201
        return self.call(operation, headers=key)

    def _429(self, operation: Documented) -> Any:
        api = self.person(f"busy-{uuid7()}").api
        with in_one_window(), override_settings(REQUESTS_PER_TOKEN=1):
            for _ in range(3):
                api.get("/me")
            return self.call(operation, api=api)

    def _429_login(self, operation: Documented) -> Any:
        with in_one_window(), override_settings(LOGIN_FAILURES_PER_ACCOUNT=1, LOGIN_FAILURES_PER_ADDRESS=1):
            for _ in range(3):
                answer = self._401_login(operation)
        return answer

    def _429_register(self, operation: Documented) -> Any:
        with in_one_window(), override_settings(REGISTRATIONS_PER_ADDRESS=1):
            for _ in range(3):
                answer = self.call(operation)
        return answer

    def _429_create_invitation(self, operation: Documented) -> Any:
        with in_one_window(), override_settings(INVITATIONS_PER_ACCOUNT=1):
            for n in range(3):
                answer = self.call(operation, json=self.call.body(operation) | {"email": f"{n}@example.org"})
        return answer

    def _500(self, operation: Documented) -> Any:
        with raising(ZeroDivisionError("a defect")):
            return self.call(operation)

    def _503(self, operation: Documented) -> Any:
        with raising(OperationalError("the database is away")):
            return self.call(operation)

    def _409(self, operation: Documented) -> Any:
        """One connection cannot stage a race between two moves, so the service says that it lost one."""
        service = _MOVED_IN.get(operation.id, f"todos.services.tasks.{operation.id}")
        with mock.patch(f"todo_project.{service}", side_effect=Conflict("Moved.")):
            return self.call(operation)

    def _409_skip_task(self, operation: Documented) -> Any:
        return self.call(operation, row=make(self.call.who, "tasks", title="Once")["id"])

    def _409_register(self, operation: Documented) -> Any:
        return self.call(operation, json=self.call.body(operation) | {"email": self.call.who.user.email})

    def _409_run_batch(self, operation: Documented) -> Any:
        make(self.call.who, "labels", name="taken")
        return self._failing_batch(operation, path=f"/labels/{self.call.rows['label_id']}", body={"name": "taken"})

    def _409_undo_change(self, operation: Documented) -> Any:
        purged = Change.objects.filter(id=self.call.change().id)
        purged.update(kind="member")
        return self.call(operation)

    def _409_create_filter(self, operation: Documented) -> Any:
        with mock.patch("todo_project.todos.services.filters.FILTERS_MAX", 1):
            return self.call(operation)

    def _409_restore_filter(self, operation: Documented) -> Any:
        self._trash("filters", "filter_id")
        return self._409_create_filter(operation)

    def _409_create_token(self, operation: Documented) -> Any:
        with override_settings(TOKENS_PER_ACCOUNT=1):
            return self.call(operation)

    def _409_of_a_name(self, operation: Documented) -> Any:
        make(self.call.who, "labels", name="urgent" if operation.id != "restore_label" else "again")
        return self.call(operation)

    _409_create_label = _409_update_label = _409_of_a_name

    def _409_restore_label(self, operation: Documented) -> Any:
        self._trash("labels", "label_id")
        make(self.call.who, "labels", name="later")
        return self.call(operation)

    def _409_of_the_inbox(self, operation: Documented) -> Any:
        inbox = next(each for each in self.call.who.api.get("/projects").json()["results"] if each["is_inbox"])
        return self.call(operation, row=inbox["id"])

    _409_update_project = _409_delete_project = _409_archive_project = _409_of_the_inbox

    def _409_put(self, operation: Documented) -> Any:
        name = operation.path.split("{")[1].rstrip("}")
        self._trash(f"{name.removesuffix('_id')}s", name)
        return self.call(operation)

    _409_put_filter = _409_put
    _409_put_task = _409_put_project = _409_put_section = _409_put_label = _409_put_comment = _409_put

    def _409_restore(self, operation: Documented) -> Any:
        kind = operation.id.removeprefix("restore_")
        inside = {"project": {"parent_id": self.call.rows["project_id"]}}.get(
            kind, {"project_id": self.call.rows["project_id"]}
        )
        words = {"title": "Dig"} if kind == "task" else {"name": "Beds"}
        row = make(self.call.who, f"{kind}s", **inside, **words)["id"]
        self.call.who.api.delete(f"/{kind}s/{row}")
        self._trash("projects", "project_id")
        return self.call(operation, row=row)

    _409_restore_project = _409_restore_section = _409_restore_task = _409_restore

    def _trash(self, kind: str, name: str) -> None:
        assert self.call.who.api.delete(f"/{kind}/{self.call.rows[name]}").status_code == 204
