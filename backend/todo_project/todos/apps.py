"""The configuration of the todos app."""

from __future__ import annotations

from django.apps import AppConfig


class TodosConfig(AppConfig):
    """Projects, sections, tasks and labels."""

    name = "todo_project.todos"

    def ready(self) -> None:
        """Register the system checks, and the creation of the Inbox for new accounts."""
        from todo_project.accounts.services import registration  # noqa: PLC0415 - needs the models
        from todo_project.todos import checks  # noqa: F401, PLC0415 - registers them
        from todo_project.todos.services import projects  # noqa: PLC0415 - as above

        registration.after_registration.append(projects.create_inbox)
