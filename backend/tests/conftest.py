"""Users and their API clients: alice owns the data, bob is another owner, mallory is a stranger."""

from __future__ import annotations

import gc
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# here and not in pyproject.toml: pytest-django would read the settings before this file names the environment
os.environ["DJANGO_ENV"] = "test"
os.environ["DJANGO_SETTINGS_MODULE"] = "todo_project.settings"

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection
from django.test import Client, SimpleTestCase, TransactionTestCase
from django.utils import timezone

from tests.declared import undeclared

# The same examples in every run, without a time limit, so that no test fails by chance.
# `pytest --hypothesis-profile=default` looks for new ones.
hypothesis.settings.register_profile(
    "steady",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")


def pytest_configure() -> None:
    """Load the settings now, so that pytest-django sets up Django before it collects tests."""
    assert settings.ENVIRONMENT == "test"
    gc.disable()  # what is collected stays to the end; to look through it takes a quarter of the time


def pytest_collection_finish() -> None:
    """Collect garbage again, but not among modules and tests."""
    gc.freeze()
    gc.enable()


PASSWORD = "correct horse battery staple"
# Copies of the code keep its bytecode, except what another process is writing: compiling takes half a second.
BEING_WRITTEN = shutil.ignore_patterns("*.pyc.*")


@pytest.fixture(autouse=True, scope="session")
def _patience() -> Iterator[None]:
    """Raise the timeouts of probes, which a busy machine may exceed."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("health.backups", "health.readiness", "observability.gauges"):
            patch.setattr(f"todo_project.ops.{module}.STATEMENT_TIMEOUT_MS", 120_000)
        for module in ("startup.database", "startup.locks"):
            patch.setattr(f"todo_project.ops.{module}.CONNECT_TIMEOUT_SECONDS", 120)
        patch.setattr("todo_project.ops.health.web.TIMEOUT_SECONDS", 120)
        yield


@pytest.fixture(autouse=True, scope="session")
def _only_declared_responses() -> Iterator[None]:
    """Fail a test that sees a status which the OpenAPI document does not declare for the operation."""
    request = Client.request

    def checked(self: Client, **environ: Any) -> Any:
        response = request(self, **environ)
        found = undeclared(environ["REQUEST_METHOD"], environ["PATH_INFO"], response.status_code)
        assert found is None, f"{found}: {response.getvalue()!r}"
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "request", checked)
        yield


@pytest.fixture(autouse=True, scope="session")
def _kept_permissions() -> Iterator[None]:
    """Empty the tables after a transactional test, except those of the permissions.

    Django would also delete those, and emit post_migrate to write them again, which takes several times as long.
    """
    kept = {"auth_permission", "django_content_type"}
    log = "todos_change"  # comes last, because the triggers of other tables write to it

    def flush(_: TransactionTestCase) -> None:
        found = connection.introspection.django_table_names(only_existing=True, include_views=False)
        tables = sorted(set(found) - kept, key=lambda table: table == log)
        connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush)
        yield


class Api:
    """A client that speaks JSON to /api/v1 with one person's token."""

    def __init__(self, token: str | None) -> None:
        self._client = Client(raise_request_exception=False)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def request(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None, **extra: Any
    ) -> Any:
        """Send one request; `path` is below /api/v1 unless it starts with /api or /health."""
        full = path if path.startswith(("/api/", "/health/")) else f"/api/v1{path}"
        if json is not None:
            extra |= {"data": json, "content_type": extra.get("content_type", "application/json")}
        return self._client.generic(
            method,
            full,
            **_body(extra),
            headers=self._headers | (headers or {}),
        )

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in {"get", "post", "put", "patch", "delete", "head", "options"}:
            raise AttributeError(name)
        return lambda path, json=None, **extra: self.request(name.upper(), path, json, **extra)

    def upload(self, path: str, files: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        """Send a multipart form."""
        return self._client.post(f"/api/v1{path}", files, headers=self._headers | (headers or {}))


def _body(extra: dict[str, Any]) -> dict[str, Any]:
    import json

    data = extra.pop("data", b"")
    if not isinstance(data, str | bytes):
        data = json.dumps(data)
    return {"data": data, "content_type": extra.pop("content_type", "application/json" if data else ""), **extra}


@dataclass
class Person:
    """A user, a token with all scopes, and a client that uses it."""

    user: Any
    token: str
    api: Api


def new_person(name: str, scopes: tuple[str, ...] = ("read", "write", "admin")) -> Person:
    """Create a user, whose address begins with the name, and a token, past its service, which takes longer."""
    from todo_project.accounts.models import ApiToken
    from todo_project.accounts.services import registration, tokens

    now = timezone.now()
    user = registration.register_user(email=f"{name}@example.org", password=PASSWORD, name=name.title(), now=now)
    token = tokens.PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user,
        name="tests",
        digest=tokens.digest_of(token),
        prefix=token[:11],
        scopes=sorted(scopes),
        created_at=now,
        updated_at=now,
    )
    return Person(user=user, token=token, api=Api(token))


@pytest.fixture
def person(db: None) -> Callable[..., Person]:
    """Return a function that creates a user: `person("dave", scopes=["read"])`."""
    return new_person


@pytest.fixture
def alice(person: Callable[..., Person]) -> Person:
    """The owner of the data in most tests."""
    return person("alice")


@pytest.fixture
def bob(person: Callable[..., Person]) -> Person:
    """Another owner."""
    return person("bob")


@pytest.fixture
def mallory(person: Callable[..., Person]) -> Person:
    """A user who must not see what alice owns."""
    return person("mallory")


@pytest.fixture
def anonymous(db: None) -> Api:
    """A client without a token."""
    return Api(None)


@pytest.fixture
def early_in_every_window() -> Iterator[time_machine.Traveller]:
    """Stop the clock just after a full hour, when the windows of all limits begin, so that none ends during a test.

    Request it first, or with usefixtures, so that the users of the test are created at that time too.
    """
    with time_machine.travel("2026-11-30T09:00:01Z") as traveller:
        yield traveller


@pytest.hookimpl(tryfirst=True)  # before `-m database` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a database, and skip those marked `postgres` on SQLite."""
    for item in items:
        if _uses_database(item):
            item.add_marker(pytest.mark.database)
        if connection.vendor != "postgresql" and item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL: make test DATABASE_URL=postgres://…"))


def _uses_database(item: Any) -> bool:
    marked = item.get_closest_marker("django_db") or item.get_closest_marker("postgres")
    return bool(
        marked
        or {"db", "transactional_db"} & {*item.fixturenames}
        or issubclass(item.cls or object, SimpleTestCase)
    )


@pytest.fixture
def bare_backend(tmp_path: Path) -> Path:
    """Return a copy of the code without env files, because this checkout may have its own."""
    backend = tmp_path / "backend"
    here = Path(__file__).resolve().parents[1]
    shutil.copytree(here / "todo_project", backend / "todo_project", ignore=BEING_WRITTEN)
    shutil.copy(here / "manage.py", backend)
    (backend / "var").mkdir()
    return backend


_XMIN = "pg_snapshot_xmin(pg_current_snapshot())"
# the same, but of the transactions of this database only
_XMIN_HERE = """(
    SELECT coalesce(min(backend_xid::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
)"""


@pytest.fixture(autouse=True, scope="session")
def _alone() -> Iterator[None]:
    """Let the log be read to its end, although another process of the tests writes to its own database.

    PostgreSQL's snapshots contain the transactions of all databases of a server.
    """
    from todo_project.db.changes import position

    with pytest.MonkeyPatch.context() as patch:
        if connection.vendor == "postgresql":
            assert _XMIN in position._POSTGRESQL
            patch.setattr(position, "_POSTGRESQL", position._POSTGRESQL.replace(_XMIN, _XMIN_HERE))
        yield
