"""This will start, watch and remove the containers of one service, beside the ones that run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from host.console import Refused
from host.stack import Stack

START_SECONDS = 330.0  # longer than the health check's start period
# Restarts after which a start has failed for good: the entry point's own checks do not heal by themselves.
RESTARTS = 2


@dataclass(frozen=True)
class Container:
    """A container as docker describes it."""

    id: str
    name: str
    image: str
    tag: str
    state: str
    health: str
    restarts: int
    addresses: tuple[str, ...]
    aliases: frozenset[str]

    @property
    def serves(self) -> bool:
        return self.state == "running" and self.health == "healthy"

    @property
    def has_failed_to_start(self) -> bool:
        return not self.serves and self.restarts >= RESTARTS


def containers(stack: Stack, service: str) -> list[Container]:
    """Return a service's containers, stopped ones too, oldest first; one-off commands are none."""
    ids = stack.run(
        "docker", "ps", "--all", "--quiet", "--no-trunc",
        "--filter", f"label=com.docker.compose.project={stack.project}",
        "--filter", f"label=com.docker.compose.service={service}",
        "--filter", "label=com.docker.compose.oneoff=False",
    ).stdout.split()  # fmt: skip
    if not ids:
        return []
    told = stack.run("docker", "inspect", *ids, check=False).stdout  # one may have gone meanwhile
    found = sorted(json.loads(told or "[]"), key=lambda each: str(each["Created"]))
    return [_described(each) for each in found]


def _described(told: dict[str, Any]) -> Container:
    state = told["State"]
    networks = told["NetworkSettings"]["Networks"].values()
    return Container(
        id=told["Id"],
        name=told["Name"].lstrip("/"),
        image=told["Image"],
        tag=told["Config"]["Image"].rpartition(":")[2],
        state=state["Status"],
        health=state.get("Health", {}).get("Status", "none"),
        restarts=int(told["RestartCount"]),
        addresses=tuple(network["IPAddress"] for network in networks if network["IPAddress"]),
        aliases=frozenset(alias for network in networks for alias in network["Aliases"] or ()),
    )


def start_beside(stack: Stack, count: int) -> list[Container]:
    """This will start `count` more backends as the env file says and return them once each is healthy.

    Raises Refused with a container's last lines when one does not start; it is left for whoever undoes the release.
    """
    before = containers(stack, "backend")
    create(stack, "backend", len(before) + count)
    fresh = {each.id for each in containers(stack, "backend")} - {each.id for each in before}
    return wait_until_healthy(stack, "backend", fresh)


def create(stack: Stack, service: str, backends: int = 0) -> None:
    """This will create and start what of a service is missing, and touch nothing that is there.

    Without --no-deps, which would give the container another configuration hash, so that the next
    `docker compose up` recreated it. `backends` is how many there shall be beside a service that depends on them;
    Compose refuses it beside another one.
    """
    scale = ("--scale", f"backend={backends}") if backends else ()
    stack.compose("up", "--detach", "--no-recreate", "--no-build", *scale, service)


def wait_until_healthy(stack: Stack, service: str, wanted: Iterable[str] = ()) -> list[Container]:
    """This will return the service's containers (those of `wanted` ids, if given) once all are healthy."""
    ids = set(wanted)
    deadline = time.monotonic() + START_SECONDS
    while True:
        found = [each for each in containers(stack, service) if not ids or each.id in ids]
        if found and len(found) >= len(ids) and all(each.serves for each in found):
            return found
        lost = next((each for each in found if _is_lost(each)), None)
        if lost or time.monotonic() > deadline:
            raise _refusal(stack, service, lost or (found[0] if found else None))
        time.sleep(0.3)


def _is_lost(container: Container) -> bool:
    return container.health == "unhealthy" or container.state in {"exited", "dead"} or container.has_failed_to_start


def _refusal(stack: Stack, service: str, container: Container | None) -> Refused:
    if container is None:
        return Refused(f"no {service} was started", "see `docker ps --all`")
    state = f"{container.state}, {container.health}, {container.restarts} restarts"
    return Refused(
        f"{container.name} did not become healthy ({state}); its last lines:\n{last_lines(stack, container)}",
        "mend what they say, build it under another tag, and deploy that",
    )


def last_lines(stack: Stack, container: Container) -> str:
    """Return what a container wrote last, its failed health check included."""
    told = stack.run("docker", "logs", "--tail", "12", container.id, check=False)
    probe = stack.run(
        "docker", "inspect", "--format", "{{with .State.Health}}{{range .Log}}{{.Output}}{{end}}{{end}}",
        container.id, check=False,
    ).stdout  # fmt: skip
    lines = [*(told.stdout + told.stderr).splitlines(), *probe.strip().splitlines()[-1:]]
    return "\n".join(f"  | {line}" for line in lines if line.strip())


def start_again(stack: Stack, stopped: Iterable[Container]) -> None:
    """This will start containers that exist and do not run."""
    ids = [each.id for each in stopped]
    if ids:
        stack.run("docker", "start", *ids)
        wait_until_healthy(stack, "backend", ids)


def remove(stack: Stack, leaving: Iterable[Container]) -> None:
    """This will stop containers, all at once and within their own grace periods, and remove them."""
    ids = [each.id for each in leaving]
    if ids:
        stack.run("docker", "stop", *ids, check=False)
        stack.run("docker", "rm", "--force", *ids)
