"""A registry between the host that builds and the host that runs: pull by tag and by digest, roll back, prune.

The env file also names a third Compose file, with the operator's own service.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import free_port
from tests.e2e import harness
from tests.e2e.harness import Stack, run, wait_for

ONE, TWO, THREE = (f"{harness.IMAGE_TAG}-published-{number}" for number in ("one", "two", "three"))


@pytest.fixture(scope="module")
def repository() -> Iterator[str]:
    """A folder in an empty registry; nothing of it stays, also not on this host."""
    name = harness.project_name("registry")
    run("docker", "run", "--detach", "--name", name, "--publish", "127.0.0.1::5000", "registry:2")
    try:
        port = run("docker", "port", name, "5000").stdout.split(":")[1].strip()
        registry = harness.Client("127.0.0.1", int(port))
        wait_for("the registry", lambda: registry.get("/v2/").status == 200)
        yield f"127.0.0.1:{port}/team"
        forget(f"127.0.0.1:{port}/")
    finally:
        run("docker", "rm", "--force", "--volumes", name, check=False)


def forget(*beginnings: str) -> None:
    """Remove names of images from this host, as `docker image prune --all` would."""
    names = "{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}"
    for line in run("docker", "image", "ls", "--digests", "--format", names).stdout.splitlines():
        tagged, by_digest = line.split()
        name = by_digest if tagged.endswith(":<none>") else tagged
        if name.startswith(beginnings):
            run("docker", "image", "rm", name)


@pytest.fixture(scope="module")
def stack(checkout: Path, repository: str) -> Iterator[Stack]:
    stack = harness.deployed(
        checkout, "prod", tag=ONE, GUNICORN_WORKERS="1", IMAGE_REPOSITORY=repository, MAILPIT_PORT=str(free_port()),
        COMPOSE_FILE=":".join((*harness.PRODUCTION_FILES, "deploy/examples/override.yml")),
    )  # fmt: skip
    with harness.standing(stack):
        run(".ci/publish", repository, ONE, cwd=checkout)
        run("deploy/host/compose", "prod", "pull", "--policy", "missing", "mailpit", cwd=checkout)
        forget(f"{repository}/", f"todo-backend:{ONE}", f"todo-proxy:{ONE}", f"todo-backup:{ONE}")
        yield stack
    forget(*(f"todo-{image}:{tag}" for image in ("backend", "proxy", "backup") for tag in (ONE, THREE)))


def types(stack: Stack, command: str, *arguments: str) -> dict[str, Any]:
    """Run an operator's command and return what it says to machines."""
    done = run(f"deploy/release/{command}", "prod", *arguments, "--json", cwd=stack.checkout)
    return dict(json.loads(done.stdout))


def derive(folder: Path, source: str, tag: str, name: str) -> None:
    """Build an image that differs in its version only."""
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {source}\nENV APP_VERSION={tag}\n")
    run("docker", "build", "--tag", name, str(folder))


def serving(stack: Stack) -> list[str]:
    return [each["Config"]["Image"] for each in stack.containers("backend")]


def of_the_operator(stack: Stack) -> list[str]:
    """Return the containers of the service that the third file adds; the harness knows two files."""
    return run("docker", "ps", "--quiet", "--no-trunc", "--filter", f"name={stack.project}-mailpit").stdout.split()


def test_images_come_from_the_registry_and_a_rollback_finds_them_again(
    stack: Stack, repository: str, tmp_path: Path
) -> None:
    first = types(stack, "deploy", "--image", ONE, "--without-backup", "--new-stack")
    assert serving(stack) == [f"todo-backend:{ONE}"]
    (mailpit,) = of_the_operator(stack)
    for image in ("todo-proxy", "todo-backup"):
        assert run("docker", "image", "inspect", f"{image}:{ONE}").stdout

    source = f"{repository}/todo-backend"
    derive(tmp_path / "two", f"{source}:{ONE}", TWO, f"{source}:{TWO}")
    run("docker", "push", f"{source}:{TWO}")
    inspect = ("docker", "image", "inspect", "--format")
    digest = run(*inspect, "{{index .RepoDigests 0}}", f"{source}:{TWO}").stdout.strip()
    image = run(*inspect, "{{.Id}}", digest).stdout.strip()
    run("docker", "image", "rm", f"{source}:{TWO}")
    second = types(stack, "deploy", "--image", digest, "--without-backup")
    assert second["image"] == image
    assert serving(stack) == [f"todo-backend:{second['tag']}"]
    assert types(stack, "status")["images"] == [digest]

    forget(f"todo-backend:{ONE}", f"{source}:{ONE}")
    assert types(stack, "status")["rollback"] == {"tag": ONE}
    assert types(stack, "rollback")["image"] == first["image"]
    assert serving(stack) == [f"todo-backend:{ONE}"]

    derive(tmp_path / "three", f"todo-backend:{ONE}", THREE, f"todo-backend:{THREE}")
    types(stack, "deploy", "--image", THREE, "--without-backup")
    pruned = types(stack, "prune", "--keep", "2")
    assert f"todo-backend:{second['tag']}" in pruned["removed"]
    assert run("docker", "image", "inspect", image, check=False).returncode
    assert types(stack, "status")["rollback"] == {"tag": ONE}
    assert of_the_operator(stack) == [mailpit]
