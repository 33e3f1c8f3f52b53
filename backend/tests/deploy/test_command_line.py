"""deploy/host/config and deploy/monitoring/compose, with a docker that notes how it was called."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source import DEPLOY
from tests.conftest import BEING_WRITTEN

DOCKER = """#!/bin/sh
[ "$1" != build ] || { echo sha256:built; exit; }
case $* in
  *"exec -T backend cat /run/secrets/token") echo from-the-file; exit ;;
  *" cat "*) echo "no such file" >&2; exit 1 ;;
  "container inspect"*) cat "$(dirname "$0")/lock" 2>/dev/null; exit ;;
esac
echo "${METRICS_TOKEN-}" >"$(dirname "$0")/token"
variables="project=${COMPOSE_PROJECT_NAME-} file=${COMPOSE_FILE-} monitored=${MONITORED_PROJECT-}"
printf '%s\\n' "$*" "$variables" >>"$(dirname "$0")/notes"
"""


@pytest.fixture
def server(repository: Path) -> Path:
    """Add the commands to the checkout, and a docker."""
    for name in ("host", "monitoring"):
        shutil.copytree(DEPLOY / name, repository / "deploy" / name, ignore=BEING_WRITTEN)
    docker = repository / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    return repository


def run(server: Path, command: str, *arguments: str, **exported: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": f"{server}/bin:{os.environ['PATH']}"}
    return subprocess.run(
        [server / command, *arguments], env=kept | exported, check=False, capture_output=True, text=True
    )


def typed(server: Path, command: str, *arguments: str, **exported: str) -> list[str]:
    """Run a command and return what docker was called with."""
    done = run(server, command, *arguments, **exported)
    assert done.returncode == 0, done.stderr
    return (server / "bin/notes").read_text().splitlines()


def test_the_configuration_is_checked_in_the_image_as_the_owner_of_the_checkout(server: Path) -> None:
    [called, _] = typed(server, "deploy/host/config", "check", "--env", "prod", IMAGE_TAG="exported", OTHER="x")
    assert called.startswith("run --rm --network none --read-only ")
    assert f"--user {os.getuid()}:{os.getgid()} --volume {server}/envs:/envs --env IMAGE_TAG --entrypoint" in called
    assert called.endswith("python sha256:built -m todo_project.config check --env prod")


def test_an_exported_variable_with_a_digit_in_its_name_is_passed_on(server: Path) -> None:
    with open(server / "envs/prod.env", "a") as file:
        file.write("BACKUP_S3_URL=s3://bucket/todo\n")
    [called, _] = typed(server, "deploy/host/config", "check", "--env", "prod", BACKUP_S3_URL="s3://other/todo")
    assert " --env BACKUP_S3_URL " in called


@pytest.mark.parametrize("command", ["deploy/host/compose", "deploy/monitoring/compose"])
def test_help_says_how_to_use_a_command(server: Path, command: str) -> None:
    done = run(server, command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: {command} ENV COMMAND")


def test_up_does_not_disturb_a_release(server: Path) -> None:
    assert "compose --env-file" in typed(server, "deploy/host/compose", "prod", "up", "-d")[-2]
    labels = {"todo.command": "deploy prod", "todo.pid": str(os.getpid()), "todo.host": socket.gethostname()}
    described = [{"State": {"Status": "running"}, "Config": {"Labels": labels}}]
    (server / "bin/lock").write_text(json.dumps(described))
    refused = run(server, "deploy/host/compose", "prod", "up", "-d")
    assert refused.returncode == 1
    assert "error: deploy prod is running for this environment" in refused.stderr
    assert "  next: wait until it has finished: deploy/release/status prod" in refused.stderr


def test_monitoring_is_a_project_beside_the_stack(server: Path) -> None:
    [called, variables] = typed(
        server, "deploy/monitoring/compose", "prod", "up", "-d", COMPOSE_PROJECT_NAME="other"
    )
    assert called == f"compose --env-file {server}/envs/prod.env up -d"
    assert variables == "project=todo-prod-monitoring file=deploy/monitoring/docker-compose.yml monitored=todo-prod"


def set_token_file(server: Path, path: str) -> None:
    with open(server / "envs/prod.env", "a") as file:
        file.write(f"METRICS_TOKEN_FILE={path}\n")


def test_prometheus_gets_the_token_that_the_backend_reads_from_a_file(server: Path) -> None:
    set_token_file(server, "/run/secrets/token")
    typed(server, "deploy/monitoring/compose", "prod", "up", "-d")
    assert (server / "bin/token").read_text() == "from-the-file\n"


def test_prometheus_is_not_started_without_the_token_that_a_file_contains(server: Path) -> None:
    set_token_file(server, "/run/secrets/missing")
    refused = run(server, "deploy/monitoring/compose", "prod", "up", "-d")
    assert refused.returncode == 1
    assert "METRICS_TOKEN_FILE cannot be read in the backend's container: no such file" in refused.stderr
    assert "next: " in refused.stderr
    assert typed(server, "deploy/monitoring/compose", "prod", "down")
