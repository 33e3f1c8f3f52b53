"""Start, watch and remove containers of a service without touching the running ones."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from host.console import Failure
from host.stack import Stack

START_SECONDS = 330.0  # longer than the health check's start period
# After this many restarts the start has failed: the entry point's checks would fail again.
RESTARTS = 2


@dataclass(frozen=True)
class Container:
    """A container as `docker inspect` describes it."""

    id: str
    name: str
    image: str
    tag: str
    state: str
    health: str
    restarts: int
    addresses: tuple[str, ...]
    aliases: frozenset[str]
    config_hash: str

    @property
    def serves(self) -> bool:
        # an operator's own service may have no health check
        return self.state == "running" and self.health in {"healthy", "none"}

    @property
    def has_failed_to_start(self) -> bool:
        return not self.serves and self.restarts >= RESTARTS


def containers(stack: Stack, service: str) -> list[Container]:
    """Return the containers of a service, oldest first, with stopped ones and without one-off commands."""
    ids = stack.run(
        "docker", "ps", "--all", "--quiet", "--no-trunc",
        "--filter", f"label=com.docker.compose.project={stack.project}",
        "--filter", f"label=com.docker.compose.service={service}",
        "--filter", "label=com.docker.compose.oneoff=False",
    ).stdout.split()  # fmt: skip
    if not ids:
        return []
    result = stack.run("docker", "inspect", *ids, check=False).stdout  # one may be gone by now
    found = sorted(json.loads(result or "[]"), key=lambda each: str(each["Created"]))
    return [_described(each) for each in found]


def _described(inspected: dict[str, Any]) -> Container:
    state = inspected["State"]
    networks = inspected["NetworkSettings"]["Networks"].values()
    return Container(
        id=inspected["Id"],
        name=inspected["Name"].lstrip("/"),
        image=inspected["Image"],
        tag=inspected["Config"]["Image"].rpartition(":")[2],
        state=state["Status"],
        health=state.get("Health", {}).get("Status", "none"),
        restarts=int(inspected["RestartCount"]),
        addresses=tuple(network["IPAddress"] for network in networks if network["IPAddress"]),
        aliases=frozenset(alias for network in networks for alias in network["Aliases"] or ()),
        config_hash=(inspected["Config"].get("Labels") or {}).get("com.docker.compose.config-hash", ""),
    )


def start_beside(stack: Stack, count: int, extra: Mapping[str, str] | None = None) -> list[Container]:
    """Start `count` more backends with the values of the env file or of `extra`; return them once all are healthy.

    Raise Failure with a container's last lines if one does not start. The undo of the release removes it.
    """
    before = containers(stack, "backend")
    number = len(before) + count
    scale = ("--scale", f"backend={number}")
    stack.compose("up", "--detach", "--no-recreate", "--no-build", *scale, "backend", extra=extra)
    fresh = {each.id for each in containers(stack, "backend")} - {each.id for each in before}
    return wait_until_healthy(stack, "backend", fresh)


def create(stack: Stack, service: str, backends: int = 0) -> None:
    """Create the missing containers of a service without starting them; existing ones stay.

    `backends` keeps that many backends while a service that depends on them is created; Compose refuses it for
    other services. Never with --no-deps: it changes the configuration hash, so that the next `docker compose up`
    would recreate the container. Not with `up`: it starts nothing while an old backend is unhealthy, and old ones
    become unhealthy within half a minute of a new database password.
    """
    scale = ("--scale", f"backend={backends}") if backends else ()
    stack.compose("create", "--no-recreate", "--no-build", *scale, service)


def wait_until_healthy(stack: Stack, service: str, wanted: Iterable[str] = ()) -> list[Container]:
    """Wait until the containers of a service (or those of the `wanted` ids) are healthy, and return them."""
    ids = set(wanted)
    deadline = time.monotonic() + START_SECONDS
    while True:
        found = [each for each in containers(stack, service) if not ids or each.id in ids]
        if found and len(found) >= len(ids) and all(each.serves for each in found):
            return found
        failed = next((each for each in found if _has_failed(each)), None)
        if failed or time.monotonic() > deadline:
            raise _refusal(stack, service, failed or (found[0] if found else None))
        time.sleep(0.3)


def _has_failed(container: Container) -> bool:
    return container.health == "unhealthy" or container.state in {"exited", "dead"} or container.has_failed_to_start


def _refusal(stack: Stack, service: str, container: Container | None) -> Failure:
    if container is None:
        return Failure(f"no container of {service} was started", "look for it with `docker ps --all`")
    state = f"{container.state}, {container.health}, {container.restarts} restarts"
    return Failure(
        f"{container.name} did not become healthy ({state}); its last lines:\n{last_lines(stack, container)}",
        "fix the cause, build with a new tag and deploy that",
    )


def last_lines(stack: Stack, container: Container) -> str:
    """Return the last log lines of a container and the output of its last health check."""
    result = stack.run("docker", "logs", "--tail", "12", container.id, check=False)
    probe = stack.run(
        "docker", "inspect", "--format", "{{with .State.Health}}{{range .Log}}{{.Output}}{{end}}{{end}}",
        container.id, check=False,
    ).stdout  # fmt: skip
    lines = [*(result.stdout + result.stderr).splitlines(), *probe.strip().splitlines()[-1:]]
    return "\n".join(f"  | {line}" for line in lines if line.strip())


def start(stack: Stack, service: str, stopped: Iterable[Container]) -> None:
    """Start containers of a service that were created or stopped, and wait until they are healthy."""
    ids = [each.id for each in stopped]
    if ids:
        stack.run("docker", "start", *ids)
        wait_until_healthy(stack, service, ids)


def remove(stack: Stack, leaving: Iterable[Container]) -> None:
    """Stop containers, all at once and within their grace periods, and remove them."""
    ids = [each.id for each in leaving]
    if ids:
        stack.run("docker", "stop", *ids, check=False)
        stack.run("docker", "rm", "--force", *ids)
