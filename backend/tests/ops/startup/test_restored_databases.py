"""What a restore asks the image: which migrations it has, and to migrate a database beside the one in use."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.architecture.source import PACKAGE


def test_an_image_names_every_migration_it_has_without_a_database() -> None:
    said = StringIO()

    call_command("known_migrations", stdout=said)  # pytest-django would refuse a query here

    names = said.getvalue().split()
    ours = {f"ops.{path.stem}" for path in (PACKAGE / "ops/migrations").glob("[0-9]*.py")}
    assert set(names) >= ours | {"auth.0001_initial"}
    assert names == sorted(set(names))
    assert len(names) == len(MigrationLoader(None).disk_migrations)


def test_a_database_beside_the_one_in_use_is_the_one_that_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", connection.settings_dict["NAME"])  # put back at the end
    asked: list[Any] = []

    def nothing_pending(asking: Any) -> list[str]:
        asked.append(asking.settings_dict["NAME"])
        return []

    monkeypatch.setattr("todo_project.ops.management.commands.migrate_locked.pending_migrations", nothing_pending)

    call_command("migrate_locked", "--beside", "todo_db_restoring", stdout=StringIO())

    assert asked == ["todo_db_restoring"]
