"""Registers the to-do domain."""

from __future__ import annotations

from django.apps import AppConfig


class TodosConfig(AppConfig):
    """The domain: projects, sections, tasks, labels."""

    name = "todo_project.todos"

    def ready(self) -> None:
        """Register the checks, and give every account its Inbox with its registration."""
        from todo_project.accounts.services import registration  # noqa: PLC0415 - models are not loaded earlier
        from todo_project.todos import checks  # noqa: F401, PLC0415 - registers them
        from todo_project.todos.services import projects  # noqa: PLC0415 - as above

        registration.after_registration.append(projects.create_inbox)
