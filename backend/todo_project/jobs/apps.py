"""Registers the jobs of all apps."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    """Imports the tasks.py of every app."""

    name = "todo_project.jobs"

    def ready(self) -> None:
        """Import every tasks.py, which registers its jobs."""
        autodiscover_modules("tasks")
