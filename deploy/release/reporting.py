"""Format releases as text and as JSON."""

from __future__ import annotations

from typing import Any

from host.console import Failure
from host.lock import holder
from host.stack import Stack

from . import history, images, registry
from .journal import SUCCEEDED, Journal, Release
from .replicas import Container, containers
from .rotations import KEY, PASSWORD, Rotations

SHOWN = 10
_COLUMNS = ("at", "kind", "tag", "image", "by", "migration", "seconds", "outcome")


def as_json(release: Release) -> dict[str, Any]:
    """Return one release for the JSON output."""
    return {
        **release.record,
        "steps": release.done,
        "step": release.step,
        "outcome": release.outcome or "unfinished",
    }


def status_of(stack: Stack) -> dict[str, Any]:
    """Return the containers, the last releases and any interrupted one of an environment."""
    journal = Journal.of(stack)
    releases, unfinished = journal.releases(), journal.unfinished()
    at_work = holder(stack)
    return {
        "env": stack.env,
        "project": stack.project,
        "tag": stack.tag,
        "services": {
            service: [_container(each) for each in containers(stack, service)]
            for service in ("backend", "worker", "proxy", "proxy-config", "backup")
        },
        "at_work": at_work,
        "unfinished": as_json(unfinished) if unfinished and not at_work else None,
        "unfinished_rotations": [] if at_work else unfinished_rotations(stack),
        "releases": [as_json(release) for release in releases[-SHOWN:]],
        "rollback": _way_back(stack, releases),
        "rebuilt": _is_rebuilt(stack, releases),
        "images": _registry_names(stack),
    }


def unfinished_rotations(stack: Stack) -> list[dict[str, Any]]:
    """Return the first lines of the rotations that never ended."""
    rotations = Rotations.of(stack)
    return [begun for secret in (KEY, PASSWORD) if (begun := rotations.unfinished(secret))]


def _way_back(stack: Stack, releases: list[Release]) -> dict[str, str]:
    """Return the tag that a rollback would deploy, or the reason why it could not."""
    if not releases:
        return {}
    try:
        target = history.target(releases, stack.tag)
    except Failure as error:
        return {"problem": error.cause}
    problem = registry.missing(stack, target)
    return {"tag": target.tag, **({"problem": problem.cause} if problem else {})}


def _is_rebuilt(stack: Stack, releases: list[Release]) -> bool:
    """Return whether the tag that should run names another image than the one that was deployed with it."""
    image = images.find(stack, f"{images.BACKEND}:{stack.tag}")
    deployed = [each for each in releases if each.tag == stack.tag and each.outcome == SUCCEEDED]
    return bool(image and deployed and deployed[-1].record["image"] != image.id)


def _registry_names(stack: Stack) -> list[str]:
    """Return the names, with digests, under which other hosts can pull the image that serves."""
    image = images.find(stack, f"{images.BACKEND}:{stack.tag}")
    return registry.pullable(image.digests) if image else []


def text_of(status: dict[str, Any]) -> str:
    """Format the status as text."""
    lines = [f"{status['env']} ({status['project']}) should run {status['tag']}"]
    for service, running in status["services"].items():
        lines += [
            f"  {service}: {each['name']} {each['tag']} ({_short(each['image'])}) {_condition(each)}"
            for each in running
        ] or [f"  {service}: none"]
    lines += [f"  in a registry: {name}" for name in status["images"]]
    if status["rebuilt"]:
        lines.append(
            f"  REBUILT: {images.BACKEND}:{status['tag']} was built again by hand after its release, and was not "
            f"tested; deploy the checkout instead: deploy/release/deploy {status['env']}"
        )
    # of an unfinished release, the line UNFINISHED says what a rollback does
    back = {} if status["unfinished"] else status["rollback"]
    if "problem" in back:
        lines.append(f"  rollback: impossible, {back['problem']}")
    elif back:
        lines.append(f"  rollback: to {back['tag']}")
    if at_work := status["at_work"]:
        killed = " was killed, but docker commands that it began still run; the next command waits for them"
        lines.append(f"running now: {at_work['command']}{killed if at_work['is_killed'] else ''}")
    if status["unfinished"]:
        left = status["unfinished"]
        lines.append(_unfinished(status["env"], left))
    lines += [
        f"UNFINISHED: the rotation of the {each['secret']} that {each['by']} began at {each['at']}; "
        f"deploy/release/rotate {status['env']} {each['secret']} finishes it"
        for each in status["unfinished_rotations"]
    ]
    lines.append(_rows([_row(each) for each in status["releases"]]) if status["releases"] else "no releases yet")
    return "\n".join(lines)


def _unfinished(env: str, release: dict[str, Any]) -> str:
    what, back = f"the {release['kind']} of {release['tag']}", f"deploy/release/rollback {env}"
    if release.get("closed"):
        return (
            f"MAINTENANCE PAGE: {what} failed, and {release['previous_tag']} cannot run on its schema; deploy code "
            f"that can, or restore the backup from before with {back}"
        )
    return (
        f"UNFINISHED: {what} was interrupted at the step {release['step'] or 'begin'}; the next deploy finishes or "
        f"undoes it, {back} undoes it"
    )


def metrics_of(status: dict[str, Any]) -> str:
    """Format the outcome of the last release as Prometheus reads it."""
    last = status["releases"][-1:]
    failed = bool(last) and last[0]["outcome"] not in {SUCCEEDED, "unfinished"}
    values = {"failed": failed, "unfinished": bool(status["unfinished"])}
    return "\n".join(
        f'# TYPE todo_release_{name} gauge\ntodo_release_{name}{{env="{status["env"]}"}} {int(value)}'
        for name, value in values.items()
    )


def table(releases: list[Release]) -> str:
    """Return releases as a table, newest last."""
    return _rows([_row(as_json(release)) for release in releases])


def _rows(rows: list[tuple[str, ...]]) -> str:
    rows = [_COLUMNS, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return "\n".join("  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip() for row in rows)


def _row(release: dict[str, Any]) -> tuple[str, ...]:
    return (
        release["began_at"].replace("+00:00", "Z"),
        release["kind"],
        release["tag"],
        _short(release["image"]),
        release["who"],
        release.get("migration_head", ""),
        str(release.get("seconds", "")),
        release["outcome"],
    )


def _container(each: Container) -> dict[str, Any]:
    return {"name": each.name, "tag": each.tag, "image": each.image, "state": each.state, "health": each.health}


def _condition(container: dict[str, Any]) -> str:
    """Return the health of a running container, or the state of a stopped one, whose health is outdated."""
    return str(container["health"] if container["state"] == "running" else container["state"])


def _short(image: str) -> str:
    return image.rpartition(":")[2][:12]
