"""deploy/host/postgresql.py: a release never meets files of another major version of PostgreSQL by surprise."""

from __future__ import annotations

import re

import pytest
from host import postgresql
from host.console import Failure
from host.stack import REPOSITORY, Stack

from tests.deploy.conftest import Docker


def present(docker: Docker, *, running: str, wanted: str) -> None:
    docker.answers = {"docker ps": "d1\n", "docker inspect": f"{running}\n", "docker compose config": f"{wanted}\n"}


@pytest.mark.parametrize(
    "image", ["postgres:17", "postgres:17-trixie", "registry:5000/postgres:17.2", "postgres@sha256:0"]
)
def test_the_same_major_version_is_accepted(stack: Stack, docker: Docker, image: str) -> None:
    present(docker, running="postgres:17", wanted=image)
    postgresql.require_same_major(stack)


def test_another_major_version_is_refused_with_the_runbook(stack: Stack, docker: Docker) -> None:
    present(docker, running="postgres:17.5", wanted="postgres:18")
    with pytest.raises(
        Failure, match="name PostgreSQL 18, but the database of todo-prod has version 17"
    ) as refused:
        postgresql.require_same_major(stack)

    section = re.search("'(.+)' in (.+)", refused.value.hint)
    assert section
    assert f"### {section[1]}\n" in (REPOSITORY / section[2]).read_text(encoding="utf-8")


def test_another_major_version_starts_once_the_old_container_is_removed(stack: Stack, docker: Docker) -> None:
    present(docker, running="postgres:17", wanted="postgres:18")
    docker.answers["docker ps"] = ""
    postgresql.require_same_major(stack)


def test_an_external_database_may_have_any_version(stack: Stack, docker: Docker) -> None:
    present(docker, running="postgres:17", wanted="postgres:18")
    stack.set_values({"DATABASE_URL": "postgres://x:y@elsewhere/z"})
    postgresql.require_same_major(stack)
