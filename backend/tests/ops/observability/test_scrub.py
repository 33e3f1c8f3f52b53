"""No secret may reach a log or a report, however it is written."""

from __future__ import annotations

from typing import Any

import pytest

from todo_project.ops.observability.scrub import HIDDEN, scrub, scrub_text

TOKEN = "todo_" + "Ab3-_" * 8


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token {TOKEN} refused", TOKEN),
        (f"GET /feeds/{TOKEN}.ics", TOKEN),
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        ("Authorization: Basic YWxpY2U6c2VjcmV0", "YWxpY2U6c2VjcmV0"),
        ("Cookie: __Host-session=abc123; other=1", "abc123"),
        ("set-cookie: sessionid=abc123; Path=/", "abc123"),
        ("{'Cookie': 'a=abc123', 'Host': 'x'}", "abc123"),
        ("connecting to postgres://todo_user:p%40ss%2Fword@db:5432/todo_db", "p%40ss"),
        ("postgres://todo_user:hunter2@db/todo_db failed", "hunter2"),
        ("smtp+tls://user:a@b@mail:587", "a@b"),
        ("host=db user=todo_user password=hunter2 dbname=todo_db", "hunter2"),
        ('{"email": "a@example.org", "password": "correct horse battery"}', "horse"),
        ("SECRET_KEY='abc def'", "abc def"),
        ("POSTGRES_PASSWORD=hunter2", "hunter2"),
        ("METRICS_TOKEN=hunter2", "hunter2"),
        ("csrfmiddlewaretoken=hunter2&next=/", "hunter2"),
        ('"new_password":"hunter2"', "hunter2"),
        ("Forbidden (Referer checking failed - https://evil.example/a?key=hunter2 does not match)", "hunter2"),
    ],
)
def test_secrets_in_text_are_hidden(text: str, secret: str) -> None:
    clean = scrub_text(text)
    assert secret not in clean
    assert HIDDEN in clean


@pytest.mark.parametrize(
    "text",
    [
        "DETAIL:  Key (email)=(hunter2@example.org) already exists.",
        "DETAIL:  Failing row contains (1, two\nlines, hunter2).",
        "CONTEXT:  COPY accounts_user, line 1: hunter2",
        'invalid input syntax for type uuid: "hunter2"',
        "invalid input value for enum procrastinate_job_status: \"hunter2\"\nLINE 1: SELECT 'hunter2'",
        'date/time field value out of range: "hunter2"',
        'value "hunter2" is out of range for type integer',
    ],
)
def test_the_values_in_a_databases_errors_are_hidden(text: str) -> None:
    traceback = f"psycopg.Error: first\n{text}\n\nThe above exception was the direct cause of the following\nlast"
    clean = scrub_text(traceback)
    assert "hunter2" not in clean
    assert clean.startswith("psycopg.Error: first\n")
    if "is out of range" not in text:
        assert clean.endswith(f"{HIDDEN}\n\nThe above exception was the direct cause of the following\nlast")
    assert "hunter2" not in scrub_text(text)


def test_what_a_databases_error_is_about_stays() -> None:
    text = 'duplicate key value violates unique constraint "accounts_user_email_key"\nDETAIL:  Key (email)=(x) is.'
    assert scrub_text(text) == f"{text.partition('DETAIL')[0]}DETAIL: {HIDDEN}"


@pytest.mark.parametrize(
    "text",
    [
        "todo_project.ops.health.readiness is ready",
        "database todo_db on db:5432, user todo_user",
        "GET /api/v1/tasks?limit=50 took 12 ms",
        "https://todo.example.org/api/docs/",
        "the token has expired",
        "alice@example.org logged in",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert scrub_text(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "HTTP_AUTHORIZATION",
        "HTTP_COOKIE",
        "Set-Cookie",
        "token",
        "METRICS_TOKEN",
        "SECRET_KEY",
        "X-CSRFToken",
        "sessionid",
        "SENTRY_DSN",
        "DATABASE_URL",
        "api_key",
        "credentials",
    ],
)
def test_values_are_hidden_by_their_names(name: str) -> None:
    assert scrub({"outer": [{name: "hunter2"}]}) == {"outer": [{name: HIDDEN}]}


@pytest.mark.parametrize("name", ["token_id", "task", "author", "key", "dsnail", "title", "passed"])
def test_harmless_names_are_not(name: str) -> None:
    assert scrub({name: "value"}) == {name: "value"}


def test_kinds_of_values_survive() -> None:
    value: dict[str, Any] = {"a": 1, "b": 1.5, "c": None, "d": True, "token": None, "has_token": True, "e": ("x",)}
    assert scrub(value) == value | {"e": ["x"]}
    assert scrub({"when": ValueError("password=hunter2")}) == {"when": f"password={HIDDEN}"}


def test_depth_has_an_end() -> None:
    value: list[Any] = []
    value.append(value)
    assert HIDDEN in str(scrub(value))


@pytest.mark.parametrize(
    "piece",
    [
        *("todo_", "://", "password=", "password", "://a:", "bearer ", "cookie:", "cookie "),
        *("a_", '"password":"', "'", "DETAIL: ", "invalid input syntax for ", 'value "', "out of range: "),
    ],
)
def test_hostile_text_is_scrubbed_to_its_end(piece: str) -> None:
    """A pattern that backtracks would take hours for each of these."""
    scrub_text(piece * 20_000)
    assert "hunter2" not in scrub_text(f"{piece * 20_000}\npassword=hunter2")
