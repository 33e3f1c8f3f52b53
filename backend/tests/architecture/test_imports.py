"""The import contracts hold, and each of them catches a violation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import BACKEND, PACKAGE

LINT = Path(sys.executable).parent / "lint-imports"


def lint(root: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    chosen = [part for contract in contracts for part in ("--contract", contract)]
    return subprocess.run(
        [LINT, "--no-logo", "--cache-dir", str(root / ".cache"), *chosen],
        cwd=root,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package; each test undoes its change."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(
        PACKAGE, root / "todo_project", ignore=shutil.ignore_patterns("__pycache__", "static", "templates")
    )
    shutil.copy(BACKEND / ".importlinter", root)
    return root


def test_the_contracts_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


PLANTED = [
    ("packages", "todos/models/rows.py", "import todo_project.imports"),
    ("packages", "accounts/models.py", "import todo_project.todos.models"),
    ("packages", "db/rows.py", "import todo_project.accounts.models"),
    ("packages", "api/etag.py", "import todo_project.urls"),
    ("packages", "accounts/models.py", "import todo_project.todos.models"),
    ("packages", "sharing.py", ""),
    ("apps", "todos/services/projects.py", "import todo_project.todos.api.urls"),
    ("apps", "todos/services/projects.py", "import todo_project.todos.tasks"),
    ("apps", "todos/models/rows.py", "import todo_project.todos.services.rows"),
    ("apps", "todos/tasks.py", "import todo_project.todos.api.urls"),
    ("apps", "todos/utils.py", ""),
    ("foundation", "api/models.py", "import todo_project.api.problems"),
    ("foundation", "db/helpers.py", ""),
    ("api", "todos/api/serializers/labels.py", "import todo_project.todos.api.views.labels"),
    ("api", "todos/api/views/labels.py", "import todo_project.todos.api.urls"),
    ("api", "todos/api/filters.py", ""),
    ("ops", "ops/http/pages.py", "import todo_project.accounts.models"),
    ("ops", "ops/http/pages.py", "import todo_project.todos.models"),
    ("settings", "todos/models/rows.py", "import todo_project.settings"),
    ("config", "todos/models/rows.py", "import todo_project.config"),
    ("config_alone", "config/variable.py", "import django.conf"),
    ("framework", "todos/services/rows.py", "import rest_framework"),
    ("framework", "jobs/queue.py", "import drf_spectacular.utils"),
]


@pytest.mark.parametrize(("contract", "module", "line"), PLANTED)
def test_a_planted_violation_is_caught(copy: Path, contract: str, module: str, line: str) -> None:
    path = copy / "todo_project" / module
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        done = lint(copy, contract)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout, done.stdout + done.stderr


def test_no_contract_is_untried() -> None:
    declared = {
        line.rpartition(":")[2].rstrip("]\n")
        for line in (BACKEND / ".importlinter").read_text(encoding="utf-8").splitlines()
        if line.startswith("[importlinter:contract:")
    }
    assert declared == {contract for contract, _, _ in PLANTED}
