"""Migrations say what the models say, and can be run while the release before still serves."""

from __future__ import annotations

import ast
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django_migration_linter import MigrationLinter

from tests.architecture.source import BACKEND, PACKAGE, tree

OWN = ("accounts", "common", "todos", "imports", "ops")


def migrations(app: str) -> list[Path]:
    return sorted(path for path in (PACKAGE / app / "migrations").glob("[0-9]*.py"))


def test_the_migrations_are_complete(db: None) -> None:
    said = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=said, no_color=True)
    assert "No changes detected" in said.getvalue()


def test_each_app_has_one_last_migration(db: None) -> None:
    assert MigrationLoader(connection).detect_conflicts() == {}


@pytest.mark.parametrize("path", [path for app in OWN for path in migrations(app)], ids=lambda path: path.name)
def test_code_in_migrations_can_be_undone(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"RunPython", "RunSQL"}:
            names = {keyword.arg for keyword in node.keywords}
            assert len(node.args) > 1 or names & {"reverse_code", "reverse_sql"}, f"line {node.lineno}"


@pytest.mark.postgres
@pytest.mark.parametrize("app", [app for app in OWN if migrations(app)])
def test_migrations_do_not_break_the_release_before(db: None, app: str) -> None:
    linter = MigrationLinter(str(BACKEND), include_apps=[app], no_cache=True, quiet=["ok", "ignore"])
    linter.lint_all_migrations(app_label=app)
    assert linter.nb_total > 0
    assert not linter.has_errors
