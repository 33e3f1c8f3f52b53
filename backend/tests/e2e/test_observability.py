"""What operators see of a running stack: one request id everywhere, Sentry, JSON, metrics over two replicas.

One stack for all of it; the tests that break something stand at the end.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import api, harness, watched
from tests.e2e.api import expect
from tests.e2e.harness import Client, Stack, say, wait_for

MONITORING = harness.REPOSITORY / "deploy" / "monitoring"
PANELS = json.loads((MONITORING / "dashboard.json").read_text())["panels"]


@pytest.fixture(scope="module")
def stack(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = watched.stack(
        checkout,
        tmp_path_factory.mktemp("watched"),
        LOGIN_FAILURES_PER_ACCOUNT="6",
        REQUESTS_PER_TOKEN="100",
        GUNICORN_WORKERS="2",
        SLOW_QUERY_MS="200",
    )
    with harness.standing(stack):
        say(f"two replicas were up after {stack.up('--build', '--scale', 'backend=2'):.0f} s")
        before = [each["Id"] for each in stack.containers()]
        try:
            watched.monitoring(stack, "up", "-d", "--build")
            assert [each["Id"] for each in stack.containers()] == before
            yield stack
        finally:
            watched.monitoring(stack, "down", "--volumes")


@pytest.fixture
def alice(client: Client) -> Client:
    return api.register(client)


# --- one id ---------------------------------------------------------------------------------------------------


def crash(client: Client, stack: Stack, request_id: str, **headers: str) -> harness.Answer:
    """Provoke a defect: a login while its table has another name."""
    watched.sql(stack, "ALTER TABLE common_ratecounter RENAME TO elsewhere")
    try:
        person = {"email": "alice@example.org", "password": "body-s3cret-password"}
        sent = {"X_Request_ID": request_id, "Referer": "https://localhost/?q=query-s3cret"} | headers
        return client.post("/api/v1/auth/login", person, **sent)
    finally:
        watched.sql(stack, "ALTER TABLE elsewhere RENAME TO common_ratecounter")


def test_one_id_leads_from_the_proxy_to_every_log_to_sentry_and_back(client: Client, stack: Stack) -> None:
    answer = crash(client, stack, "walk-the-chain")
    assert answer.status == 500
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == "walk-the-chain"

    def logged() -> bool:
        found = [line for line in watched.lines(stack, "backend") if line.get("request_id") == "walk-the-chain"]
        return {line["event"] for line in found} >= {"http.request", "unhandled_exception"}

    def proxied() -> list[dict[str, Any]]:
        return [line for line in watched.lines(stack, "proxy") if "walk-the-chain" in json.dumps(line)]

    wait_for("the access log and the application's", logged)
    assert [line["status"] for line in wait_for("the proxy's", proxied)] == [500]
    event = wait_for("the report", lambda: event_of(stack, "walk-the-chain"))
    assert "ProgrammingError" in json.dumps(event["exception"])


def event_of(stack: Stack, request_id: str) -> Any:
    events = [item["payload"] for item in watched.reported(stack) if item["type"] == "event"]
    return next((event for event in events if event.get("tags", {}).get("request_id") == request_id), None)


def test_a_job_that_a_request_has_deferred_logs_its_id(stack: Stack) -> None:
    watched.defer(stack, "api.purge_expired", "asked-for-a-job")

    def actions() -> set[str]:
        return {
            line["action"]
            for line in watched.lines(stack, "worker")
            if line.get("request_id") == "asked-for-a-job" and line["job"] == "api.purge_expired"
        }

    wait_for("the job's lines", lambda: actions() >= {"start_job", "job_success"})


# --- Sentry ---------------------------------------------------------------------------------------------------


def test_a_report_names_release_and_environment_and_nothing_that_is_secret(client: Client, stack: Stack) -> None:
    token = "todo_" + secrets.token_urlsafe(32)
    headers = {"Authorization": f"Bearer {token}", "Cookie": "__Host-session=cookie-s3cret", "X_Forwarded_For": "x"}
    assert crash(client, stack, "reported", **headers).status in (401, 500)
    assert crash(client, stack, "reported-too", Cookie="__Host-session=cookie-s3cret").status == 500
    event = wait_for("the report", lambda: event_of(stack, "reported-too"))
    version = expect(client.get("/version"), 200)
    assert event["environment"] == "prod"
    assert event["release"] == f"{version['version']}+{version['revision'][:12]}"
    assert event["request"]["method"] == "POST"
    assert "data" not in event["request"]
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert all(isinstance(frame["lineno"], int) and "vars" not in frame for frame in frames)
    everything = json.dumps(watched.reported(stack))
    for secret in (token, "cookie-s3cret", "body-s3cret", "query-s3cret", "alice@", watched.DSN_KEY):
        assert secret not in everything, secret


def test_timings_are_not_sent_unless_they_are_wanted(client: Client, stack: Stack) -> None:
    client.get("/version", sentry_trace=f"{'a' * 32}-{'b' * 16}-1")  # a caller who wants to be sampled
    # twice a minute the SDK counts what it has not sent
    assert {item["type"] for item in watched.reported(stack)} <= {"event", "client_report"}


def test_a_job_that_fails_for_good_is_reported_with_its_name(stack: Stack) -> None:
    watched.defer(stack, "todos.purge_trash", "asked-for-a-failure", last=True, timestamp="nonsense")
    event = wait_for("the report", lambda: event_of(stack, "asked-for-a-failure"))
    assert event["tags"]["job"] == "todos.purge_trash"
    assert event["exception"]["values"][-1]["type"] == "TypeError"


# --- logs -----------------------------------------------------------------------------------------------------


def test_every_line_of_every_process_of_ours_is_one_json_object(stack: Stack) -> None:
    failed = stack.execute("backend", "python", "manage.py", "shell", "-v0", "-c", "1 / 0", check=False)
    assert failed.returncode == 1
    said = [json.loads(line) for line in failed.stderr.splitlines() if line.startswith("{")]
    (ended,) = [line for line in said if line["event"] == "unhandled_exception"]
    assert "ZeroDivisionError" in ended["exception"]
    found = watched.lines(stack, "backend", "worker")
    assert {line["logger"] for line in found} >= {
        "todo_project.config",
        "todo_project.ops.management.commands.migrate_locked",
        "gunicorn.error",
        "gunicorn.access",
        "procrastinate.worker",
        "todo_project.api.problems",
    }
    events = [line["event"] for line in found]
    for step in ("no problem found", "migrat", "published into"):
        assert any(step in event for event in events), step
    crashed = next(line for line in found if line["event"] == "unhandled_exception")
    assert "Traceback" in crashed["exception"]
    assert all(json.loads(line) for line in stack.logs("proxy").splitlines() if line.strip())


def test_a_slow_statement_is_logged_with_its_request_and_without_its_values(alice: Client, stack: Stack) -> None:
    watched.sql(
        stack,
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END $$; "
        "CREATE TRIGGER slowly BEFORE INSERT ON todos_label FOR EACH ROW EXECUTE FUNCTION slowly()",
    )
    expect(alice.post("/api/v1/labels", {"name": "private-label"}, X_Request_ID="too-slow"), 201)
    watched.sql(stack, "DROP TRIGGER slowly ON todos_label")

    def line() -> Any:
        slow = [each for each in watched.lines(stack, "backend") if each["event"] == "database.slow_statement"]
        mine = [each for each in slow if each.get("request_id") == "too-slow"]
        # on a busy machine other statements may be slow, too
        inserts = [each for each in mine if "INSERT INTO" in each["statement"] and each["duration_ms"] >= 300]
        return next((each for each in inserts if "todos_label" in each["statement"]), None)

    found = wait_for("the line", line)
    assert found["duration_ms"] >= 300
    assert found["route"] == "/api/v1/labels"
    assert "private-label" not in stack.logs("backend")


# --- headers --------------------------------------------------------------------------------------------------

NOTHING = "default-src 'none'; frame-ancestors 'none'"
OWN = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
ALWAYS = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "status", "policy"),
    [
        ("/api/v1/me", 401, NOTHING),
        ("/api/openapi.json", 200, NOTHING),
        ("/api/docs/", 200, OWN),
        ("/admin/login/", 200, OWN),
        ("/health/live", 200, NOTHING),
        ("/version", 200, NOTHING),
        ("/static/{sheet}", 200, NOTHING),
        ("/static/nothing.css", 404, NOTHING),  # the backend's
        ("/media/letter.txt", 404, NOTHING),
        ("/nothing", 404, NOTHING),
        ("/metrics", 404, NOTHING),  # the proxy's own
    ],
)
def test_every_kind_of_page_carries_the_whole_set(client: Client, path: str, status: int, policy: str) -> None:
    if "{sheet}" in path:
        path = re.findall(r'href="(/static/admin/css/base\.[0-9a-f]+\.css)"', client.get("/admin/login/").text)[0]
    answer = client.get(path)
    assert answer.status == status
    wanted = ALWAYS | {"Content-Security-Policy": policy}
    assert {name: answer.headers.get_all(name) for name in wanted} == {name: [one] for name, one in wanted.items()}
    assert answer.headers["X-Request-ID"] or path.startswith("/static/")
    assert "Server" not in answer.headers
    assert "X-Powered-By" not in answer.headers


def test_a_body_that_the_proxy_refuses_carries_them_too(client: Client) -> None:
    # without the body: the proxy reads none, and may close the connection while one is being sent
    answer = client.request("POST", "/api/v1/tasks", Content_Length="1100000")
    assert answer.status == 413
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_cookies_are_for_this_host_over_tls_and_not_for_scripts(client: Client) -> None:
    person = {"email": f"{secrets.token_hex(6)}@example.org", "password": secrets.token_urlsafe(18)}
    expect(client.post("/api/v1/auth/register", person | {"name": "Alice"}), 201)
    answer = client.post("/api/v1/auth/login", person | {"session": True})
    cookies = {cookie.partition("=")[0]: cookie for cookie in answer.headers.get_all("Set-Cookie", [])}
    assert set(cookies) == {"__Host-session", "__Host-csrf"}
    for cookie in cookies.values():
        assert {"Secure", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain=" not in cookie
    assert "HttpOnly" in cookies["__Host-session"]  # scripts must read the other one to send it back


# --- limits ---------------------------------------------------------------------------------------------------


def test_login_failures_are_counted_over_workers_and_replicas(stack: Stack) -> None:
    backends = watched.replicas(stack)

    def fail() -> list[harness.Answer]:
        wrong = {"email": f"{secrets.token_hex(4)}@example.org", "password": "not the password"}
        return [backends[number % 2].post("/api/v1/auth/login", wrong) for number in range(12)]

    answers = harness.within_a_window(15 * 60, fail)
    assert [answer.status for answer in answers] == [401] * 6 + [429] * 6
    for answer in answers[6:]:
        assert 1 <= int(answer.headers["Retry-After"]) <= 900
        assert answer.headers["RateLimit"] == f'"too_many_failures";r=0;t={answer.headers["Retry-After"]}'
    # another account from the same address is not concerned
    other = {"email": "other@example.org", "password": "not the password"}
    assert backends[0].post("/api/v1/auth/login", other).status == 401


def test_requests_of_a_token_are_counted_over_workers_and_replicas(client: Client, stack: Stack) -> None:
    backends = watched.replicas(stack)

    def ask() -> list[harness.Answer]:
        person = api.register(client)
        return [backends[number % 2].get("/api/v1/me", **person.headers) for number in range(110)]

    answers = harness.within_a_window(60, ask)
    allowed = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 429]
    assert len(allowed) + len(refused) == 110
    # four processes: each may hold a slice of two that it has not used up
    assert 100 - 3 * 2 <= len(allowed) <= 100
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"requests";q=100;w=60'}
    left = [int(re.findall(r"r=(\d+)", answer.headers["RateLimit"])[0]) for answer in allowed]
    assert left[0] > 90 > left[-1]
    assert all("r=0;" in answer.headers["RateLimit"] and answer.headers["Retry-After"] for answer in refused)


# --- secrets --------------------------------------------------------------------------------------------------


def test_no_secret_of_a_request_is_in_any_log_or_report(client: Client, alice: Client, stack: Stack) -> None:
    names = ("cookie", "query", "body", "basic", "csrf", "row", "title", "job")
    marks = {name: f"s3cret-{name}-{secrets.token_hex(8)}" for name in names}
    token = "todo_" + secrets.token_urlsafe(32)
    headers = {
        "Cookie": f"__Host-session={marks['cookie']}; __Host-csrf={marks['csrf']}",
        "X_CSRFToken": marks["csrf"],
        "Proxy_Authorization": f"Basic {marks['basic']}",
        "Referer": f"https://localhost/feeds/{token}?key={marks['query']}",
    }
    bodies = [{"email": "alice@example.org", "password": marks["body"]}, {"token": marks["body"]}, [marks["body"]]]
    for path in (
        f"/api/v1/auth/login?password={marks['query']}",
        f"/admin/login/?token={marks['query']}",
        f"/{token}",
    ):
        for body in bodies:
            client.post(path, body, Authorization=f"Bearer {token}", **headers)
        client.get(path, Authorization=f"Basic {marks['basic']}", **headers)
    crash(client, stack, "with-secrets", Authorization=f"Basic {marks['basic']}", **headers)
    # a password that is right, a token that is valid and what it wrote stay out, too
    expect(alice.post("/api/v1/tasks", {"title": marks["body"]}), 201)
    # PostgreSQL's errors about a row: by default its log has the row and the statement with its values
    expect(alice.post("/api/v1/labels", {"name": marks["row"]}), 201)
    expect(alice.post("/api/v1/labels", {"name": marks["row"]}), 409)
    with pytest.raises(AssertionError, match="violates check"):
        watched.sql(stack, "UPDATE todos_label SET color = 'none'")
    wait_for("the database's errors", lambda: "violates check" in stack.logs("db"))
    assert "duplicate key" in stack.logs("db")
    fail_on_rows(stack, alice, marks)
    for service in ("backend", "proxy"):
        wait_for(f"the line of {service}", lambda name=service: "with-secrets" in stack.logs(name))
    wait_for("the report", lambda: event_of(stack, "with-secrets"))
    said = stack.logs().splitlines() + [json.dumps(item) for item in watched.reported(stack)]
    values = dict(
        line.split("=", 1)
        for line in (stack.checkout / str(stack.env_file)).read_text().splitlines()
        if "=" in line and not line.startswith("#")
    )
    configured = {name: values[name] for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "METRICS_TOKEN")}
    planted = marks | configured | {"token": token, "valid": alice.headers["Authorization"], "dsn": watched.DSN_KEY}
    for name, secret in planted.items():
        assert [line for line in said if secret.removeprefix("Bearer ") in line] == [], name
    assert any("with-secrets" in line for line in said)


def fail_on_rows(stack: Stack, alice: Client, marks: dict[str, str]) -> None:
    """Let a request and a job fail with errors of the database that quote a row."""
    watched.sql(stack, "CREATE UNIQUE INDEX planted ON todos_task (title) WHERE title LIKE 's3cret-title%'")
    watched.sql(
        stack,
        "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE unique_violation USING MESSAGE = 'planted', DETAIL = '{marks['job']}'; END $$; "
        "CREATE TRIGGER planted BEFORE DELETE ON common_idempotencyrecord EXECUTE FUNCTION planted()",
    )
    for status in (201, 500):
        expect(alice.post("/api/v1/tasks", {"title": marks["title"]}), status)
    watched.defer(stack, "api.purge_expired", "fails-on-a-row", last=True, timestamp=0)
    wait_for("the job's error", lambda: "planted" in stack.logs("worker"))
    assert r"violates unique constraint \"planted\"" in stack.logs("backend")
    watched.sql(stack, "DROP INDEX planted; DROP FUNCTION planted CASCADE")


# --- metrics --------------------------------------------------------------------------------------------------


def test_prometheus_scrapes_every_replica_and_knows_the_rules(stack: Stack) -> None:
    def healthy() -> bool:
        targets = watched.prometheus(stack, "targets?state=active")["activeTargets"]
        return len(targets) == 2 and all(target["health"] == "up" for target in targets)

    wait_for("both replicas in Prometheus", healthy, interval=1)
    groups = watched.prometheus(stack, "rules")["groups"]
    assert {group["name"] for group in groups} == {"todo-recorded", "todo-alerts"}
    assert all(rule["health"] in ("ok", "unknown") for group in groups for rule in group["rules"])
    assert watched.monitoring(stack, "exec", "-T", "prometheus", "id", "-u") == "65534"


def test_counts_add_up_over_workers_and_replicas(stack: Stack, client: Client) -> None:
    def count() -> float:
        answer = watched.query(stack, 'sum(http_requests_total{route="/version", status="200"})')
        return float(answer[0]["value"][1]) if answer else 0.0

    before = watched.requests_counted(stack, "/version")
    for backend in watched.replicas(stack):
        for _ in range(30):
            assert backend.get("/version").status == 200
    for _ in range(40):
        assert client.get("/version").status == 200
    wait_for("100 more", lambda: count() == before + 100, interval=1)
    by_instance = watched.query(stack, 'sum by (instance) (http_requests_total{route="/version"})')
    assert len(by_instance) == 2
    # values that all replicas share are counted once
    for expression, value in (
        ("max(queue_workers)", "1"),
        ("count(worker_memory_bytes > 1e6)", "4"),
        ("sum(http_requests_in_flight)", "0"),
    ):
        # a scrape may see a probe in flight, or a worker that has only just begun
        seen = lambda one=expression: watched.query(stack, one)[0]["value"][1]  # noqa: E731 - one use
        wait_for(f"{expression} = {value}", lambda seen=seen, value=value: seen() == value, interval=1)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_the_dashboards_queries_give_series(stack: Stack, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        expression = target["expr"].replace("$__rate_interval", "5m")
        found: list[dict[str, Any]] = []
        if "backup" not in expression:  # the backup's age comes with the first backup
            # a rule is evaluated every 15 seconds
            found = wait_for(expression, lambda one=expression: watched.query(stack, one), interval=1)
        names = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert all(names <= set(series["metric"]) for series in found), target


# --- without Sentry --------------------------------------------------------------------------------------------


def test_a_sentry_that_is_slow_or_away_holds_nobody_up(client: Client, stack: Stack) -> None:
    # whoever waited for a report would get an error of the proxy's, after 100 seconds
    watched.sentry(stack).post("/slow?300")
    assert [crash(client, stack, f"slow-{number}").status for number in range(5)] == [500] * 5
    assert client.get("/version").status == 200
    stack.compose("stop", "sentry")
    stack.compose("restart", "--timeout", "3", "worker")
    wait_for("the worker without Sentry", lambda: stack.health("worker") == "healthy")
    assert crash(client, stack, "away").status == 500
