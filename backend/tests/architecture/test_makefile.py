"""The commands that people type do what they say, wherever the checkout lies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source import REPOSITORY

# a stand-in for the virtual environment's Python: it notes how it was called
PYTHON = """#!/bin/sh
echo "${VIRTUAL_ENV-}|${SITE_URL-}|$*" >>"$NOTES"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose path has a space, with nothing in it but what make looks at."""
    root = tmp_path / "my check out"
    python = root / "backend/.venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    (root / "backend/requirements").mkdir()
    for lock in ("dev.txt", "bench.txt"):
        shutil.copy(REPOSITORY / "backend/requirements" / lock, root / "backend/requirements")
    shutil.copy(REPOSITORY / "Makefile", root)
    return root


def make(checkout: Path, *arguments: str) -> list[list[str]]:
    """Run make and give each call of Python: its VIRTUAL_ENV, its SITE_URL, its arguments."""
    notes = checkout / "notes"
    kept = {"PATH": os.environ["PATH"], "NOTES": str(notes)}  # not the variables of a make around this
    subprocess.run(["make", *arguments], cwd=checkout, env=kept, check=True, capture_output=True)
    return [line.split("|", 2) for line in notes.read_text().splitlines()]


def test_a_path_with_spaces_can_be_installed_into(checkout: Path) -> None:
    synced = make(checkout, "install")[-1]
    assert synced[0] == f"{checkout}/backend/.venv"
    assert synced[2].startswith("-m uv pip sync --require-hashes")
    assert (checkout / "backend/.venv/.installed").exists()


def test_another_port_is_in_the_addresses_that_are_shown(checkout: Path) -> None:
    served = make(checkout, "run", "PORT=9000")[-1]
    assert served[1:] == ["http://127.0.0.1:9000", "devserver.py 127.0.0.1:9000"]


def test_the_usual_port_leaves_the_address_to_the_env_file(checkout: Path) -> None:
    assert make(checkout, "run")[-1][1:] == ["", "devserver.py 127.0.0.1:8000"]


@pytest.mark.parametrize("target", ["init", "check-config"])
def test_an_environment_that_is_not_named_is_asked_for(checkout: Path, target: str) -> None:
    kept = {"PATH": os.environ["PATH"]}
    done = subprocess.run(["make", target], cwd=checkout, env=kept, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"make {target} ENV=prod" in done.stderr


def test_what_is_only_measured_is_installed_beside_the_packages_of_development(checkout: Path) -> None:
    (checkout / "backend/.venv-bench").mkdir()  # which the stand-in does not make
    made, synced, measured = (call[2] for call in make(checkout, "bench", "ARGS=--quick")[-3:])
    assert made.startswith("-m uv venv")
    assert made.endswith("backend/.venv-bench")
    # `python -m uv` would take its own environment, whatever VIRTUAL_ENV says
    assert synced.endswith(
        "--require-hashes --python backend/.venv-bench/bin/python backend/requirements/bench.txt"
    )
    assert measured == "-m benchmarks --quick"


def test_help_lists_every_command() -> None:
    told = subprocess.run(["make", "help"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    commands = set(re.findall(r"^\.PHONY: (\S+)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^  make (\S+)", told, re.MULTILINE)) == commands
