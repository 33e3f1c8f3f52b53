"""DATABASE_URL and EMAIL_URL are read into Django's settings, or refused without their password."""

from __future__ import annotations

from typing import Any

import pytest

from todo_project.config.findings import BadValueError
from todo_project.config.paths import BASE_DIR
from todo_project.config.schema import BY_NAME
from todo_project.config.variable import parse

PASSWORD = "p7RkQm2xVt9L"


def database(text: str) -> Any:
    return parse(BY_NAME["DATABASE_URL"], text)


def email(text: str) -> Any:
    return parse(BY_NAME["EMAIL_URL"], text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"postgres://u:{PASSWORD}@h:5433/n", ("u", PASSWORD, "h", 5433, "n")),
        (f"postgresql://u:{PASSWORD}@h/n", ("u", PASSWORD, "h", "", "n")),
        ("POSTGRES://u:p@h/n", ("u", "p", "h", "", "n")),
        ("postgres://u:p%2Fq%40r%23s%25t@h:5432/n", ("u", "p/q@r#s%t", "h", 5432, "n")),
        ("postgres://u:p:q@h/n", ("u", "p:q", "h", "", "n")),
        ("postgres://u:p@[::1]:5432/n", ("u", "p", "::1", 5432, "n")),
        ("postgres://u:p@pg.example.org:5432/n?sslmode=require", ("u", "p", "pg.example.org", 5432, "n")),
        ("postgres:////var/run/postgresql/n", ("", "", "/var/run/postgresql", "", "n")),
        ("postgres://u@%2Fvar%2Frun%2Fpostgresql:5433/n", ("u", "", "/var/run/postgresql", 5433, "n")),
        ("postgres://%2FRun%2FPostgres/n", ("", "", "/Run/Postgres", "", "n")),
        ("postgres://u@/n?host=/run/postgresql", ("u", "", "/run/postgresql", "", "n")),
        ("postgres:///n", ("", "", "", "", "n")),  # libpq's own socket, as the user of the process
        ("postgres://u:p@[2001:db8::1]:5432/n", ("u", "p", "2001:db8::1", 5432, "n")),
        ("postgres://u:p@[fe80::1]/n", ("u", "p", "fe80::1", "", "n")),
        ("postgres://u:p@a,b/n", ("u", "p", "a,b", "", "n")),
        ("postgres://u:p@a:5432,b:5433/n", ("u", "p", "a,b", "5432,5433", "n")),
        ("postgres://u:p@PG.Example.org/n", ("u", "p", "pg.example.org", "", "n")),
        ("postgres://u+x:p+y@h/n?host=i&port=5433", ("u+x", "p+y", "i", 5433, "n")),
    ],
)
def test_postgres_urls_are_read(text: str, expected: tuple[Any, ...]) -> None:
    found = database(text)
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert tuple(found[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")) == expected


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {}),
        ("?sslmode=verify-full&connect_timeout=5", {"sslmode": "verify-full", "connect_timeout": 5}),
        ("?pool=true", {"pool": True}),
        ("?pool=True", {"pool": True}),
        ("?pool=false", {}),
    ],
)
def test_options_are_what_django_expects(query: str, options: dict[str, Any]) -> None:
    assert database(f"postgres://u:{PASSWORD}@h:5432/n{query}")["OPTIONS"] == options


def test_switches_of_django_are_booleans_and_no_options() -> None:
    found = database("postgres://u:p@h/n?disable_server_side_cursors=true&atomic_requests=false")
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert found["ATOMIC_REQUESTS"] is False
    assert found["OPTIONS"] == {}


