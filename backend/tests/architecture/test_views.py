"""Views read only the caller's rows, POSTs can be repeated, and services take named arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, functions, modules, name_of, tree

APPS = sorted(path.parents[1].name for path in PACKAGE.glob("*/api/urls.py"))
API = [path for app in APPS for path in modules(PACKAGE / app / "api")]
# all that calls services: the API, background jobs, the admin, commands
DOORS = [
    *API,
    *(path for app in APPS for path in (PACKAGE / app).glob("*.py") if path.stem in {"tasks", "admin"}),
    *(path for app in APPS for path in modules(PACKAGE / app / "management")),
]
SERVICES = [
    path for app in APPS for path in (*(PACKAGE / app).glob("services.py"), *modules(PACKAGE / app / "services"))
]
# POSTs that are safe to repeat, or whose responses must not be stored: passwords, logouts.
NOT_REMEMBERED = {"Register", "Login", "Logout", "Password", "Unsubscribe"}
# Modules that may read the clock: a token is used now.
CLOCKS = {"verification.py"}
# The modules that an app may have (docs/architecture.md). Django imports admin_site before any admin.py, whose
# registrations need it.
APP_MODULES = {
    *(
        "api",
        "admin",
        "admin_site",
        "apps",
        "checks",
        "management",
        "migrations",
        "models",
        "services",
        "tasks",
        "static",
        "templates",
    ),
}


def unowned(module: ast.AST) -> Iterator[str]:
    """Yield the reads of tables that do not use visible_to or owned_by."""
    parents = {child: node for node in ast.walk(module) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}:
            after = parents.get(node)
            allowed = isinstance(after, ast.Attribute) and after.attr in {"visible_to", "owned_by"}
            # api.listing.Resource takes what makes the query set, and asks it for visible_to itself
            if not allowed and not _is_argument(after, parents):
                yield f"line {node.lineno}: {ast.unparse(after or node)}"


def _is_argument(node: ast.AST | None, parents: dict[ast.AST, ast.AST]) -> bool:
    above = parents.get(node) if node else None
    return isinstance(above, ast.keyword) and above.arg == "rows"


def unrepeatable(module: ast.AST) -> Iterator[str]:
    """Yield the POSTs that do not support Idempotency-Key."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and node.name not in NOT_REMEMBERED:
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name == "post":
                    marks = {ast.unparse(mark).partition("(")[0] for mark in method.decorator_list}
                    if "idempotent" not in marks:
                        yield f"line {method.lineno}: {node.name}.post"


def by_position(module: ast.AST) -> Iterator[str]:
    """Yield the calls of services with positional arguments."""
    services = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".services")
        for alias in node.names
    }
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        # a plain function of one thing, such as recurrence.parse(rule), reads well without
        is_write = len(node.args) > 1 or any(keyword.arg == "now" for keyword in node.keywords)
        if node.args and is_write and ast.unparse(node.func.value) in services:
            yield f"line {node.lineno}: {ast.unparse(node.func)}"


@pytest.mark.parametrize("path", API, ids=name_of)
def test_views_reach_rows_through_their_owner(path: Path) -> None:
    assert list(unowned(tree(path))) == []


@pytest.mark.parametrize("path", API, ids=name_of)
def test_posts_honour_idempotency_keys(path: Path) -> None:
    assert list(unrepeatable(tree(path))) == []


@pytest.mark.parametrize("path", DOORS, ids=name_of)
def test_services_are_called_by_name(path: Path) -> None:
    assert list(by_position(tree(path))) == []


@pytest.mark.parametrize("path", SERVICES, ids=name_of)
def test_services_take_the_time(path: Path) -> None:
    """Services take `now`, so that tests can set the time."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and path.name not in CLOCKS:
            assert ast.unparse(node.func) not in {"timezone.now", "dt.datetime.now", "datetime.now"}, node.lineno


@pytest.mark.parametrize("path", API, ids=name_of)
def test_view_methods_are_short(path: Path) -> None:
    for function in functions(tree(path)):
        if function.name in {"get", "post", "put", "patch", "delete"}:
            statements = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
            assert statements <= 15, f"{function.name} at line {function.lineno}"


def test_apps_have_the_same_modules() -> None:
    for app in APPS:
        found = {path.stem for path in (PACKAGE / app).iterdir() if path.name not in {"__init__.py", "__pycache__"}}
        assert found <= APP_MODULES, app


def test_what_is_looked_for_is_found() -> None:
    planted = ast.parse(
        "from todo_project.todos.services import labels\n"
        "class A:\n"
        " def get(self): return Task.objects.filter(id=1)\n"
        " def post(self): return Task.objects.visible_to(1)\n"
        " def put(self): labels.create_label(1, now=2)\n"
    )
    assert len(list(unowned(planted))) == 1
    assert len(list(unrepeatable(planted))) == 1
    assert len(list(by_position(planted))) == 1
