"""Every route of the URL conf refuses anonymous requests and shows a stranger nothing.

The tests walk the URL conf, so a new route without an entry here fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.timezone import now

from tests.conftest import Api, Person
from tests.todos.stories import make
from todo_project.accounts.models import ApiToken
from todo_project.imports.models import Import

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ADMIN = "admin/"
# What anybody may call; the value is what it answers to nobody in particular without a body.
OPEN = {
    ("POST", "api/v1/auth/register"): 400,
    ("POST", "api/v1/auth/login"): 400,
    ("GET", "api/v1/auth/csrf"): 200,
    ("GET", "api/openapi.json"): 200,
    ("GET", "api/docs/"): 200,
    ("GET", "version"): 200,
}
# Doors outside the API: pages for a browser, and what has its own tests (tests/ops).
OUTSIDE = {"api/docs", "admin", "", "self-test", "unsubscribe"}
# What a caller has without naming it: a stranger finds their own there, never anybody else's.
OWN = {
    "api/v1/auth/logout",
    "api/v1/auth/password",
    "api/v1/me",
    "api/v1/tokens",
    "api/v1/projects",
    "api/v1/sections",
    "api/v1/labels",
    "api/v1/filters",
    "api/v1/tasks",
    "api/v1/tasks/quick",
    "api/v1/comments",
    "api/v1/invitations",
    "api/v1/imports/ics",
    "api/v1/batch",
    "api/v1/changes",
    "api/v1/overview",
    "api/v1/search",
    "api/v1/stats",
    "api/v1/notifications",
    "api/v1/notifications/count",
    "api/v1/notifications/read",
    "api/v1/undo",
}
# A body that would be valid if the row were the caller's own.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", "project_id"): {"name": "Mine"},
    ("PUT", "label_id"): {"name": "Mine"},
    ("PUT", "filter_id"): {"name": "Mine", "query": "is:open"},
    ("PUT", "task_id"): {"title": "Mine"},
    ("PATCH", "project_id"): {"name": "Mine"},
    ("PATCH", "section_id"): {"name": "Mine"},
    ("PATCH", "label_id"): {"name": "Mine"},
    ("PATCH", "filter_id"): {"name": "Mine"},
    ("PATCH", "task_id"): {"title": "Mine"},
    ("PATCH", "comment_id"): {"text": "Mine"},
    ("PATCH", "token_id"): {"name": "Mine"},
    ("PATCH", "user_id"): {"role": "admin"},
    ("POST", "invitations"): {"email": "mallory@example.org", "role": "admin"},
    ("POST", "transfer"): {"user_id": "0190a0a0-0000-7000-8000-000000000000"},
}


@dataclass(frozen=True)
class Route:
    """One path of the URL conf and the methods that its view has."""

    path: str
    methods: tuple[str, ...]

    @property
    def parameters(self) -> list[str]:
        """The names of the ids in the path."""
        return re.findall(r"<id:(\w+)>", self.path)


def walk(patterns: list[Any], prefix: str = "") -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if path != ADMIN:
                yield from walk(pattern.url_patterns, path)
            continue
        assert isinstance(pattern, URLPattern)
        view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
        names = tuple(name for name in METHODS if view is None or hasattr(view, name.lower()))
        yield Route(path, ("GET",) if view is None else names)


ROUTES = list(walk(get_resolver().url_patterns))
CLOSED = [
    (method, route)
    for route in ROUTES
    for method in route.methods
    if route.path not in OUTSIDE and (method, route.path) not in OPEN
]
NAMED = [(method, route) for method, route in CLOSED if route.parameters]


def words(found: list[tuple[str, Route]]) -> list[str]:
    return [f"{method} {route.path}" for method, route in found]


def test_every_route_is_expected() -> None:
    expected = OUTSIDE | OWN | {path for _, path in OPEN}
    assert {route.path for route in ROUTES if not route.parameters} == expected, "correct OUTSIDE, OWN or OPEN"
    assert all(route.path.startswith("api/v1/") for route in ROUTES if route.parameters)


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_an_open_route_answers_anybody(anonymous: Api, method: str, path: str) -> None:
    body = {"data": "{}", "content_type": "application/json"} if method == "POST" else {}
    assert anonymous._client.generic(method, f"/{path}", **body).status_code == OPEN[method, path]


@pytest.mark.parametrize(("method", "route"), CLOSED, ids=words(CLOSED))
def test_a_closed_route_answers_401_to_nobody_in_particular(anonymous: Api, method: str, route: Route) -> None:
    path = re.sub(r"<id:\w+>", "0190a0a0-0000-7000-8000-000000000000", route.path)
    answer = anonymous.request(method, f"/{path}", {} if method in {"POST", "PUT", "PATCH"} else None)
    assert answer.status_code == 401, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.fixture
def alices(alice: Person) -> dict[str, str]:
    """Return the id of one row of each kind that alice owns, by its name in paths."""
    project = make(alice, "projects", name="Secret")
    task = make(alice, "tasks", title="Secret", project_id=project["id"])
    return {
        "project_id": project["id"],
        "section_id": make(alice, "sections", name="Secret", project_id=project["id"])["id"],
        "label_id": make(alice, "labels", name="Secret")["id"],
        "filter_id": make(alice, "filters", name="Secret", query="is:open")["id"],
        "task_id": task["id"],
        "invitation_id": make(
            alice, f"projects/{project['id']}/invitations", email="bob@example.org", role="viewer"
        )["id"],
        "comment_id": make(alice, "comments", text="Secret", task_id=task["id"])["id"],
        "user_id": str(alice.user.pk),
        "token_id": str(ApiToken.objects.get(user=alice.user).pk),
        "import_id": str(
            Import.objects.create(
                owner=alice.user, status="failed", error="Secret", created_at=now(), updated_at=now()
            ).pk
        ),
    }


@pytest.fixture
def people(alice: Person, mallory: Person) -> tuple[Person, Person]:
    """The owner and the stranger."""
    return alice, mallory


@pytest.mark.parametrize(("method", "route"), NAMED, ids=words(NAMED))
def test_a_stranger_finds_nothing(
    people: tuple[Person, Person], alices: dict[str, str], method: str, route: Route
) -> None:
    alice, mallory = people
    parameter = route.parameters[0]
    assert parameter in alices, "add a row of this kind to the fixture alices"
    path = "/" + re.sub(r"<id:(\w+)>", lambda found: alices[found[1]], route.path)
    last = route.path.rpartition("/")[2].removeprefix("<id:").removesuffix(">")
    body = dict(BODIES.get((method, last), {}))
    if (method, parameter) == ("PUT", "section_id"):
        inbox = mallory.api.get("/projects").json()["results"][0]
        body = {"name": "Mine", "project_id": inbox["id"]}
    if (method, parameter) == ("PUT", "comment_id"):
        body = {"text": "Mine", "task_id": make(mallory, "tasks", title="Mine")["id"]}
    kinds = {"token_id": "tokens"}
    mine = f"/{kinds.get(parameter, parameter.removesuffix('_id') + 's')}/{alices[parameter]}"
    before = alice.api.get(mine)

    answer = mallory.api.request(method, path, body if method in {"POST", "PUT", "PATCH"} else None)
    assert answer.status_code == 404, answer.content
    assert b"Secret" not in answer.content
    assert alice.api.get(mine).json() == before.json()


@pytest.mark.parametrize(
    "path",
    sorted(
        OWN
        - {"api/v1/auth/logout", "api/v1/auth/password", "api/v1/imports/ics", "api/v1/batch", "api/v1/undo"}
        - {"api/v1/tasks/quick", "api/v1/notifications/read"}
    ),
)
def test_a_list_holds_nothing_of_anybody_else(mallory: Person, alices: dict[str, str], path: str) -> None:
    own = {"api/v1/me": "", "api/v1/invitations": "", "api/v1/overview": "", "api/v1/stats": ""}
    own["api/v1/changes"] = "?limit=200"
    own["api/v1/search"] = "?q=secret&limit=200"
    own |= {"api/v1/notifications": "?limit=200", "api/v1/notifications/count": ""}
    query = own.get(path, "?include_deleted=true&limit=200")
    query += f"&task_id={alices['task_id']}" if path.endswith("/comments") else ""
    answer = mallory.api.get(f"/{path}{query}")
    assert answer.status_code == 200
    assert b"Secret" not in answer.content
    for theirs in alices.values():
        assert theirs.encode() not in answer.content


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/projects", {"name": "x", "parent_id": "project_id"}),
        ("/sections", {"name": "x", "project_id": "project_id"}),
        ("/tasks", {"title": "x", "project_id": "project_id"}),
        ("/tasks", {"title": "x", "section_id": "section_id"}),
        ("/tasks", {"title": "x", "parent_id": "task_id"}),
        ("/tasks", {"title": "x", "labels": ["label_id"]}),
        ("/comments", {"text": "x", "task_id": "task_id"}),
    ],
)
def test_a_stranger_points_at_nothing(
    mallory: Person, alices: dict[str, str], path: str, body: dict[str, Any]
) -> None:
    known = {
        name: [alices[each] for each in value] if isinstance(value, list) else alices.get(value, value)
        for name, value in body.items()
    }
    answer = mallory.api.post(path, known)
    assert answer.status_code in {400, 404}, answer.content
    assert b"Secret" not in answer.content


@pytest.mark.parametrize("method", METHODS)
def test_the_admin_is_closed_to_people(alice: Person, method: str) -> None:
    for path in ("/admin/", "/admin/todos/project/", "/admin/accounts/user/"):
        answer = alice.api._client.generic(method, path)
        assert answer.status_code in {302, 403, 405}
