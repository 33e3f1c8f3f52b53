"""The make targets do what `make help` says, wherever the checkout is."""

from __future__ import annotations

import os
import re
import shutil
import socket
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
    """Create a checkout with a space in its path and only the files that make needs."""
    root = tmp_path / "my check out"
    python = root / "backend/.venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    (root / "backend/requirements").mkdir()
    for lock in ("dev.txt", "bench.txt"):
        shutil.copy(REPOSITORY / "backend/requirements" / lock, root / "backend/requirements")
    shutil.copy(REPOSITORY / "Makefile", root)
    shutil.copytree(REPOSITORY / "deploy/development", root / "deploy/development")
    return root


def run_make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = f"{checkout}/bin:{os.environ['PATH']}"
    kept = {"PATH": path, "NOTES": str(checkout / "notes")}  # not the variables of a make around this
    return subprocess.run(["make", *arguments], cwd=checkout, env=kept, check=False, capture_output=True, text=True)


def make(checkout: Path, *arguments: str) -> list[list[str]]:
    """Run make and return each call of Python: its VIRTUAL_ENV, its SITE_URL, its arguments."""
    done = run_make(checkout, *arguments)
    assert done.returncode == 0, done.stderr
    return [line.split("|", 2) for line in (checkout / "notes").read_text().splitlines()]


def stand_in(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def python_that_makes_environments(checkout: Path, version: str = "3.12") -> Path:
    """Create a fake Python whose `-m venv` creates a fake environment, and return its path."""
    template = checkout / "template"
    shutil.copy(checkout / "backend/.venv/bin/python", template)
    stand_in(
        checkout / "bin/chosen",
        f"""case "$*" in
        --version) echo "Python {version}.0";;
        "-m venv "*) mkdir -p "$3/bin" && cp "{template}" "$3/bin/python";;
        *%d.%d*) echo {version};;
        esac""",
    )
    return checkout / "bin/chosen"


def test_a_broken_virtual_environment_is_made_again(checkout: Path) -> None:
    chosen = python_that_makes_environments(checkout)
    stand_in(checkout / "backend/.venv/bin/python", "exit 127")
    (checkout / "backend/.venv/.installed").touch()
    done = run_make(checkout, "install", f"PYTHON={chosen}")
    assert "is broken or incomplete: creating it again" in done.stdout
    assert (checkout / "backend/.venv/bin/python").read_text() == PYTHON
    assert (checkout / "notes").read_text().splitlines()[-1].endswith("requirements/dev.txt")


def test_a_named_python_of_another_version_makes_the_environment_again(checkout: Path) -> None:
    chosen = python_that_makes_environments(checkout, "3.12")
    done = run_make(checkout, "install", f"PYTHON={chosen}")
    assert f"has a different Python from {chosen}: creating it again" in done.stdout
    assert "Creating backend/.venv with Python 3.12.0" in done.stdout


def test_an_environment_of_a_checkout_that_was_moved_is_made_again(checkout: Path) -> None:
    make(checkout, "install")
    moved = checkout.rename(checkout.with_name("moved"))
    done = run_make(moved, "install", f"PYTHON={python_that_makes_environments(moved)}")
    assert f"backend/.venv was created in {checkout}: creating it again" in done.stdout
    assert "creating it again" not in run_make(moved, "install").stdout


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (None, "is not a Python that can be run"),
        ("echo 'true (GNU coreutils) 9.1'", "is not a Python that can be run"),
        (
            '[ "$1" != --version ] || echo Python 3.8.2; case "$*" in *version_info*) exit 1;; esac',
            "is Python 3.8.2",
        ),
    ],
)
def test_a_named_python_is_checked(checkout: Path, script: str | None, problem: str) -> None:
    if script:
        stand_in(checkout / "bin/old", script)
    done = run_make(checkout, "install", f"PYTHON={checkout}/bin/old")
    assert done.returncode
    assert f"PYTHON={checkout}/bin/old {problem}" in done.stderr
    assert (checkout / "backend/.venv").exists()


