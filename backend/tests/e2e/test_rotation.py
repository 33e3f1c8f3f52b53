"""Secrets are replaced while people are logged in, and the doctor examines the stack from inside.

The tests build on each other, in the order of this file.
"""

from __future__ import annotations

import json
import secrets
import sys
from typing import Any

import pytest

from tests.e2e import api, harness
from tests.e2e.api import expect
from tests.e2e.harness import Answer, Client, Stack, wait_for

SIGN = "from django.core.signing import dumps; print(dumps('reset of alice', salt='links'))"
READ = "from django.core.signing import loads; print(loads('{}', salt='links'))"


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
    levels = {(finding["check"], finding["level"]) for finding in result["findings"]}

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
    site = [finding["message"] for finding in result["findings"] if finding["check"] == "site"]
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


def test_a_new_password_of_the_database_holds_and_the_old_one_does_not(
    stack: Stack, client: Client, alice: Client
) -> None:
    before = values(stack)["POSTGRES_PASSWORD"]

    rotate(stack, "database-password")

    now = values(stack)["POSTGRES_PASSWORD"]
    assert now != before
    assert lets_in(stack, now)
    assert not lets_in(stack, before)
    api.ready(client)
    assert expect(alice.get("/api/v1/me"), 200)["name"] == "Alice"
    said = stack.logs()
    assert now not in said
    assert before not in said


def lets_in(stack: Stack, password: str) -> bool:
    login = 'PGPASSWORD=$1 psql -w -h "$(hostname -i)" -U todo_user -d todo_db -c "SELECT 1"'
    return stack.execute("db", "sh", "-c", login, "sh", password, check=False).returncode == 0
