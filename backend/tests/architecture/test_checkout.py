"""A checkout works on every platform, and CI runs the same commands as people."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.source import REPOSITORY

WORKFLOW: dict[str, Any] = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_a_checkout_with_windows_line_ends_keeps_those_of_linux(tmp_path: Path) -> None:
    """With CRLF, containers do not start, because `#!/bin/sh` followed by a carriage return is not a program."""
    clone, attributes = tmp_path / "clone", REPOSITORY / ".gitattributes"
    clone.mkdir()

    def git(*arguments: str) -> str:
        command = ["git", "-c", "core.autocrlf=true", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        return subprocess.run(command, cwd=clone, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet")
    (clone / ".gitattributes").write_bytes(attributes.read_bytes())
    names = ("entrypoint.sh", "Makefile", "docker-compose.yml", "prod.env.example", "command")
    for name in names:
        (clone / name).write_bytes(b"#!/bin/sh\ntrue\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "One")
    for name in names:
        (clone / name).unlink()
    git("checkout", "--quiet", "--", ".")
    assert {name: (clone / name).read_bytes() for name in names} == dict.fromkeys(names, b"#!/bin/sh\ntrue\n")


@pytest.mark.parametrize("name", [".env", "envs/qa.env", "envs/prod.env", ".idea/workspace.xml", "backend/a.py~"])
def test_secrets_and_clutter_are_ignored(name: str) -> None:
    done = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", name], cwd=REPOSITORY, check=False)
    assert done.returncode == 0


def test_ci_runs_every_python_on_both_databases() -> None:
    jobs = WORKFLOW["jobs"]
    pythons = ["3.11", "3.12", "3.13"]
    assert jobs["sqlite"]["strategy"]["matrix"] == {"python": pythons}
    assert jobs["postgresql"]["strategy"]["matrix"] == {"python": pythons, "postgres": ["15", "16", "17", "18"]}


def test_ci_calls_make_and_the_scripts_of_make_check_only() -> None:
    commands = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]
    for command in commands:
        words = [word for word in command.split() if not re.fullmatch(r"[A-Z]+=\S+", word)]
        scripts = [word for word in words if word.startswith(".ci/")]
        assert all((REPOSITORY / script).is_file() for script in scripts)
        rest = [word for word in words if word not in scripts]
        assert rest == [] or (rest[0] == "make" and set(rest[1:]) <= TARGETS), command
    assert {"make lint", "make e2e", ".ci/with-postgres .ci/old-code-on-new-schema"} <= set(commands)


def test_the_hook_runs_what_lint_runs() -> None:
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [hook["entry"] for repository in hooks for hook in repository["hooks"]] == ["make lint"]
    assert {repository["repo"] for repository in hooks} == {"local"}
