"""The steps before gunicorn: their lines are log lines, their failure is the container's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BACKEND = Path(__file__).resolve().parents[3]
# steps.py with steps of our own
PROGRAM = """
import sys
import steps

def first():
    print('one')
    print('password=hunter2', file=sys.stderr)
    print('{"event": "mine"}')
    print('no end', end='')
    %s

def second():
    print('the second')

steps.command_of = {'first': first, 'second': second}.get
sys.exit(steps.main('first', 'second'))
"""


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=BACKEND,
        env={"PATH": os.environ["PATH"], "DJANGO_ENV": "test", **environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_each_line_becomes_one_object_and_no_secret_passes() -> None:
    done = run("-c", PROGRAM % "return 0", LOG_FORMAT="json")
    assert (done.returncode, done.stdout) == (0, "")
    lines = objects(done)
    assert [line["event"] for line in lines] == ["one", "password=[hidden]", "mine", "no end", "the second"]
    assert {"timestamp", "level", "logger", "environment", "release"} <= set(lines[0])
    assert [line.get("level") for line in lines] == ["info", "warning", None, "info", "info"]


@pytest.mark.parametrize("environ", [{"LOG_FORMAT": "json"}, {"DJANGO_ENV": "prod"}], ids=str)
@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        ("return 3", 3, "no end"),
        ("sys.exit(4)", 4, "no end"),
        ("sys.exit('because')", 1, "because"),
        ("raise LookupError('because')", 1, "LookupError: because"),
    ],
)
def test_a_failure_is_told_last_with_its_status(environ: dict[str, str], end: str, status: int, said: str) -> None:
    # in prod without any value the configuration cannot even be read
    done = run("-c", PROGRAM % end, **environ)
    *_, before, last = objects(done)
    assert done.returncode == status
    assert before["event"] == said
    assert (last["level"], last["event"].partition(" (")[0]) == ("error", "entrypoint: first failed")
    assert "the second" not in done.stderr


def test_people_get_plain_lines() -> None:
    done = run("-c", PROGRAM % "return 1")
    assert done.stderr.splitlines()[0] == "one"
    assert "entrypoint: first failed (exit status 1)" in done.stderr


def test_the_configuration_check_stops_what_follows() -> None:
    # wrong even beside a good envs/prod.env of this checkout, whose database must not be migrated from here
    done = run("steps.py", "check", "migrate_locked", DJANGO_ENV="prod", SECRET_KEY="short", LOG_FORMAT="json")
    assert done.returncode == 1
    assert "SECRET_KEY" in done.stderr
    assert "entrypoint: the configuration check failed" in objects(done)[-1]["event"]
    assert "igrat" not in done.stderr.replace("later steps did not run", "")


def test_commands_run_in_turn_and_log_in_the_format_that_is_asked_for(tmp_path: Path) -> None:
    steps = ("check", "migrate_locked", "collectstatic --noinput --dry-run")
    done = run("steps.py", *steps, LOG_FORMAT="json", DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3")
    assert done.returncode == 0, done.stderr
    said = [line["event"] for line in objects(done)]
    assert any(text.startswith("migrating: ") for text in said)
    assert "static files copied" in said[-1]


def test_a_migration_that_fails_is_named_without_a_traceback(tmp_path: Path) -> None:
    done = run("steps.py", "migrate_locked", "collectstatic --noinput", DATABASE_URL=f"sqlite:///{tmp_path}")
    assert done.returncode == 1
    assert "The database did not answer" in done.stderr
    assert "entrypoint: the database migration failed (exit status 1)" in done.stderr
    assert "static" not in done.stderr
    assert "Traceback" not in done.stderr
