"""Check, before anything is changed, whether a release can succeed on this host."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from host.console import Failure
from host.postgresql import require_same_major
from host.stack import Stack

from .logins import DATABASE, ROLES
from .replicas import containers, wait_until_healthy
from .traffic import can_switch

COMPOSE_AT_LEAST = (2, 24, 4)
MEGABYTE = 1024 * 1024
SPARE_DISK = 1024 * MEGABYTE  # images, logs, and what else the host needs meanwhile
REPLICA_MEMORY = 256 * MEGABYTE  # what a fresh replica takes until its workers share their pages


@dataclass(frozen=True)
class Database:
    """The size of the database and whether it has any tables."""

    size: int
    is_empty: bool


@dataclass(frozen=True)
class Plan:
    """The migrations of a release, and why the running release cannot work with some of them."""

    pending: tuple[str, ...]
    incompatible: tuple[str, ...]


def compose_version(stack: Stack) -> None:
    """Raise Failure if Docker Compose is too old for the Compose files."""
    result = stack.run("docker", "compose", "version", "--short").stdout.strip()
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", result)
    if not found or tuple(int(part) for part in found.groups()) < COMPOSE_AT_LEAST:
        least = ".".join(str(part) for part in COMPOSE_AT_LEAST)
        raise Failure(
            f"Docker Compose {result or 'of an unknown version'} is too old", f"install version {least} or newer"
        )


def readable(stack: Stack) -> None:
    """Raise Failure if Compose cannot read the env file."""
    result = stack.compose("config", "--quiet", check=False)
    if result.returncode:
        raise Failure(
            f"Compose cannot read the configuration:\n{result.stderr.strip()}",
            f"correct {stack.env_file}, then run the command again",
        )


def proxy(stack: Stack) -> None:
    """Raise Failure if the running proxy is too old to be switched between replicas."""
    if any(each.state == "running" for each in containers(stack, "proxy")) and not can_switch(stack):
        raise Failure(
            "the running proxy is too old: it cannot be switched between releases",
            f"replace it once, with a short interruption: docker compose --env-file {stack.env_file} up -d --build",
        )


def database(stack: Stack) -> Database:
    """Start the database if it is not running, and return its size. Refuse another major version."""
    require_same_major(stack)
    if not any(each.state == "running" for each in containers(stack, "db")):
        stack.compose("up", "--detach", "--no-recreate", "db")
    wait_until_healthy(stack, "db")
    question = "SELECT pg_database_size(current_database()), to_regclass('django_migrations') IS NULL"
    size, is_empty = _ask(stack, question).split("|")
    return Database(size=int(size), is_empty=is_empty == "t")


def _ask(stack: Stack, question: str) -> str:
    """Ask the database as the role in use. A new volume has no other one before the first start."""
    role = stack.values.get("POSTGRES_ROLE") or ROLES[0]
    psql = ("psql", "-h", "127.0.0.1", "-U", role, "-d", DATABASE, "-Atc", question)
    return stack.compose("exec", "-T", "db", *psql).stdout.strip()


def migration_head(stack: Stack) -> str:
    """Return the last applied migration, or an empty text for an external database."""
    if not stack.has_own_database:
        return ""
    question = "SELECT app || '.' || name FROM django_migrations ORDER BY id DESC LIMIT 1"
    return _ask(stack, question)


def free_space(stack: Stack, size: int, replicas: int) -> None:
    """Raise Failure if the host has too little disk space or memory for the release.

    A dump, its trial restore and a migration that rewrites tables may each need the size of the database.
    """
    probe = "df -Pk /var/lib/postgresql/data | tail -n 1; grep MemAvailable /proc/meminfo"
    disk, memory = stack.compose("exec", "-T", "db", "sh", "-c", probe).stdout.strip().splitlines()
    free, needed = int(disk.split()[3]) * 1024, SPARE_DISK + 3 * size
    if free < needed:
        raise Failure(
            f"the disk of the containers has {free // MEGABYTE} MB free, a release needs {needed // MEGABYTE} MB",
            f"remove old images (deploy/release/prune {stack.env}), old backups or logs",
        )
    available, wanted = int(memory.split()[1]) * 1024, replicas * REPLICA_MEMORY
    if available < wanted:
        raise Failure(
            f"{available // MEGABYTE} MB of memory are available, but {replicas} new replicas need "
            f"{wanted // MEGABYTE} MB beside the old ones",
            "stop other programs, lower BACKEND_REPLICAS or GUNICORN_WORKERS, or use a larger machine",
        )


def in_image(
    stack: Stack, values: Mapping[str, str], *arguments: str, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run Python in a new container with these values and return the result; options are those of Stack.run."""
    command = ("run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "backend", *arguments)
    return stack.compose(*command, extra=values, **options)


def configuration(stack: Stack, values: Mapping[str, str]) -> None:
    """Raise Failure if the configuration check of the new image refuses the values that it would get."""
    result = in_image(stack, values, "-m", "todo_project.config", "check", check=False)
    if result.returncode:
        raise Failure(
            f"the configuration check of {values['IMAGE_TAG']} failed:\n{(result.stdout or result.stderr).strip()}",
            f"correct {stack.env_file}, then run the command again",
        )


def migrations(stack: Stack, values: Mapping[str, str]) -> Plan:
    """Return the new image's pending migrations, and the operations that the running release cannot work with."""
    plan: dict[str, Any] = json.loads(in_image(stack, values, "manage.py", "migration_plan", "--json").stdout)
    return Plan(
        pending=tuple(f"{each['app']}.{each['name']}" for each in plan["pending"]),
        incompatible=tuple(_reasons(plan["pending"])),
    )


def _reasons(pending: Iterable[dict[str, Any]]) -> Iterable[str]:
    for each in pending:
        for operation in each["operations"]:
            yield f"{each['app']}.{each['name']}: {operation['kind']}: {operation['reason']}"
