"""The configuration of the search app."""

from __future__ import annotations

from django.apps import AppConfig

from todo_project.db.triggers import keep_on_sqlite
from todo_project.db.words import sqlite, triggers


class SearchConfig(AppConfig):
    """Finds tasks and comments by their words."""

    name = "todo_project.search"

    def ready(self) -> None:
        """Give SQLite its functions and triggers."""
        keep_on_sqlite(
            self,
            add_functions=sqlite.add_functions,
            install=triggers.install_on_sqlite,
            remove=triggers.remove_from_sqlite,
        )
