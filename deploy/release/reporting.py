"""Format releases as text and as JSON."""

from __future__ import annotations

from typing import Any

from host.lock import holder
from host.stack import Stack

from .journal import Journal, Release
from .replicas import Container, containers

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
    journal = Journal(stack.state)
    unfinished = journal.unfinished()
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
        "releases": [as_json(release) for release in journal.releases()[-SHOWN:]],
    }


def text_of(status: dict[str, Any]) -> str:
    """Format the status as text."""
    lines = [f"{status['env']} ({status['project']}) should run {status['tag']}"]
    for service, running in status["services"].items():
        lines += [
            f"  {service}: {each['name']} {each['tag']} ({_short(each['image'])}) {_condition(each)}"
            for each in running
        ] or [f"  {service}: none"]
    if status["at_work"]:
        lines.append(f"running now: {status['at_work'].get('command', 'a command')}")
    if status["unfinished"]:
        left = status["unfinished"]
        lines.append(
            f"UNFINISHED: the {left['kind']} of {left['tag']} was interrupted at the step "
            f"{left['step'] or 'begin'}; the next deploy finishes or undoes it, "
            f"deploy/release/rollback {status['env']} undoes it"
        )
    lines.append(_rows([_row(each) for each in status["releases"]]) if status["releases"] else "no releases yet")
    return "\n".join(lines)


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