@pytest.mark.parametrize(
    "text",
    [
        "todo_db",
        "foo://x/y",
        "mysql://u:p7RkQm2xVt9L@h/n",
        "postgres:u:p7RkQm2xVt9L@h/n",
        "postgres://u:p7RkQm/2xVt9L@h:5432/n",
        "postgres://u:p7RkQm#2xVt9L@h:5432/n",
        "postgres://u:p7RkQm?2xVt9L@h:5432/n",
        "postgres://u:p7RkQm@2xVt9L@h:5432/n",
        "postgres://u:p7RkQm[2xVt9L@h:5432/n",
        "postgres://u:p7RkQm 2xVt9L@h:5432/n",
        "postgres://u:p7RkQm%2xVt9L@h:5432/n",
        "postgres://u:p7RkQm2xVt9L@h:port/n",
        "postgres://u:p7RkQm2xVt9L@h:0/n",
        "postgres://u:p7RkQm2xVt9L@h:65536/n",
        "postgres://u:p7RkQm2xVt9L@h:/n",
        # django-environ takes a port for that of all hosts, libpq for that of one
        "postgres://u:p7RkQm2xVt9L@a:5433,b/n",
        "postgres://u:p7RkQm2xVt9L@a,b:5433/n",
        "postgres://u:p7RkQm2xVt9L@h/n?port=soon",
        "postgres://u:p7RkQm2xVt9L@h/n?CONNECT_TIMEOUT=5",
        "postgres://u:p7RkQm2xVt9L@h:5432",
        "postgres://u:p7RkQm2xVt9L@h:5432/",
        "postgres://u:p7RkQm2xVt9L@/n",
        "postgres://u@%2/n",
        "postgres://u:p7RkQm2xVt9L@a%2Db/n",
        "postgres://u:p7RkQm2xVt9L@::1/n",
        "postgres://u:p7RkQm2xVt9L@h/n?conn_max_age=60",
        "postgres://u:p7RkQm2xVt9L@h/n?sslmod=require",
        "postgres://u:p7RkQm2xVt9L@h/n#x",
        "postgres://u:p7RkQm2xVt9L@[::1/n",
        "sqlite://db.sqlite3",
        "sqlite:///",
        "sqlite:db.sqlite3",
        "postgres://u:p7RkQm2xVt9L@h/n?sslmode=",
        "postgres://u:p7RkQm2xVt9L@h/n?dbname=other",
        "postgres://u@h/n?password=p7RkQm2xVt9L",
        "postgres://u:p7RkQm2xVt9L%00@h/n",
        "postgres://u:12/2xVt9L@h",
        "postgres://u:p7RkQm]2xVt9L@h/n",
        "postgres://u:p7RkQm2xVt9L@h/n?application_name=50%",
    ],
)
def test_other_database_urls_are_refused_without_their_password(text: str) -> None:
    with pytest.raises(BadValueError) as caught:
        database(text)
    assert caught.value.problem.startswith(("is not", "has an unusable value of"))
    assert caught.value.instead
    assert "2xVt9L" not in caught.value.problem + caught.value.instead


@pytest.mark.parametrize("option", ["pool=1", "sslmode=on", "connect_timeout=soon", "client_encoding=LATIN1"])
def test_an_option_with_an_unusable_value_is_named(option: str) -> None:
    with pytest.raises(BadValueError, match=option.partition("=")[0]):
        database(f"postgres://u:p7RkQm2xVt9L@h/n?{option}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sqlite:///var/dev.sqlite3", str(BASE_DIR / "var/dev.sqlite3")),
        ("sqlite:////srv/todo.sqlite3", "/srv/todo.sqlite3"),
        ("sqlite:///a%20b.sqlite3", str(BASE_DIR / "a b.sqlite3")),
        ("sqlite://:memory:", ":memory:"),
    ],
)
def test_sqlite_paths_are_relative_to_the_backend(text: str, name: str) -> None:
    assert database(text) == {"ENGINE": "django.db.backends.sqlite3", "NAME": name}


@pytest.mark.parametrize(
    ("text", "backend", "port", "tls", "ssl"),
    [
        ("smtp://h", "smtp", 25, None, None),
        ("smtp://u:p@h:2525", "smtp", 2525, None, None),
        ("smtp+tls://u:p%40q@h", "smtp", 587, True, None),
        ("smtps://u:p@h:587", "smtp", 587, True, None),
        ("smtp+ssl://u:p@h", "smtp", 465, None, True),
        ("SMTP+TLS://u:p@h", "smtp", 587, True, None),
        ("consolemail://", "console", 25, None, None),
        ("dummymail://", "dummy", 25, None, None),
        ("memorymail://", "locmem", 25, None, None),
    ],
)
def test_mail_urls_are_read(*, text: str, backend: str, port: int, tls: bool | None, ssl: bool | None) -> None:
    found = email(text)
    assert found["EMAIL_BACKEND"] == f"django.core.mail.backends.{backend}.EmailBackend"
    assert (found["EMAIL_PORT"], found.get("EMAIL_USE_TLS"), found.get("EMAIL_USE_SSL")) == (port, tls, ssl)
    assert None not in (found["EMAIL_HOST"], found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"])


def test_mail_can_go_to_files() -> None:
    assert email("filemail:///var/mail/todo")["EMAIL_FILE_PATH"] == "/var/mail/todo"


@pytest.mark.parametrize(
    "text",
    [
        "mail.example.org", "http://h", "smtp:h", "smtp://", "smtp://:25", "smtp+tls://u:p7RkQm2xVt9L@h:465",
        "smtp://u:p7RkQm2xVt9L@h:x", "smtp://u:p/7RkQm2xVt9L@h", "smtp://u:p7RkQm2xVt9L@h/x",
        "smtp://u:p7RkQm2xVt9L@h?tls=true", "smtp://u:p%7zRkQm2xVt9L@h",
    ],
)  # fmt: skip
def test_other_mail_urls_are_refused_without_their_password(text: str) -> None:
    with pytest.raises(BadValueError) as caught:
        email(text)
    assert caught.value.instead
    assert "2xVt9L" not in caught.value.problem + caught.value.instead
