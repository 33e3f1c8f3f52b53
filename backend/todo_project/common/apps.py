"""Registers the tables and jobs that several apps share."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CommonConfig(AppConfig):
    """What two or more apps need; it knows none of them."""

    name = "todo_project.common"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Load every app's tasks.py, so that each job is known by its name."""
        autodiscover_modules("tasks")
