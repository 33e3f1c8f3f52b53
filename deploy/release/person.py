"""Use the API as a person does: write each kind of resource, and read back what was written.

A rollback tests an older image, which may lack resources. So the later ones are used only if the image describes
them in its document of the API.
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
DESCRIPTION = "/api/openapi.json"
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
        self._newer(project)
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

    def _newer(self, project: str) -> None:
        """Use those of the later resources that the image has."""
        paths = ask(self._site, "GET", DESCRIPTION, 200).json()["paths"]
        for path, use in (
            ("/comments", self._comments),
            ("/search", self._search),
            ("/filters", self._filters),
            ("/tasks/quick", self._quick_add),
            ("/notifications", self._notifications),
        ):
            if f"{API}{path}" in paths:
                use(project)

    def _comments(self, project: str) -> None:
        task = self._call("POST", "/tasks", 201, {"title": self._name, "project_id": project})["id"]
        written = {"task_id": task, "text": self._name}
        comment = self._resource("/comments", written, {"text": "Edited"}, only=f"task_id={task}&")
        self._expect(self._call("GET", f"/tasks/{task}", 200), {"comment_count": 1}, "GET", f"/tasks/{task}")
        self._call("DELETE", f"/comments/{comment}", 204)
        self._call("GET", f"/comments/{comment}", 404)

    def _search(self, project: str) -> None:
        """Find a task by the beginning of a word that occurs nowhere else."""
        word = "".join(secrets.choice("bcdfghjklm") for _ in range(12))
        task = self._call("POST", "/tasks", 201, {"title": f"Find {word}", "project_id": project})["id"]
        where = f"/search?q={word[:10]}"
        found = [(row["kind"], row["id"]) for row in self._call("GET", where, 200)["results"]]
        if found != [("task", task)]:
            raise refusal(self._site, "GET", f"{API}{where}", f"found {found} instead of the new task")

    def _filters(self, project: str) -> None:
        """Keep a filter, and list what it finds."""
        task = self._call("POST", "/tasks", 201, {"title": self._name, "project_id": project, "priority": 4})["id"]
        values = {"name": self._name, "query": "priority>=3 & is:open"}
        kept = self._resource("/filters", values, {"query": "priority:4 & is:open"})
        where = f"/tasks?filter=priority:4%26is:open&project_id={project}"
        found = [row["id"] for row in self._call("GET", where, 200)["results"]]
        if found != [task]:
            raise refusal(self._site, "GET", f"{API}{where}", f"found {found} instead of the new task")
        self._call("DELETE", f"/filters/{kept}", 204)
        self._call("GET", f"/filters/{kept}", 404)

    def _quick_add(self, project: str) -> None:
        given = {"text": "Water the plants 2030-01-31 p1", "time_zone": "UTC"}
        wanted = {"title": "Water the plants", "priority": 4, "due": {"date": "2030-01-31"}}
        made = self._call("POST", "/tasks/quick", 201, given)["task"]
        self._expect(made, wanted, "POST", "/tasks/quick")
        self._expect(self._call("GET", f"/tasks/{made['id']}", 200), wanted, "GET", f"/tasks/{made['id']}")
        self._call("DELETE", f"/tasks/{made['id']}", 204)

    def _notifications(self, project: str) -> None:
        """List them, although there is none: only a worker makes them, within a minute."""
        where = "/notifications"
        self._expect(self._call("GET", where, 200), {"results": [], "next_cursor": None}, "GET", where)
        for method, path, data in (("POST", f"{where}/read", {"all": True}), ("GET", f"{where}/count", None)):
            self._expect(self._call(method, path, 200, data), {"unread": 0}, method, path)

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

    def _resource(self, path: str, values: Mapping[str, Any], change: Mapping[str, Any], *, only: str = "") -> str:
        """Create, read, change and list one object, and return its id. `only` is what the list requires."""
        made = self._call("POST", path, 201, values)
        one = f"{path}/{made['id']}"
        self._expect(made, values, "POST", path)
        self._expect(self._call("GET", one, 200), values, "GET", one)
        self._expect(self._call("PATCH", one, 200, change), {**values, **change}, "PATCH", one)
        self._expect(self._call("GET", one, 200), {**values, **change}, "GET", one)
        self._listed(path, made["id"], {**values, **change}, only=only)
        return str(made["id"])

    def _listed(self, path: str, wanted: str, values: Mapping[str, Any], *, only: str = "") -> None:
        where = f"{path}?{only}limit=200"
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
