"""What is left of that which Django does around each request."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from django.core import signals
from django.db import connections
import todo_project.wsgi

for signal in (signals.request_started, signals.request_finished):
    receivers, _ = signal._live_receivers(None)
    print(*sorted(receiver.__name__ for receiver in receivers))
"""


@pytest.mark.parametrize(
    ("seconds", "at_the_end"), [("60", ""), ("0", "close_old_connections")], ids=["kept", "not kept"]
)
def test_a_request_does_no_more_than_its_connections_need(
    bare_backend: Path, seconds: str, at_the_end: str
) -> None:
    values = {
        "DJANGO_ENV": "prod",
        "DJANGO_SETTINGS_MODULE": "todo_project.settings",
        "SITE_URL": "https://todo.example.org",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": f"postgres://todo_user:{secrets.token_urlsafe(24)}@db:5432/todo_db",
        "DATABASE_CONN_MAX_AGE": seconds,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=bare_backend,
        env={"PATH": os.environ["PATH"]} | values,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.split("\n") == ["close_old_connections", at_the_end, ""]
