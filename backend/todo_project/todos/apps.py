"""The configuration of the todos app."""

from __future__ import annotations

from django.apps import AppConfig

from todo_project.db import copied
from todo_project.db.changes import sqlite
from todo_project.db.triggers import keep_on_sqlite


class TodosConfig(AppConfig):
    """Projects, sections, tasks, labels and saved filters."""

    name = "todo_project.todos"

    def ready(self) -> None:
        """Register the system checks, the log of changes on SQLite, and what accounts begin and end with."""
        from todo_project.accounts.services import deletion, registration  # noqa: PLC0415 - need the models
        from todo_project.todos import checks  # noqa: F401, PLC0415 - registers them
        from todo_project.todos.services import closing, filters, projects  # noqa: PLC0415 - as above

        registration.after_registration += [projects.create_inbox, filters.create_usual]
        deletion.before_deletion.append(closing.close)
        keep_on_sqlite(self, install=copied.install_on_sqlite, remove=copied.remove_from_sqlite)
        keep_on_sqlite(self, install=sqlite.install, remove=sqlite.remove, add_functions=sqlite.add_functions)
