"""The production stack by the command of the README, walked from the first start to the data after a restart.

The tests build on each other, in the order of this file; staging is started beside production at the end.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_every_variable import given
from tests.e2e import api, harness
from tests.e2e.api import expect
from tests.e2e.harness import Client, Stack, say, wait_for
from todo_project.config.schema import GROUPS, VARIABLES

SERVICES = ("db", "backend", "worker", "proxy", "backup")
# What names a server that this stack lacks, or must not be set beside another variable.
ELSEWHERE = re.compile(r"DATABASE_.*URL|SENTRY_DSN|BACKUP_(REPOSITORY|S3|AGE|GPG|IDENTITY).*")


def lines_of(stack: Stack) -> dict[str, str]:
    """Return the variables of the env file."""
    text = (stack.checkout / str(stack.env_file)).read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def written(lines: dict[str, str], path: Path) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    path.chmod(0o600)


@pytest.fixture(scope="module")
def stack(checkout: Path) -> Iterator[Stack]:
    """Production with every variable set at once."""
    stack = harness.deployed(checkout, "prod", PROXY_TAG=harness.IMAGE_TAG)
    names = {row.name for row in VARIABLES if not ELSEWHERE.fullmatch(row.name)}
    lines = given(names, lines_of(stack)) | {"PROXY_TAG": harness.IMAGE_TAG}
    assert set(lines) >= names
    written(lines, checkout / str(stack.env_file))
    with harness.standing(stack):
        say(f"production was up after {stack.up('--build'):.0f} s, images included")
        yield stack


@pytest.mark.parametrize("group", GROUPS)
def test_a_container_accepts_each_group_of_variables(stack: Stack, tmp_path: Path, group: str) -> None:
    path = tmp_path / "prod.env"
    written(given({row.name for row in GROUPS[group]}, lines_of(stack)) | {"ENV_FILE": str(path)}, path)
    checking = Stack(stack.project, stack.checkout, (), str(path))
    command = ("--entrypoint", "python", "backend", "-m", "todo_project.config", "check")
    done = checking.compose("run", "--rm", "--no-deps", "-T", *command, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_becomes_healthy(stack: Stack) -> None:
    for service in SERVICES:
        wait_for(f"a healthy {service}", lambda name=service: stack.health(name) == "healthy")


def test_it_starts_in_order(stack: Stack) -> None:
    started = [stack.containers(name)[0]["State"]["StartedAt"] for name in ("db", "backend", "worker")]
    assert started == sorted(started)
    wait_for("four workers", lambda: stack.logs("backend").count("Booting worker") >= 4)
    # by their own times: the engine collects stdout and stderr independently
    said = "".join(sorted(stack.logs("backend").splitlines(), key=lambda line: str(json.loads(line)["timestamp"])))
    steps = [said.index(text) for text in ("no problem found", "migrating:", "published into", "Booting worker")]
    assert steps == sorted(steps)
    assert "migrating" not in stack.logs("worker")


def test_the_health_pages_answer_through_tls_of_the_proxys_own_authority(client: Client) -> None:
    assert expect(client.get("/health/live"), 200)["status"] == "ok"
    assert set(api.ready(client)["checks"].values()) == {"ok"}


def test_plain_http_leads_to_what_people_type(stack: Stack) -> None:
    port = stack.variables["HTTPS_PORT"]
    answer = Client("localhost", int(stack.variables["HTTP_PORT"])).get("/admin/?next=1")
    assert (answer.status, answer.headers["Location"]) == (308, f"https://localhost:{port}/admin/?next=1")


def test_a_foreign_host_is_refused_by_the_application(client: Client) -> None:
    answer = client.get("/api/v1/tasks", Host="evil.example")
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_nothing_is_published_but_the_proxy(stack: Stack) -> None:
    for service in SERVICES:
        published = {port for port, at in stack.containers(service)[0]["NetworkSettings"]["Ports"].items() if at}
        assert bool(published) == (service == "proxy"), (service, published)


@pytest.mark.parametrize("service", SERVICES)
def test_it_runs_without_privileges_on_a_read_only_file_system(stack: Stack, service: str) -> None:
    user = stack.execute(service, "id", "-u").stdout.strip()
    assert user == ("999" if service == "db" else "10001")
    assert stack.execute(service, "touch", "/etc/planted", check=False).returncode != 0
    status = stack.execute(service, "cat", "/proc/1/status").stdout
    assert re.search(r"^CapEff:\s+0+$", status, re.M), status
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)


def test_the_application_cannot_write_its_own_code(stack: Stack) -> None:
    assert stack.execute("backend", "touch", "/app/manage.py", check=False).returncode != 0
    stack.execute("backend", "touch", "/app/media/probe", "/app/staticfiles/probe", "/dev/shm/probe")  # noqa: S108 - of the container


def test_the_database_has_no_way_out(stack: Stack) -> None:
    networks = stack.containers("db")[0]["NetworkSettings"]["Networks"]
    assert list(networks) == [f"{stack.project}_database"]
    assert (
        not networks[f"{stack.project}_database"]["Gateway"]
        or json.loads(harness.run("docker", "network", "inspect", f"{stack.project}_database").stdout)[0][
            "Internal"
        ]
    )


def test_people_register_log_in_and_keep_tasks(alice: Client) -> None:
    task = expect(alice.post("/api/v1/tasks", {"title": "Buy milk", "due": {"date": "2026-12-24"}}), 201)
    assert task["due"] == {"date": "2026-12-24"}
    done = expect(alice.post(f"/api/v1/tasks/{task['id']}/complete"), 200)
    assert done["completed_at"].endswith("Z")
    assert api.titles(alice) == {"Buy milk"}
    assert expect(alice.get("/api/v1/me"), 200)["name"] == "Alice"


def test_strangers_see_nothing(client: Client, alice: Client) -> None:
    task = expect(alice.get("/api/v1/tasks"), 200)["results"][0]
    assert client.get("/api/v1/tasks").status == 401
    assert api.register(client).get(f"/api/v1/tasks/{task['id']}").status == 404


def test_files_of_other_programs_are_imported_and_a_second_time_changes_nothing(alice: Client) -> None:
    for name, calendar in api.CALENDARS.items():
        first = expect(alice.upload("/api/v1/imports/ics", name, calendar.replace("\n", "\r\n").encode()), 201)
        assert (first["created"], first["updated"], first["skipped"]) == (1, 0, [])
        again = expect(alice.upload("/api/v1/imports/ics", name, calendar.replace("\n", "\r\n").encode()), 201)
        assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 1)
    assert api.titles(alice) >= {
        "Water the lemon tree",
        "Return the library books",
        "Pay the rent and look at what the statement says",
    }


def test_the_admin_and_its_files_are_served(client: Client) -> None:
    page = client.get("/admin/login/")
    assert page.status == 200
    sheet = re.search(r'href="(/static/admin/css/base\.[0-9a-f]+\.css)"', page.text)
    assert sheet
    answer = client.get(sheet[1], Accept_Encoding="br")
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == "br"
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_request_keeps_its_id_from_the_proxy_to_the_log(client: Client, stack: Stack) -> None:
    answer = client.get("/api/v1/me", X_Request_ID="e2e-follow-me")
    assert answer.headers["X-Request-ID"] == "e2e-follow-me"
    assert answer.json()["request_id"] == "e2e-follow-me"
    for service in ("proxy", "backend"):
        wait_for(f"the id in the log of {service}", lambda name=service: "e2e-follow-me" in stack.logs(name))


def test_the_metrics_are_not_for_the_outside(client: Client) -> None:
    assert client.get("/metrics").status == 404


def has_been_read(stack: Stack, port: int) -> bool:
    """Return whether a process of the backend has accepted the connection from a port and read all that came."""
    rows = [line.split() for line in stack.execute("backend", "cat", "/proc/net/tcp").stdout.splitlines()[1:]]
    # https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html: the other end, the queues, the inode
    mine = [row for row in rows if row[2].endswith(f":{port:04X}")]
    return any(row[4].endswith(":00000000") and row[9] != "0" for row in mine)


def test_a_request_in_flight_is_finished_when_the_service_stops(stack: Stack, client: Client) -> None:
    address = stack.containers("backend")[0]["NetworkSettings"]["Networks"][f"{stack.project}_default"]["IPAddress"]
    body = json.dumps({"email": "nobody@example.org", "password": "not the password"}).encode()
    head = (
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    with socket.create_connection((address, 8000), timeout=120) as connection:
        connection.sendall(head + body[:10])
        wait_for("a process that has it", lambda: has_been_read(stack, connection.getsockname()[1]))
        stopping = threading.Thread(target=stack.compose, args=("stop", "backend"))
        stopping.start()
        wait_for("the stop", lambda: "Handling signal: term" in stack.logs("backend"))
        connection.sendall(body[10:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    stopping.join()
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401")), answer[:200]
    assert stack.containers("backend")[0]["State"]["ExitCode"] == 0
    stack.up()
    api.ready(client)


def test_a_static_volume_of_another_release_never_wins(stack: Stack, client: Client) -> None:
    sheet = re.search(r"/static/(admin/css/base\.[0-9a-f]+\.css)", client.get("/admin/login/").text)
    assert sheet
    original = client.get(f"/static/{sheet[1]}", Accept_Encoding="identity").body
    # newer by its date and wrong by its content; a file of a release before; and the mark of this build gone
    stack.execute(
        "backend", "sh", "-c", f"cd staticfiles && echo tampered >{sheet[1]} && touch -d 2040-01-01 {sheet[1]}"
    )
    stack.execute(
        "backend", "sh", "-c", "cd staticfiles && echo old >admin/old.0123456789ab.css && rm build-*.json"
    )
    assert client.get(f"/static/{sheet[1]}", Accept_Encoding="identity").body != original
    # an answer is kept for a second, and the container's own check may have asked just before
    wait_for("the end of readiness", lambda: client.get("/health/ready").status == 503)
    assert client.get("/health/live").status == 200

    stack.compose("restart", "backend")
    api.ready(client)
    assert client.get(f"/static/{sheet[1]}", Accept_Encoding="identity").body == original
    # a page of the release before keeps its files
    assert client.get("/static/admin/old.0123456789ab.css").text == "old\n"


def test_everything_is_there_after_it_was_taken_down_and_up_again(stack: Stack, alice: Client) -> None:
    before = api.titles(alice)
    assert before
    stack.down()
    say(f"production was up again after {stack.up():.0f} s")
    assert wait_for("the page", lambda: alice.get("/api/v1/tasks").status == 200)
    assert api.titles(alice) == before
    assert "nothing to migrate" in stack.logs("backend")


def test_a_forgotten_f_leaves_production_as_it_is(stack: Stack, client: Client) -> None:
    ids = {service: stack.containers(service)[0]["Id"] for service in SERVICES}
    bare = Stack(stack.project, stack.checkout, (), stack.env_file, stack.variables)
    bare.up()
    assert {service: stack.containers(service)[0]["Id"] for service in SERVICES} == ids

    # an env file of before COMPOSE_FILE
    env_file = stack.checkout / str(stack.env_file)
    lines = env_file.read_text().splitlines(keepends=True)
    old = stack.checkout / "envs/old.env"
    old.write_text("".join(line for line in lines if not line.startswith("COMPOSE_FILE=")))
    refused = Stack(stack.project, stack.checkout, (), "envs/old.env", stack.variables).compose(
        "up", "-d", check=False
    )
    assert refused.returncode
    assert "docker-compose.override.yml is for development" in refused.stderr
    old.unlink()  # or the check finds two environments that share everything
    assert {service: stack.containers(service)[0]["Id"] for service in SERVICES} == ids
    assert expect(client.get("/version"), 200)["environment"] == "prod"


def test_an_exported_project_name_leaves_production_as_it_is(stack: Stack, client: Client) -> None:
    ids = {service: stack.containers(service)[0]["Id"] for service in SERVICES}
    development = Stack(stack.project, stack.checkout, (), None)  # exports COMPOSE_PROJECT_NAME
    for service in ("", "db", "backend", "worker"):
        refused = development.compose("up", "-d", *service.split(), check=False)
        assert refused.returncode
        assert f"{stack.project} is not a project of development" in refused.stderr
    assert {service: stack.containers(service)[0]["Id"] for service in SERVICES} == ids
    assert expect(client.get("/version"), 200)["environment"] == "prod"


def test_staging_runs_beside_it_from_the_same_image_with_its_own_data(
    stack: Stack, checkout: Path, alice: Client
) -> None:
    staging = harness.deployed(checkout, "staging")
    with harness.standing(staging):
        staging.up()
        site = api.site(staging, int(staging.variables["HTTPS_PORT"]))
        assert expect(site.get("/version"), 200)["environment"] == "staging"
        assert site.get("/api/v1/me", **alice.headers).status == 401
        bob = api.register(site)
        expect(bob.post("/api/v1/tasks", {"title": "On staging"}), 201)
        assert "On staging" not in api.titles(alice)
        images = [one.containers("backend")[0]["Image"] for one in (stack, staging)]
        assert images[0] == images[1]


def test_a_worker_that_stands_still_is_seen(stack: Stack) -> None:
    asked = ("python", "healthcheck.py", "worker")
    # long enough after its start that only the heartbeats can speak for it
    age = "import os, time; print(time.time() - os.stat('/proc/1').st_mtime)"
    time.sleep(max(0.0, 40 - float(stack.execute("worker", "python", "-c", age).stdout)))
    wait_for("its heartbeats", lambda: stack.execute("worker", *asked))
    stack.compose("kill", "--signal", "STOP", "worker")
    complaint = "has not used its connections for 35 seconds"
    wait_for("the complaint", lambda: complaint in stack.execute("worker", *asked, check=False).stderr, interval=5)
    stack.compose("kill", "--signal", "CONT", "worker")
    wait_for("its recovery", lambda: stack.execute("worker", *asked))


def test_no_secret_is_in_any_log(stack: Stack) -> None:
    said = stack.logs()
    values = lines_of(stack)
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "METRICS_TOKEN"):
        assert values[name] not in said


def test_the_env_file_is_accepted_by_the_check_before_anything_starts(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "todo_project.config", "check", "--env", "prod"],
        cwd=stack.checkout / "backend",
        env=harness.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
