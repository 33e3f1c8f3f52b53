"""The app that finds every app's jobs."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    """Registers the jobs when Django starts."""

    name = "todo_project.jobs"

    def ready(self) -> None:
        """Import every app's tasks.py, which registers its jobs."""
        autodiscover_modules("tasks")
