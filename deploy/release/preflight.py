"""This will look, before anything is changed, at whether a release can succeed on this host."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from host.console import Refused
from host.stack import Stack

from .replicas import containers, wait_until_healthy
from .traffic import can_be_steered

COMPOSE_AT_LEAST = (2, 24, 4)
MEGABYTE = 1024 * 1024
SPARE_DISK = 1024 * MEGABYTE  # images, logs, and what else the host needs meanwhile
REPLICA_MEMORY = 256 * MEGABYTE  # what a fresh replica takes until its workers share their pages
_PSQL = ("exec", "-T", "db", "psql", "-h", "127.0.0.1", "-U", "todo_user", "-d", "todo_db", "-Atc")


@dataclass(frozen=True)
class Database:
    """What the database said."""

    size: int
    is_empty: bool


@dataclass(frozen=True)
class Plan:
    """The migrations that a release brings."""

    pending: tuple[str, ...]
    incompatible: tuple[str, ...]


def compose_version(stack: Stack) -> None:
    """This will refuse a Compose that reads the files otherwise."""
    told = stack.run("docker", "compose", "version", "--short").stdout.strip()
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", told)
    if not found or tuple(int(part) for part in found.groups()) < COMPOSE_AT_LEAST:
        least = ".".join(str(part) for part in COMPOSE_AT_LEAST)
        raise Refused(f"this is Docker Compose {told or 'of an unknown version'}", f"install {least} or newer")


def readable(stack: Stack) -> None:
    """This will refuse an env file that Compose cannot read, before anything else is said about it."""
    told = stack.compose("config", "--quiet", check=False)
    if told.returncode:
        raise Refused(
            f"Compose cannot read the configuration:\n{told.stderr.strip()}",
            f"correct {stack.env_file}, then repeat",
        )


def proxy(stack: Stack) -> None:
    """This will refuse a proxy that cannot be told which replicas to send to."""
    if any(each.state == "running" for each in containers(stack, "proxy")) and not can_be_steered(stack):
        raise Refused(
            "the proxy that runs is of a release before this command existed and cannot be steered",
            "start this checkout once in the plain way, at a quiet hour: docker compose --env-file "
            f"{stack.env_file} up -d --build",
        )


def database(stack: Stack) -> Database:
    """This will start the database if it does not run, and return its size."""
    if not any(each.state == "running" for each in containers(stack, "db")):
        stack.compose("up", "--detach", "--no-recreate", "db")
    wait_until_healthy(stack, "db")
    question = "SELECT pg_database_size(current_database()), to_regclass('django_migrations') IS NULL"
    size, is_empty = stack.compose(*_PSQL, question).stdout.strip().split("|")
    return Database(size=int(size), is_empty=is_empty == "t")


def migration_head(stack: Stack) -> str:
    """Return the migration that was applied last, or nothing of a database elsewhere."""
    if not stack.has_own_database:
        return ""
    question = "SELECT app || '.' || name FROM django_migrations ORDER BY id DESC LIMIT 1"
    return stack.compose(*_PSQL, question).stdout.strip()


def room(stack: Stack, size: int, replicas: int) -> None:
    """This will refuse a host whose disk or memory would run full in the middle.

    A dump, its trial restore and what a migration rewrites may each need the database's size.
    """
    looked = "df -Pk /var/lib/postgresql/data | tail -n 1; grep MemAvailable /proc/meminfo"
    disk, memory = stack.compose("exec", "-T", "db", "sh", "-c", looked).stdout.strip().splitlines()
    free, needed = int(disk.split()[3]) * 1024, SPARE_DISK + 3 * size
    if free < needed:
        raise Refused(
            f"the disk of the containers has {free // MEGABYTE} MB free, a release needs {needed // MEGABYTE} MB",
            "free some: old images (`docker image ls todo-backend`, `docker image rm`), old backups, logs",
        )
    available, wanted = int(memory.split()[1]) * 1024, replicas * REPLICA_MEMORY
    if available < wanted:
        raise Refused(
            f"{available // MEGABYTE} MB of memory are available, {replicas} more replicas need "
            f"{wanted // MEGABYTE} MB beside the old ones",
            "stop something else, lower BACKEND_REPLICAS or GUNICORN_WORKERS, or use a larger machine",
        )


def in_image(
    stack: Stack, values: Mapping[str, str], *arguments: str, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Return what Python said in a fresh container beside the stack, with these values; options are Stack.run's."""
    command = ("run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "backend", *arguments)
    return stack.compose(*command, extra=values, **options)


def configuration(stack: Stack, values: Mapping[str, str]) -> None:
    """This will have the new image judge the values that it would get."""
    told = in_image(stack, values, "-m", "todo_project.config", "check", check=False)
    if told.returncode:
        raise Refused(
            f"the configuration check of {values['IMAGE_TAG']} failed:\n{(told.stdout or told.stderr).strip()}",
            f"correct {stack.env_file}, then repeat",
        )


def migrations(stack: Stack, values: Mapping[str, str]) -> Plan:
    """Return what the new image would migrate, and what of that the running release would not survive."""
    plan: dict[str, Any] = json.loads(in_image(stack, values, "manage.py", "migration_plan", "--json").stdout)
    return Plan(
        pending=tuple(f"{each['app']}.{each['name']}" for each in plan["pending"]),
        incompatible=tuple(_reasons(plan["pending"])),
    )


def _reasons(pending: Iterable[dict[str, Any]]) -> Iterable[str]:
    for each in pending:
        for operation in each["operations"]:
            yield f"{each['app']}.{each['name']}: {operation['kind']}: {operation['reason']}"
