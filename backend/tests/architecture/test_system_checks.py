"""Django's system checks pass; a start runs only those of the settings (migrate_locked)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks

from tests.config.conftest import KEY, PASSWORD


def test_they_find_nothing(db: None) -> None:
    assert run_checks() == []


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_nor_do_those_of_a_deployment(bare_backend: Path, environment: str) -> None:
    values = {
        "DJANGO_ENV": environment,
        "SITE_URL": "https://todo.example.org",
        "SECRET_KEY": KEY,
        "DATABASE_URL": f"postgres://todo_user:{PASSWORD}@db:5432/todo_db",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=bare_backend,
        env={"PATH": os.environ["PATH"]} | values,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
