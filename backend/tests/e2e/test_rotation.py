"""Secrets are replaced while people are logged in; SQL cannot touch the server; the doctor examines the stack.

The tests build on each other, in the order of this file.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import api, harness, load
from tests.e2e.api import expect
from tests.e2e.harness import Answer, Client, Stack, wait_for
from tests.ownership import FOREIGN

SIGN = "from django.core.signing import dumps; print(dumps('reset of alice', salt='links'))"
READ = "from django.core.signing import loads; print(loads('{}', salt='links'))"


ROLES = ("todo_user", "todo_user_b")
# What an older release, and an operator at its prompt, left in a volume whose superuser was todo_user.
OF_OLD = """
CREATE TABLE old_notes (id bigint GENERATED ALWAYS AS IDENTITY, number serial, text varchar);
CREATE VIEW old_titles AS SELECT text FROM old_notes;
CREATE TYPE old_kind AS ENUM ('a', 'b');
CREATE FUNCTION old_sum(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b';
CREATE SCHEMA old_reports;
"""
SERVER = [
    "COPY django_site FROM PROGRAM 'id'",
    "COPY django_migrations TO '/tmp/migrations'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "ALTER SYSTEM SET log_statement = 'all'",
    "CREATE ROLE mallory SUPERUSER",
    "ALTER ROLE postgres PASSWORD 'mallory'",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SELECT rolpassword FROM pg_authid",
    "CREATE EXTENSION file_fdw",
    "CREATE FUNCTION mallory() RETURNS int LANGUAGE c AS 'libc', 'getpid'",
]


@pytest.fixture(scope="module")
def stack(checkout: Path) -> Iterator[Stack]:
    """Production on a volume that an older release made, with a database that a restore has replaced."""
    stack = harness.deployed(checkout, "prod", REQUESTS_PER_TOKEN="0")
    with harness.standing(stack):
        stack.up("--wait", "db")
        psql(stack, "CREATE DATABASE todo_db_before_20260101t000000z")
        for database in ("todo_db", "todo_db_before_20260101t000000z"):
            psql(stack, OF_OLD, database=database)
        stack.up("--build")
        yield stack


def psql(
    stack: Stack, statement: str, *, role: str = "todo_user", database: str = "todo_db", check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run statements as somebody in the container of the database, where no password is asked."""
    command = ("psql", "-X", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", role, "-d", database, "-Atqc")
    return stack.execute("db", *command, statement, check=check)


def test_the_volume_of_an_older_release_gets_an_ordinary_role_that_owns_everything(stack: Stack) -> None:
    superusers = psql(stack, "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper OR rolcreaterole")
    assert superusers.stdout.strip() == "postgres"
    owners = "SELECT string_agg(DISTINCT datdba::regrole::text, ' ') FROM pg_database WHERE datname LIKE 'todo_db%'"
    assert psql(stack, owners).stdout.strip() == "todo_user"
    for database in ("todo_db", "todo_db_before_20260101t000000z"):
        assert psql(stack, FOREIGN, database=database).stdout.strip() == "0"
    password = values(stack)["POSTGRES_PASSWORD"]
    assert [lets_in(stack, role, password) for role in (*ROLES, "postgres")] == [True, True, False]


@pytest.mark.parametrize("role", ROLES)
def test_sql_as_the_backend_cannot_touch_the_server(stack: Stack, role: str) -> None:
    done = {statement: psql(stack, statement, role=role, check=False) for statement in SERVER}
    allowed = [statement for statement, each in done.items() if not re.search("permission denied", each.stderr)]
    assert allowed == []
    mine = "CREATE TABLE mine (id int); SELECT tableowner FROM pg_tables WHERE tablename = 'mine'; DROP TABLE mine"
    assert psql(stack, mine, role=role).stdout.strip() == "todo_user"
    passwords = psql(stack, "SELECT pooler_login('todo_user')", role=role, database="postgres", check=False)
    assert "permission denied" in passwords.stderr


@pytest.fixture(scope="module")
def browser(client: Client) -> Client:
    """Somebody who is logged in with the session cookie."""
    person = {"email": f"{secrets.token_hex(6)}@example.org", "password": secrets.token_urlsafe(18)}
    expect(client.post("/api/v1/auth/register", person | {"name": "Bob"}), 201)
    csrf = client.get("/api/v1/auth/csrf")
    cookie = str(csrf.headers["Set-Cookie"]).partition(";")[0]
    headers = {"Cookie": cookie, "X_CSRFToken": csrf.json()["csrf_token"], "Referer": f"https://{address(client)}/"}
    answer = client.post("/api/v1/auth/login", person | {"session": True}, **headers)
    assert answer.status == 200, answer.text
    return Client(client.host, client.port, client.tls, {"Cookie": cookies(answer)})


def address(client: Client) -> str:
    return f"{client.host}:{client.port}"


def values(stack: Stack) -> dict[str, str]:
    lines = (stack.checkout / str(stack.env_file)).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def rotate(stack: Stack, *arguments: str) -> dict[str, Any]:
    command = str(stack.checkout / "deploy/release/rotate")
    done = harness.run(sys.executable, command, "prod", *arguments, "--json")
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["ok"]
    return result


def shell(stack: Stack, program: str, *, check: bool = True) -> str:
    done = stack.execute(
        "backend", "python", "manage.py", "shell", "--verbosity=0", "--command", program, check=check
    )
    return (done.stdout.strip().splitlines() or [""])[-1]


def test_the_doctor_finds_nothing_wrong_and_says_what_it_cannot_see(stack: Stack, client: Client) -> None:
    wait_for("a worker", lambda: stack.health("worker") == "healthy")
    wait_for("the first backup", lambda: '"backup.created"' in stack.logs("backup"), interval=1)
    done = wait_for("a good doctor", lambda: stack.execute("backend", "python", "manage.py", "doctor", "--json"))
    result = json.loads(done.stdout)
    levels = {(diagnosis["check"], diagnosis["level"]) for diagnosis in result["findings"]}

    assert result["ok"]
    assert {check for check, _ in levels} >= {
        "volumes",
        "disk",
        "site",
        "certificate",
        "connections",
        "clock",
        "worker",
    }
    site = [diagnosis["message"] for diagnosis in result["findings"] if diagnosis["check"] == "site"]
    # https://localhost leads nowhere in a container; the proxy beside it is asked under that name
    assert len(site) == 2, site
    assert all("asked the proxy container" in each for each in site)
    assert ("certificate", "warning") in levels  # of the proxy's own authority


def test_the_doctor_notices_a_volume_that_cannot_be_written(stack: Stack) -> None:
    program = (
        "from django.conf import settings; from django.core.management import call_command; "
        "settings.MEDIA_ROOT = '/etc'; call_command('doctor')"
    )
    done = stack.execute("backend", "python", "manage.py", "shell", "--verbosity=0", "-c", program, check=False)

    assert done.returncode == 1
    assert "/etc cannot be written: Read-only file system" in done.stdout


def cookies(answer: Answer) -> str:
    return "; ".join(each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie", []))


@pytest.fixture(scope="module")
def link(stack: Stack) -> str:
    """Something that was signed with the first key and given away."""
    return shell(stack, SIGN)


def test_a_new_key_logs_nobody_out(stack: Stack, client: Client, alice: Client, browser: Client, link: str) -> None:
    before = values(stack)["SECRET_KEY"]
    assert expect(browser.get("/api/v1/me"), 200)["name"] == "Bob"

    assert rotate(stack, "secret-key")["step"] == "done"

    assert values(stack)["SECRET_KEY"] != before
    assert values(stack)["SECRET_KEY_FALLBACKS"] == before
    api.ready(client)
    answer = browser.get("/api/v1/me")
    assert expect(answer, 200)["name"] == "Bob"
    browser.headers["Cookie"] = cookies(answer)  # signed with the new key from now on
    assert expect(browser.get("/api/v1/me"), 200)["name"] == "Bob"
    assert expect(alice.get("/api/v1/me"), 200)["name"] == "Alice"
    assert shell(stack, READ.format(link)) == "reset of alice"


def test_a_retired_key_is_void_for_what_it_signed_and_nothing_else(
    stack: Stack, client: Client, alice: Client, browser: Client, link: str
) -> None:
    assert rotate(stack, "secret-key", "--retire")["step"] == "retired"

    assert "SECRET_KEY_FALLBACKS" not in values(stack)
    api.ready(client)
    assert expect(browser.get("/api/v1/me"), 200)["name"] == "Bob"
    assert expect(alice.get("/api/v1/me"), 200)["name"] == "Alice"
    assert shell(stack, READ.format(link), check=False) != "reset of alice"


def test_a_new_password_costs_no_request_even_if_the_command_is_killed(
    stack: Stack, client: Client, alice: Client
) -> None:
    before = values(stack)
    with load.running(alice) as seen:
        kill_when(stack, lambda: "POSTGRES_ROLE" in values(stack))
        begun = values(stack)
        rotate(stack, "database-password")
        wait_for("people who use it", lambda: seen.sent > 100)

    now = values(stack)
    assert seen.failures == []
    assert (now["POSTGRES_ROLE"], now["POSTGRES_PASSWORD"]) == ("todo_user_b", begun["POSTGRES_PASSWORD"])
    assert [lets_in(stack, role, now["POSTGRES_PASSWORD"]) for role in ROLES] == [True, True]
    assert [lets_in(stack, role, before["POSTGRES_PASSWORD"]) for role in ROLES] == [False, False]
    assert load.lost(stack, seen) == set()
    said = stack.logs()
    assert now["POSTGRES_PASSWORD"] not in said
    assert before["POSTGRES_PASSWORD"] not in said


def test_a_backup_from_before_is_restored_with_the_new_login(stack: Stack, client: Client) -> None:
    restore = str(stack.checkout / "deploy/backup/restore")
    harness.run(sys.executable, restore, "prod", "latest", "--replace", "--no-safety-backup")
    assert psql(stack, FOREIGN).stdout.strip() == "0"
    api.register(client)
    harness.run(sys.executable, restore, "prod", "--undo")
    assert psql(stack, "SELECT count(*) > 0 FROM todos_task WHERE title LIKE 'load %'").stdout.strip() == "t"


def kill_when(stack: Stack, reached: Callable[[], bool]) -> None:
    """Start a rotation of the password, and kill it and all that it started at a certain point."""
    command = (sys.executable, str(stack.checkout / "deploy/release/rotate"), "prod", "database-password")
    running = subprocess.Popen(
        command,
        env=harness.environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("the point at which to kill", reached)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def lets_in(stack: Stack, role: str, password: str) -> bool:
    login = 'PGPASSWORD=$1 psql -w -h "$(hostname -i)" -U "$2" -d todo_db -c "SELECT 1"'
    return stack.execute("db", "sh", "-c", login, "sh", password, role, check=False).returncode == 0
