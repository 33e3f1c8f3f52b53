"""The configuration of the search app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

from todo_project.db.words import sqlite, triggers


class SearchConfig(AppConfig):
    """Finds tasks and comments by their words."""

    name = "todo_project.search"

    def ready(self) -> None:
        """Give SQLite its functions and triggers."""
        connection_created.connect(sqlite.add_functions)
        pre_migrate.connect(_remove_triggers, sender=self)
        post_migrate.connect(_install_triggers, sender=self)


def _remove_triggers(using: str, **_: Any) -> None:
    if connections[using].vendor == "sqlite":
        triggers.remove_from_sqlite(connections[using])


def _install_triggers(using: str, **_: Any) -> None:
    if connections[using].vendor == "sqlite":
        triggers.install_on_sqlite(connections[using])
