"""A second staging shares no volume, network, port or name with the other environments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import api, harness
from tests.e2e.api import expect
from tests.e2e.harness import Stack, run

COMMANDS = {
    "prod": ("ENV=prod", "SITE_URL=https://todo.example.org"),
    "staging": ("ENV=staging", "SITE_URL=https://staging.example.org"),
    "qa": ("ENV=staging", "NAME=qa", "SITE_URL=https://qa.example.org:8443"),
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with three environments, made as on a server, where nothing is installed but Docker."""
    checkout = harness.copy_checkout(tmp_path_factory.mktemp("named"))
    for arguments in COMMANDS.values():
        run("make", "init", *arguments, cwd=checkout)
    return checkout


@pytest.fixture(scope="module")
def rendered(checkout: Path) -> dict[str, Any]:
    """Return what Compose makes of each environment."""
    return {
        name: json.loads(
            run(
                *("docker", "compose", "--env-file", f"envs/{name}.env", "config", "--format", "json"),
                cwd=checkout,
            ).stdout
        )
        for name in COMMANDS
    }


def shared(rendered: dict[str, Any], found: dict[str, set[str]]) -> set[str]:
    """Return what more than one environment has; each has to have something."""
    assert all(found.values())
    everything = [each for name in rendered for each in found[name]]
    return {each for each in everything if everything.count(each) > 1}


@pytest.mark.parametrize("kind", ["volumes", "networks"])
def test_they_share_no_volume_and_no_network(rendered: dict[str, Any], kind: str) -> None:
    found = {env: {each["name"] for each in one[kind].values()} for env, one in rendered.items()}
    assert shared(rendered, found) == set()


def test_they_share_no_port(rendered: dict[str, Any]) -> None:
    found = {
        env: {str(port["published"]) for service in one["services"].values() for port in service.get("ports", [])}
        for env, one in rendered.items()
    }
    assert shared(rendered, found) == set()


def test_they_share_no_name(rendered: dict[str, Any]) -> None:
    assert [one["name"] for one in rendered.values()] == ["todo-prod", "todo-staging", "todo-qa"]
    # a container with a name of its own would be the same for every project
    assert not [
        service for one in rendered.values() for service in one["services"].values() if "container_name" in service
    ]


def test_they_share_no_secret(rendered: dict[str, Any]) -> None:
    found = {
        env: {one["services"]["backend"]["environment"][name] for name in ("SECRET_KEY", "POSTGRES_PASSWORD")}
        for env, one in rendered.items()
    }
    assert shared(rendered, found) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_name(checkout: Path, name: str) -> None:
    run("make", "check-config", f"ENV={name}", cwd=checkout)
    assert not (checkout / "backend/.venv").exists()
    run("make", "ps", f"ENV={name}", cwd=checkout)
    assert json.loads(run("deploy/release/status", name, "--json", cwd=checkout).stdout)["releases"] == []


@pytest.fixture
def qa(checkout: Path) -> Iterator[Stack]:
    """Start the second staging on free ports, under a project name that no other run uses."""
    project, https_port = harness.project_name("qa"), harness.free_port()
    values = {
        "COMPOSE_PROJECT_NAME": project,
        "IMAGE_TAG": harness.IMAGE_TAG,
        "SITE_URL": f"https://localhost:{https_port}",
        "HTTP_PORT": str(harness.free_port()),
        "HTTPS_PORT": str(https_port),
        "GUNICORN_WORKERS": "1",
    }
    path = checkout / "envs/qa.env"
    kept = [line for line in path.read_text().splitlines() if line.split("=")[0] not in values]
    path.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in values.items())]) + "\n")
    stack = Stack(project, checkout, (), "envs/qa.env", {"HTTPS_PORT": str(https_port)})
    with harness.standing(stack):
        stack.up("--build")
        yield stack


def test_it_starts_with_its_own_file_and_is_staging(qa: Stack) -> None:
    site = api.site(qa, int(qa.variables["HTTPS_PORT"]))
    assert expect(site.get("/version"), 200)["environment"] == "staging"
    expect(api.register(site).post("/api/v1/tasks", {"title": "On qa"}), 201)
    # the file that its containers get is envs/qa.env, not that of staging
    key = next(
        line for line in (qa.checkout / "envs/qa.env").read_text().splitlines() if line.startswith("SECRET_KEY=")
    )
    for service in ("backend", "worker"):
        assert key in qa.containers(service)[0]["Config"]["Env"]
