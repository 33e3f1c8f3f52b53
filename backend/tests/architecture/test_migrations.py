"""Migrations match the models and can run while the previous release still serves."""

from __future__ import annotations

import ast
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.architecture.source import PACKAGE, tree
from todo_project.ops.releases import Incompatibility, check_pending

OWN = ("accounts", "common", "todos", "imports", "notifications", "ops")


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


def ours() -> dict[str, list[Incompatibility]]:
    """Check each of our migrations after an app's first one, as if only the first ones were applied.

    Only a real database knows the size of a table, so locks are checked before a deployment instead.
    """
    loader = MigrationLoader(connection)
    first = {key for key in loader.disk_migrations if key[0] not in OWN or key[1].startswith("0001_")}
    plan = check_pending(connection, applied=first, is_big=lambda _: False)
    return {f"{each.app}.{each.name}": each.incompatibilities for each in plan}


def test_every_migration_of_our_own_is_examined(db: None) -> None:
    files = {f"{app}.{path.stem}" for app in OWN for path in migrations(app)}
    assert set(ours()) == {name for name in files if ".0001_" not in name}


def test_migrations_do_not_break_the_release_before_unless_they_say_so(db: None) -> None:
    broken = {name: incompatibilities for name, incompatibilities in ours().items() if incompatibilities}
    assert {
        name for name, incompatibilities in broken.items() if incompatibilities[0].kind != "Declared"
    } == set(), broken


def test_what_a_migration_says_of_itself_is_a_reason() -> None:
    for path in [path for app in OWN for path in migrations(app)]:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"safe_to_roll", "unsafe_to_roll"}:
                assert len(str(ast.literal_eval(node.value)).split()) >= 3, f"{path.name}: line {node.lineno}"