def test_what_is_installed_is_not_installed_again(checkout: Path) -> None:
    make(checkout, "install")
    (checkout / "notes").unlink()
    assert not [call for call in make(checkout, "install") if "sync" in call[2]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["up"], "docker|compose up -d"),
        (["up", "ENV=dev", "ARGS=--build"], "docker|compose up -d --build"),
        (["down"], "docker|compose down"),
        (["logs", "SERVICE=worker"], "docker|compose logs --follow --tail 100 worker"),
        (["up", "ENV=qa"], "host|qa up -d"),
        (["ps", "ENV=prod"], "host|prod ps"),
        (["shell", "ENV=prod"], "host|prod exec backend python manage.py shell"),
        (["dbshell", "ENV=dev"], "docker|compose exec db psql -U todo_user todo_db"),
        (["migrations", "ARGS=todos"], "||manage.py makemigrations todos"),
        (["test", "ARGS=-k name"], "||-m pytest -n 2 -k name"),
    ],
)
def test_commands_reach_what_they_are_for(checkout: Path, arguments: list[str], said: str) -> None:
    stand_in(checkout / "bin/docker", 'echo "docker|$*" >>"$NOTES"')
    stand_in(checkout / "deploy/host/compose", 'echo "host|$*" >>"$NOTES"')
    done = run_make(checkout, *arguments)
    assert done.returncode == 0, done.stderr
    assert (checkout / "notes").read_text().splitlines()[-1].strip() == said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["up"], "make logs SERVICE=backend\n"), (["up", "ENV=prod"], "make logs ENV=prod SERVICE=backend\n")],
)
def test_a_start_that_fails_names_the_command_that_shows_why(
    checkout: Path, arguments: list[str], told: str
) -> None:
    stand_in(checkout / "bin/docker", "exit 1")
    stand_in(checkout / "deploy/host/compose", '[ "$2" = run ]')
    done = run_make(checkout, *arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_bad_configuration_is_found_before_a_container_is_replaced(checkout: Path) -> None:
    stand_in(checkout / "deploy/host/compose", 'echo "host|$*" >>"$NOTES"; exit 1')
    assert run_make(checkout, "up", "ENV=prod", "ARGS=--build").returncode == 2
    assert (checkout / "notes").read_text().splitlines() == [
        "host|prod run --rm --no-deps -T --build --entrypoint python backend -m todo_project.config check"
    ]


def test_another_staging_is_made_by_its_name(checkout: Path) -> None:
    assert make(checkout, "init", "ENV=staging", "NAME=qa")[-1][2] == (
        "-m todo_project.config init --env staging --name qa"
    )


def test_a_path_with_spaces_can_be_installed_into(checkout: Path) -> None:
    synced = make(checkout, "install")[-1]
    assert synced[0] == f"{checkout}/backend/.venv"
    assert synced[2].startswith("-m uv pip sync --require-hashes")
    assert (checkout / "backend/.venv/.installed").exists()


def test_another_port_is_in_the_addresses_that_are_shown(checkout: Path) -> None:
    served = run_make(checkout, "--just-print", "run", "PORT=9000").stdout.splitlines()[-1]
    assert served.endswith("SITE_URL=http://127.0.0.1:9000 exec .venv/bin/python devserver.py 127.0.0.1:9000")


def test_a_port_in_use_is_named_before_anything_is_done(checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run_make(checkout, "run", f"PORT={port}")
    assert done.returncode
    assert f"Port {port} is in use" in done.stderr
    assert "manage.py" not in (checkout / "notes").read_text()


def test_the_usual_port_leaves_the_address_to_the_env_file(checkout: Path) -> None:
    served = run_make(checkout, "--just-print", "run").stdout.splitlines()[-1]
    assert served.endswith("devserver.py 127.0.0.1:8000")
    assert "SITE_URL" not in served


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
    printed = subprocess.run(["make", "help"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    commands = set(re.findall(r"^\.PHONY: (\S+)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^  make (\S+)", printed, re.MULTILINE)) == commands


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        (("init", "ENV=staging", "NAME=qa"), "init --env staging --name qa"),
        (("check-config", "ENV=qa"), "check --env qa"),
    ],
)
def test_on_a_server_the_configuration_runs_in_the_image(
    checkout: Path, arguments: tuple[str, ...], run: str
) -> None:
    """Docker is there, and nothing is installed."""
    shutil.rmtree(checkout / "backend/.venv")
    stand_in(checkout / "bin/docker", "exit 1")
    stand_in(checkout / "deploy/host/config", 'echo "||$*" >>"$NOTES"')
    assert make(checkout, *arguments) == [["", "", run]]
    assert not (checkout / "backend/.venv").exists()
