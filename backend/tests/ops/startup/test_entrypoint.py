"""entrypoint.sh: its steps in order, what stops it, and what it says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

BACKEND = Path(__file__).resolve().parents[3]
STEPS = [
    "python -m todo_project.config check",
    "python manage.py migrate_locked",
    "python manage.py collectstatic --noinput",
    "gunicorn --config gunicorn.conf.py todo_project.wsgi:application",
]
# stands for python and gunicorn
STUB = """#!/bin/sh
echo "$(basename "$0") $*" >>calls
case "$*" in
  *"${HANGS:-nothing}"*) trap 'touch stopped; exit 9' TERM; touch hanging; while :; do sleep 0.05; done ;;
  *"${FAILS:-nothing}"*) exit 3 ;;
esac
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder as the image has it, whose programs only note how they were called."""
    for name in ("entrypoint.sh", "writable.sh"):
        shutil.copy(BACKEND / name, tmp_path)
    for folder in ("bin", "staticfiles", "media"):
        (tmp_path / folder).mkdir()
    for name in ("python", "gunicorn"):
        (tmp_path / "bin" / name).write_text(STUB)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def start(app: Path, *arguments: str, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["sh", str(app / "entrypoint.sh"), *arguments],
        env={"PATH": f"{app / 'bin'}:{os.environ['PATH']}", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell cannot handle a signal that it was started to ignore, as a job in the background is
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread is at work here
    )


def run(app: Path, *arguments: str, **environ: str) -> tuple[int, str]:
    process = start(app, *arguments, **environ)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def calls(app: Path) -> list[str]:
    return (app / "calls").read_text().splitlines()


def test_each_step_follows_the_one_before_and_gunicorn_is_the_last(app: Path) -> None:
    assert run(app) == (0, "")
    assert calls(app) == STEPS


@pytest.mark.parametrize(
    ("fails", "name"),
    [
        ("config check", "the configuration check"),
        ("migrate_locked", "the database migration"),
        ("collectstatic", "collecting the static files"),
    ],
)
def test_a_step_that_fails_is_named_and_stops_the_next(app: Path, fails: str, name: str) -> None:
    status, said = run(app, FAILS=fails)
    assert status == 3
    assert said == f"entrypoint: {name} failed (exit status 3): not started, the later steps did not run\n"
    assert fails in calls(app)[-1]


def test_arguments_run_after_the_check_and_in_the_place_of_the_rest(app: Path) -> None:
    assert run(app, "python", "manage.py", "procrastinate", "worker") == (0, "")
    assert calls(app) == [STEPS[0], "python manage.py procrastinate worker"]


def test_folders_that_cannot_be_written_are_named_with_the_user_and_the_command(app: Path) -> None:
    for folder in ("staticfiles", "media"):
        (app / folder).rmdir()  # root, who may run this, could write to any folder
    status, said = run(app, DJANGO_ENV="prod", LOG_FORMAT="console")
    user = f"{os.getuid()}:{os.getgid()}"
    assert status == 1
    assert said == (
        f"entrypoint: not started: user {user} cannot write to {app}/staticfiles (missing), {app}/media (missing). "
        "To fix it: docker compose --env-file envs/prod.env run --rm --no-deps --user 0 --cap-add CHOWN "
        f"--cap-add DAC_OVERRIDE --entrypoint chown backend -R {user} {app}/staticfiles {app}/media\n"
    )
    assert calls(app) == STEPS[:1]


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({"DJANGO_ENV": "dev", "COMPOSE_PROJECT_NAME": "todo-2"}, "--project-name todo-2"),
        ({"DJANGO_ENV": "staging"}, "--env-file envs/staging.env"),
        ({"DJANGO_ENV": "staging", "ENV_FILE": "envs/qa.env"}, "--env-file envs/qa.env"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_command_names_the_environment(app: Path, environ: dict[str, str], options: str) -> None:
    (app / "media").rmdir()
    said = subprocess.run(
        ["sh", str(app / "writable.sh"), str(app / "media")],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (1, "")
    assert f"docker compose {options} run " in said.stdout


@pytest.mark.parametrize(
    ("environ", "is_json"),
    [
        ({"DJANGO_ENV": "prod"}, True),
        ({"DJANGO_ENV": "staging"}, True),
        ({"DJANGO_ENV": "dev"}, False),
        ({"DJANGO_ENV": "dev", "LOG_FORMAT": "json"}, True),
        ({"DJANGO_ENV": "prod", "LOG_FORMAT": "console"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_its_lines_have_the_format_of_the_others(app: Path, environ: dict[str, str], is_json: bool) -> None:
    status, said = run(app, FAILS="migrate_locked", **environ)
    assert status == 3
    assert calls(app)[0] == STEPS[0] + " --json" * is_json
    assert said.startswith("{") is is_json
    if is_json:
        line = json.loads(said)
        assert {"timestamp", "level", "logger", "event"} == set(line)
        assert line["level"] == "error"
        assert line["event"].startswith("entrypoint: the database migration failed")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_reaches_the_step_that_runs_and_nothing_follows(app: Path, number: int) -> None:
    process = start(app, HANGS="migrate_locked")
    deadline = time.monotonic() + 120
    while not (app / "hanging").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode == 143
    assert (app / "stopped").exists()
    assert calls(app) == STEPS[:2]
