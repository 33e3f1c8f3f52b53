"""Commands go past the pooler that requests go through."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BACKEND = Path(__file__).resolve().parents[3]
POOLED = "postgres://todo@pooler.example:6432/todo?disable_server_side_cursors=true"
DIRECT = "postgres://todo@db.example:5432/todo"
SHOW = """
import json
from django.conf import settings
database = settings.DATABASES["default"]
print(json.dumps([database["HOST"], database["OPTIONS"]["prepare_threshold"]]))
"""


def default_database(*, is_command: bool, **variables: str) -> list[object]:
    """Give the host that a process talks to, and after how many runs it prepares a statement."""
    door = f"import todo_project; todo_project.is_command = {is_command}"
    done = subprocess.run(
        [sys.executable, "-c", door + SHOW],
        cwd=BACKEND,
        env={"DJANGO_ENV": "test", "DJANGO_SETTINGS_MODULE": "todo_project.settings"} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("is_command", "expected"), [(False, ["pooler.example", None]), (True, ["db.example", 0])], ids=str
)
def test_only_requests_go_through_the_pooler(is_command: bool, expected: list[object]) -> None:
    urls = {"DATABASE_URL": POOLED, "DATABASE_DIRECT_URL": DIRECT}
    assert default_database(is_command=is_command, **urls) == expected


def test_without_a_pooler_all_go_one_way() -> None:
    assert default_database(is_command=True, DATABASE_URL=DIRECT) == ["db.example", 0]


def test_manage_py_runs_commands() -> None:
    code = (
        "import todo_project, manage; print(todo_project.is_command); manage.main(); print(todo_project.is_command)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "help", "--commands"],
        cwd=BACKEND,
        env={"DJANGO_ENV": "test"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line for line in done.stdout.splitlines() if line in {"True", "False"}] == ["False", "True"]
