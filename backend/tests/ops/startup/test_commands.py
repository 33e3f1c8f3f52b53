"""The errors of the start's commands are log lines."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

BACKEND = Path(__file__).resolve().parents[3]


def migrate(*options: str, database: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "migrate_locked", *options],
        cwd=BACKEND,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_ENV": "test",
            "DATABASE_URL": f"sqlite:///{database}",
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_failure_is_one_line_without_a_traceback(tmp_path: Path, log_format: str) -> None:
    done = migrate(database=tmp_path, LOG_FORMAT=log_format)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "The database did not answer: unable to open database file" in line
    if log_format == "json":
        assert json.loads(line)["level"] == "error"


def test_a_migration_that_fails_is_named_with_its_error(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE accounts_user (id integer)")
    done = migrate(database=database, LOG_FORMAT="json")
    assert (done.returncode, done.stdout) == (1, "")
    *_, last = [json.loads(line) for line in done.stderr.splitlines()]
    assert last["level"] == "error"
    assert last["event"].startswith(
        'Migration accounts.0001_initial failed: table "accounts_user" already exists. The migrations before it are'
    )


def test_a_traceback_is_shown_to_whom_asks_for_it(tmp_path: Path) -> None:
    done = migrate("--traceback", database=tmp_path, LOG_FORMAT="console")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_limits_that_contradict_each_other_are_named_before_the_migration_and_every_line_is_an_object(
    tmp_path: Path,
) -> None:
    limits = {"LOGIN_FAILURES_PER_ADDRESS": "9", "REQUEST_BODY_MAX_BYTES": "65536"}
    done = migrate(database=tmp_path / "db.sqlite3", LOG_FORMAT="json", **limits)
    assert (done.returncode, done.stdout) == (0, "")
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    begin = next(index for index, event in enumerate(events) if event.startswith("migrating: "))
    assert "applying ops.0001_backup_run" in events[begin:]
    said = "\n".join(events[:begin])
    assert "accounts.W001" in said
    assert "todos.W001" in said
