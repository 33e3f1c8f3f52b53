"""The debug toolbar keeps away from the API, whose hostile bodies it would fail on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[3]
ASK = """
import django
django.setup()
from django.conf import settings
from django.test import RequestFactory
show = settings.DEBUG_TOOLBAR_CONFIG["SHOW_TOOLBAR_CALLBACK"]
paths = ["/", "/admin/", "/__debug__/render_panel/", "/api/v1/tasks", "/api/docs/", "/health/live"]
print([path for path in paths if show(RequestFactory().get(path))])
print([path for path in paths if show(RequestFactory().post(path, "[", content_type="application/json"))])
"""


def test_the_toolbar_is_for_pages_only(tmp_path: Path):
    environment = os.environ | {
        "DJANGO_ENV": "dev",
        "DJANGO_SETTINGS_MODULE": "todo_project.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/dev.sqlite3",
    }
    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=BACKEND, env=environment, capture_output=True, text=True, check=True
    )
    assert asked.stdout.splitlines() == ["['/', '/admin/', '/__debug__/render_panel/']", "[]"]
