"""Requests go through a pooler, commands and the worker past it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BACKEND = Path(__file__).resolve().parents[3]
POOLED = "postgres://todo@pooler.example:6432/todo?disable_server_side_cursors=true"
LIMIT = "-c idle_in_transaction_session_timeout=2min"
DIRECT = "postgres://todo@db.example:5432/todo"
SHOW = """
import json
from django.conf import settings
database = settings.DATABASES["default"]
options = database["OPTIONS"]
print(json.dumps([database["HOST"], options["prepare_threshold"], options.get("options")]))
"""


def default_database(entry: str, **variables: str) -> list[object]:
    """Return the host of a process, after how many runs it prepares a statement, and options of the server."""
    done = subprocess.run(
        [sys.executable, "-c", entry + SHOW],
        cwd=BACKEND,
        env={"DJANGO_ENV": "test", "DJANGO_SETTINGS_MODULE": "todo_project.settings"} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("import todo_project.wsgi", ["pooler.example", None, None]),
        ("import todo_project.asgi", ["pooler.example", None, None]),
        ("import runpy; runpy.run_path('gunicorn.conf.py')", ["pooler.example", None, None]),
        ("import sys, manage; sys.argv = ['manage.py', 'help']; manage.main()", ["db.example", 2, LIMIT]),
        ("", ["db.example", 2, LIMIT]),
    ],
)
def test_only_servers_go_through_the_pooler(entry: str, expected: list[object]) -> None:
    assert default_database(entry, DATABASE_URL=POOLED, DATABASE_DIRECT_URL=DIRECT) == expected


@pytest.mark.parametrize("entry", ["import todo_project.wsgi", ""])
def test_without_a_pooler_there_is_one_way(entry: str) -> None:
    assert default_database(entry, DATABASE_URL=DIRECT) == ["db.example", 2, LIMIT]
