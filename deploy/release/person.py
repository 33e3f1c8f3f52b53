"""Use the API as a person does: write each kind of resource, and read back what was written.

A rollback tests an older image. So a resource that is newer than the image of the release before is added here one
release later.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from host.console import Failure

from .account import Account
from .site import Answer, Site

API = "/api/v1"
_WAITS = 3  # for a limit on the account's requests that is lower than what the test needs
_CALENDAR = "\r\n".join([
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//todo//release test", "BEGIN:VTODO", "UID:{name}", "SUMMARY:{name}",
    "END:VTODO", "END:VCALENDAR", "",
])  # fmt: skip


def refusal(site: Site, method: str, path: str, what: str) -> Failure:
    """Return the error of a test."""
    return Failure(
        f"the smoke test {site.name} failed: {method} {path} {what}",
        "see the logs of backend and proxy; compare SITE_URL and SITE_ADDRESS",
    )


def ask(
    site: Site,
    method: str,
    path: str,
    wanted: int,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
) -> Answer:
    """Send a request; raise Failure if the answer does not have the wanted status."""
    for wait in range(_WAITS + 1):
        try:
            answer = site.send(method, path, headers or {}, body)
        except (OSError, http.client.HTTPException) as error:
            raise refusal(site, method, path, f"failed: {error}") from error
        if answer.status != 429 or wait == _WAITS:
            break
        time.sleep(float(answer.headers.get("retry-after", 1)))
    if answer.status != wanted:
        raise refusal(site, method, path, f"returned {answer.status} instead of {wanted}: {answer.text[:300]!r}")
    return answer


class Person:
    """The account at work on a site."""

    def __init__(self, site: Site, account: Account) -> None:
        self._site = site
        self._account = account
        self._name = f"Release test {secrets.token_hex(4)}"

    def log_in(self) -> None:
        """Log in with the password and keep the token."""
        given = {"email": self._account.email, "password": self._account.password}
        self._account.token = self._call("POST", "/auth/login", 200, given)["token"]

    def use_everything(self) -> None:
        """Write and read each kind of resource."""
        self._expect(self._call("GET", "/me", 200), {"email": self._account.email}, "GET", "/me")
        project = self._resource(
            "/projects", {"name": self._name, "color": "#3b82f6"}, {"name": f"{self._name}, new"}
        )
        section = self._resource("/sections", {"name": self._name, "project_id": project}, {"name": "New"})
        label = self._resource("/labels", {"name": self._name, "color": "#6b7280"}, {"color": "#10b981"})
        self._tasks(project, section, label)
        self._import(project)
        self._token()
        for path in (f"/labels/{label}", f"/sections/{section}", f"/projects/{project}"):
            self._call("DELETE", path, 204)
            self._call("GET", path, 404)

    def log_out(self) -> None:
        """End the token."""
        self._call("POST", "/auth/logout", 204)
        self._call("GET", "/me", 401)

    def _tasks(self, project: str, section: str, label: str) -> None:
        values = {
            "title": self._name, "description": "Made to test a release", "priority": 3, "project_id": project,
            "section_id": section, "labels": [label], "due": {"date": "2030-01-31"},
        }  # fmt: skip
        task = self._resource("/tasks", values, {"title": f"{self._name}, new", "due": None})
        path = f"/tasks/{task}"
        below = self._call("POST", "/tasks", 201, {"title": "Below", "parent_id": task})
        self._expect(below, {"project_id": project, "section_id": section}, "POST", "/tasks")
        moved = self._call("POST", f"{path}/move", 200, {"project_id": project, "section_id": None})
        self._expect(moved, {"section_id": None}, "POST", f"{path}/move")
        for action, is_done in (("complete", True), ("reopen", False)):
            for method, where in (("POST", f"{path}/{action}"), ("GET", path)):
                found = self._call(method, where, 200)
                if (found["completed_at"] is not None) is not is_done:
                    raise refusal(self._site, method, where, f"shows completed_at {found['completed_at']}")
        self._call("DELETE", path, 204)
        self._call("GET", path, 404)
        self._call("POST", f"{path}/restore", 200)
        self._call("GET", path, 200)

    def _import(self, project: str) -> None:
        boundary = secrets.token_hex(16)
        form = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}\r\n\r\n{content}\r\n'
            for name, content in (
                ('project_id"', project),
                ('file"; filename="test.ics"\r\nContent-Type: text/calendar', _CALENDAR.format(name=self._name)),
            )
        )
        kind = f"multipart/form-data; boundary={boundary}"
        report = self._call("POST", "/imports/ics", 201, body=f"{form}--{boundary}--\r\n", kind=kind)
        self._expect(report, {"created": 1}, "POST", "/imports/ics")

    def _token(self) -> None:
        made = self._call("POST", "/tokens", 201, {"name": self._name, "scopes": ["read"], "expires_at": None})
        self._listed("/tokens", made["id"], {"name": self._name})
        self._call("DELETE", f"/tokens/{made['id']}", 204)

    def _resource(self, path: str, values: Mapping[str, Any], change: Mapping[str, Any]) -> str:
        """Create, read, change and list one object, and return its id."""
        made = self._call("POST", path, 201, values)
        one = f"{path}/{made['id']}"
        self._expect(made, values, "POST", path)
        self._expect(self._call("GET", one, 200), values, "GET", one)
        self._expect(self._call("PATCH", one, 200, change), {**values, **change}, "PATCH", one)
        self._expect(self._call("GET", one, 200), {**values, **change}, "GET", one)
        self._listed(path, made["id"], {**values, **change})
        return str(made["id"])

    def _listed(self, path: str, wanted: str, values: Mapping[str, Any]) -> None:
        where = f"{path}?limit=200"
        rows = [row for row in self._call("GET", where, 200)["results"] if row["id"] == wanted]
        if not rows:
            raise refusal(self._site, "GET", where, "lacks an object that was just created")
        self._expect(rows[0], values, "GET", where)

    def _call(
        self, method: str, path: str, wanted: int, data: Any = None, *, body: str | None = None, kind: str = ""
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._account.token}"} if self._account.token else {}
        if data is not None:
            body, kind = json.dumps(data), "application/json"
        if kind:
            headers["Content-Type"] = kind
        answer = ask(self._site, method, f"{API}{path}", wanted, headers=headers, body=body)
        if wanted != 204 and not isinstance(answer.json(), dict):
            raise refusal(self._site, method, f"{API}{path}", f"did not return an object: {answer.text[:300]!r}")
        return answer.json()

    def _expect(self, found: Any, values: Mapping[str, Any], method: str, path: str) -> None:
        """Raise Failure unless the object has these values."""
        wrong = {name: found.get(name) for name, value in values.items() if found.get(name) != value}
        if wrong:
            wanted = {name: values[name] for name in wrong}
            raise refusal(self._site, method, f"{API}{path}", f"shows {wrong} instead of {wanted}")
