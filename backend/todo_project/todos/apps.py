"""The configuration of the todos app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

from todo_project.db.changes import sqlite


class TodosConfig(AppConfig):
    """Projects, sections, tasks, labels and saved filters."""

    name = "todo_project.todos"

    def ready(self) -> None:
        """Register the system checks, the log of changes on SQLite, and what every account begins with."""
        from todo_project.accounts.services import registration  # noqa: PLC0415 - needs the models
        from todo_project.todos import checks  # noqa: F401, PLC0415 - registers them
        from todo_project.todos.services import filters, projects  # noqa: PLC0415 - as above

        registration.after_registration += [projects.create_inbox, filters.create_usual]
        connection_created.connect(sqlite.add_functions)
        pre_migrate.connect(_remove_triggers, sender=self)
        post_migrate.connect(_install_triggers, sender=self)


def _remove_triggers(using: str, **_: Any) -> None:
    if connections[using].vendor == "sqlite":
        sqlite.remove(connections[using])


def _install_triggers(using: str, **_: Any) -> None:
    if connections[using].vendor == "sqlite":
        sqlite.install(connections[using])
