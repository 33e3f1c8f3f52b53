"""Releases by the operators' commands, on one stack from the first deploy to a killed one, with people at work.

The tests build on each other, in the order of this file.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e import api, harness, load
from tests.e2e.api import expect
from tests.e2e.harness import Client, Stack, say, wait_for
from tests.e2e.releases import (
    BREAKAGE,
    BREAKING,
    CLOSING,
    COLLIDING,
    COLLISION,
    DEAF,
    HOLD,
    LATER,
    ONE,
    RENAME,
    RENAMING,
    TWO,
    WRITES,
    Operator,
    accounts_of_tests,
    derive,
    derive_proxy,
    kill_at,
    serving,
    slow_upload,
    watching,
)  # fmt: skip


@pytest.fixture(scope="module")
def stack(checkout: Path) -> Iterator[Stack]:
    """An environment of which nothing runs yet, and the images to deploy."""
    # without the limit on requests, which eight people at work on a fast machine exceed
    values = {"GUNICORN_WORKERS": "2", "BACKEND_REPLICAS": "2", "REQUESTS_PER_TOKEN": "0"}
    stack = harness.deployed(checkout, "prod", tag=ONE, **values)
    with harness.standing(stack):
        stack.compose("build")
        derive(checkout, TWO, f"ENV APP_VERSION={TWO}")
        derive_proxy(checkout, TWO)
        derive(checkout, DEAF, 'ENTRYPOINT ["sh", "-c", "echo the reason why >&2; exit 3"]')
        derive(checkout, COLLIDING, "COPY 9999.py todo_project/todos/migrations/9999_e2e.py", COLLISION)
        derive(checkout, BREAKING, "COPY 9999.py todo_project/todos/migrations/9999_e2e.py", BREAKAGE)
        derive(checkout, RENAMING, "COPY 9999.py todo_project/todos/migrations/9999_e2e.py", RENAME)
        for tag in (WRITES, LATER):
            derive(checkout, tag, "COPY wsgi.py todo_project/wsgi.py")
        derive(checkout, CLOSING, "COPY wsgi.py todo_project/wsgi.py", first=BREAKING)
        yield stack


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Operator:
    return Operator(stack)


@pytest.fixture(scope="module")
def alice(stack: Stack, operator: Operator) -> Client:
    """Alice, on the first release."""
    assert operator.deploys(ONE)["outcome"] == "succeeded"
    return api.register(api.site(stack, int(stack.variables["HTTPS_PORT"])))


def test_the_first_deploy_on_an_empty_host_is_a_start(operator: Operator, alice: Client) -> None:
    assert expect(alice.get("/api/v1/me"), 200)["name"] == "Alice"
    seen = operator.sees()
    assert seen["unfinished"] is None
    assert {each["tag"] for each in seen["services"]["backend"]} == {ONE}
    assert [each["health"] for each in seen["services"]["worker"]] == ["healthy"]
    assert re.fullmatch(r"[a-z_]+\.\d{4}_\w+", seen["releases"][0]["migration_head"])


@pytest.mark.parametrize(("command", "arguments", "tag", "policy"), [
    ("deploy", ("prod", "--image", TWO, "--without-backup"), TWO, "no-referrer"),
    ("rollback", ("prod",), ONE, "same-origin"),
], ids=["deploy", "rollback"])  # fmt: skip
def test_no_request_fails_meanwhile(
    stack: Stack, operator: Operator, alice: Client, command: str, arguments: tuple[str, ...], tag: str, policy: str
) -> None:
    [proxy] = stack.containers("proxy")
    with load.running(alice) as seen, slow_upload(alice) as upload:
        release = operator.succeeds(command, *arguments)
        time.sleep(1)
        wait_for("people who use it", lambda: seen.sent > 100)
    say(f"{command}: {len(seen.failures)} of {seen.sent} requests failed, the slowest took {seen.slowest:.1f} s")
    assert seen.failures == []
    assert upload
    assert [answer[:100] for answer in upload if not answer.startswith(b"HTTP/1.1 201")] == []
    assert serving(stack) == {tag}
    assert (release["outcome"], release["tag"]) == ("succeeded", tag)
    assert load.lost(stack, seen) == set()
    # another configuration of the proxy needs no other container
    assert alice.get("/metrics").headers["Referrer-Policy"] == policy
    assert [each["Id"] for each in stack.containers("proxy")] == [proxy["Id"]]


def test_the_plain_command_would_recreate_nothing(stack: Stack) -> None:
    printed = stack.compose("--dry-run", "up", "-d").stderr
    assert "Running" in printed
    assert [line for line in printed.splitlines() if "Recreate" in line or "Creating" in line] == []


def test_an_image_that_does_not_start_never_serves(stack: Stack, operator: Operator, alice: Client) -> None:
    said = operator.fails("deploy", "prod", "--image", DEAF, "--without-backup")
    assert "configuration check" in said or "the reason why" in said
    assert serving(stack) == {ONE}
    assert alice.get("/api/v1/me").status == 200


def test_a_migration_that_fails_leaves_the_old_release(stack: Stack, operator: Operator, alice: Client) -> None:
    said = operator.fails("deploy", "prod", "--image", COLLIDING, "--without-backup")
    assert 'relation "todos_task" already exists' in said
    assert f"{ONE} serves" in said
    assert serving(stack) == {ONE}
    assert alice.get("/api/v1/me").status == 200
    assert operator.sees()["releases"][-1]["outcome"] == "refused"


def test_a_release_that_fails_for_some_requests_never_serves(
    stack: Stack, operator: Operator, alice: Client
) -> None:
    with load.running(alice) as seen:
        said = operator.fails("deploy", "prod", "--image", WRITES, "--without-backup")
        wait_for("people who use it", lambda: seen.sent > 100)
    assert seen.failures == []
    assert "the smoke test to " in said
    assert "returned 500 instead of 200" in said
    assert f"{ONE} serves" in said
    assert serving(stack) == {ONE}
    assert accounts_of_tests(stack) == "0"


def test_a_release_whose_errors_rise_after_the_switch_goes_back(
    stack: Stack, operator: Operator, alice: Client
) -> None:
    with watching(stack), load.running(alice) as seen:
        said = operator.fails("deploy", "prod", "--image", LATER, "--without-backup")
    assert "errors have risen since the switch" in said
    assert f"{ONE} serves" in said
    assert seen.failures
    assert {outcome[:4] for _, outcome in seen.failures} == {"500:"}
    assert serving(stack) == {ONE}


@pytest.fixture(scope="module")
def elsewhere(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """The same operator in another clone of the repository."""
    clone = harness.copy_checkout(tmp_path_factory.mktemp("clone"))
    env_file = str(stack.env_file)
    shutil.copy(stack.checkout / env_file, clone / env_file)
    return Operator(replace(stack, checkout=clone))


@pytest.mark.parametrize("step", ["preflight", "start", "test", "worker", "smoke"])
def test_a_release_that_is_killed_before_its_smoke_test_is_undone(
    stack: Stack, operator: Operator, elsewhere: Operator, alice: Client, step: str
) -> None:
    kill_at(operator, step, TWO)
    assert alice.get("/api/v1/me").status == 200
    # what the step had started holds the lock until it ends
    wait_for("the end of its step", lambda: operator.sees()["unfinished"] is not None)
    assert operator.sees()["unfinished"]["step"] == step
    if step in ("test", "smoke"):
        assert serving(stack, count=4) == {ONE, TWO}
        stack.compose("restart", "proxy")  # as a reboot does
        wait_for("the proxy", lambda: alice.get("/version").status == 200)
    if step == "test":
        assert answering(alice) == {ONE}
    if step == "smoke":
        # the old replicas may stand in for a moment
        wait_for("the new replicas", lambda: answering(alice) == {TWO})
        assert_a_broken_env_file_stops_its_recovery(stack, operator)

    with load.running(alice) as seen:
        result = (elsewhere if step == "preflight" else operator).succeeds("rollback", "prod")

    assert result["outcome"] == ("refused" if step == "preflight" else "undone")
    assert seen.failures == []
    assert serving(stack) == {ONE}
    assert operator.sees()["unfinished"] is None
    assert accounts_of_tests(stack) == "0"


def answering(alice: Client) -> set[str]:
    """Return the releases that answer twenty requests."""
    return {alice.get("/version").json()["version"] for _ in range(20)}


def assert_a_broken_env_file_stops_its_recovery(stack: Stack, operator: Operator) -> None:
    env_file = stack.checkout / str(stack.env_file)
    whole, running = env_file.read_text(), serving(stack, count=4)
    env_file.write_text(whole.replace("SECRET_KEY=", "SECRET_KEY=short\nIGNORED="))
    for command in ("rollback", "deploy"):
        assert "SECRET_KEY" in operator.fails(command, "prod")
    assert serving(stack, count=4) == running
    env_file.write_text(whole)


def test_a_command_in_another_clone_is_refused_meanwhile(
    stack: Stack, operator: Operator, elsewhere: Operator, alice: Client, tmp_path: Path
) -> None:
    arguments = (str(stack.checkout / "deploy"), str(stack.checkout), str(tmp_path / "end"))
    holder = subprocess.Popen([sys.executable, "-c", HOLD, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        assert "a test is running for this environment" in elsewhere.fails("deploy", "prod", "--image", TWO)
        assert elsewhere.sees()["at_work"]["command"] == "a test"
    finally:
        holder.kill()
        holder.communicate()


def test_a_release_that_is_killed_after_its_smoke_test_is_finished(
    stack: Stack, operator: Operator, alice: Client
) -> None:
    kill_at(operator, "retire", TWO)
    wait_for("the end of its step", lambda: operator.sees()["unfinished"] is not None)
    with load.running(alice) as seen:
        operator.deploys(ONE)
    assert seen.failures == []
    assert serving(stack) == {ONE}
    ended = [(each["tag"], each["outcome"]) for each in operator.sees()["releases"][-2:]]
    assert ended == [(TWO, "succeeded"), (ONE, "succeeded")]


def test_where_the_old_code_cannot_run_the_backup_is_restored(
    stack: Stack, operator: Operator, alice: Client
) -> None:
    kept = expect(alice.post("/api/v1/tasks", {"title": "Kept", "description": "in the backup"}), 201)
    said = operator.fails("deploy", "prod", "--image", RENAMING, "--allow-downtime")
    assert "the way back is the backup" in said
    assert "the smoke test to " in said
    assert f"{ONE} serves" in said
    assert serving(stack) == {ONE}
    assert expect(alice.get(f"/api/v1/tasks/{kept['id']}"), 200)["description"] == "in the backup"


def test_after_the_switch_a_person_decides_and_meanwhile_there_is_a_maintenance_page(
    stack: Stack, operator: Operator, alice: Client
) -> None:
    refused = operator.fails("deploy", "prod", "--image", CLOSING)
    assert "--allow-downtime; from the migration on, the only way back is the backup" in refused
    assert serving(stack) == {ONE}

    with watching(stack), load.running(alice):
        said = operator.fails("deploy", "prod", "--image", CLOSING, "--allow-downtime")
    assert "the site shows its maintenance page" in said
    assert "deploy/release/rollback prod" in said
    assert operator.sees()["unfinished"]["closed"] is True
    origin = f"https://localhost:{alice.port}"
    answer = alice.post("/api/v1/tasks", {"title": "Too early"}, Origin=origin)
    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["type"] == "urn:todo:problem:service_unavailable"
    assert answer.headers["Retry-After"]
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    page = alice.get("/admin/", Accept="text/html,*/*")
    assert (page.status, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "<h1>" in page.text
    stack.compose("restart", "proxy")
    wait_for("the proxy", lambda: alice.get("/").status == 503)

    assert operator.succeeds("rollback", "prod")["outcome"] == "undone"

    assert serving(stack) == {ONE}
    assert expect(alice.get("/api/v1/me"), 200)["name"] == "Alice"


def test_the_image_that_staging_runs_is_promoted(checkout: Path, stack: Stack, operator: Operator) -> None:
    staging = harness.deployed(checkout, "staging", tag=TWO, GUNICORN_WORKERS="1", PROXY_TAG=ONE)
    [proxy] = stack.containers("proxy")
    with harness.standing(staging):
        Operator(staging, "staging").deploys(TWO)
        assert_a_second_stack_is_not_made_by_mistake(checkout, operator)
        done = operator.types("promote", "staging", "prod", "--without-backup")
    assert done.returncode == 0, done.stderr
    assert [each["Id"] for each in stack.containers("proxy")] == [proxy["Id"]]
    assert "SITE_URL" in done.stderr
    for env in ("staging", "prod"):
        lines = (checkout / f"envs/{env}.env").read_text().splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        assert values["SECRET_KEY"] not in done.stdout + done.stderr
        assert values["POSTGRES_PASSWORD"] not in done.stdout + done.stderr
    assert serving(stack) == {TWO}
    images = {each["Image"] for each in stack.containers("backend")}
    assert images == {
        harness.run("docker", "image", "inspect", "-f", "{{.Id}}", f"todo-backend:{TWO}").stdout.strip()
    }


def assert_a_second_stack_is_not_made_by_mistake(checkout: Path, operator: Operator) -> None:
    text = (checkout / "envs/prod.env").read_text().replace("COMPOSE_PROJECT_NAME=", "COMPOSE_PROJECT_NAME=other-")
    (checkout / "envs/other.env").write_text(text)
    said = operator.fails("deploy", "other", "--image", TWO)
    assert "--new-stack" in said
    project = f"label=com.docker.compose.project=other-{operator.stack.project}"
    assert harness.run("docker", "ps", "--all", "--quiet", "--filter", project).stdout == ""


def test_a_release_makes_a_verified_backup_first_and_takes_the_timer_along(
    stack: Stack, operator: Operator, alice: Client
) -> None:
    release = operator.succeeds("deploy", "prod", "--image", TWO)

    assert "backup" in release["steps"]
    printed = harness.run("deploy/backup/backup", "prod", "--list", "--json", cwd=stack.checkout).stdout
    made = [each for each in json.loads(printed)["backups"] if each["name"].endswith(f"-before-{TWO}")]
    assert made[-1]["verified_at"]
    # the image of TWO was built alone: the backup's goes along, so that `up` has nothing to build or recreate
    (timer,) = stack.containers("backup")
    assert timer["Config"]["Image"] == f"todo-backup:{TWO}"
    assert timer["State"]["Health"]["Status"] == "healthy"
