"""The app that holds the API's own tables."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Keeps the old label, which the tables and migrations of existing databases are named after."""

    name = "todo_project.api"
    label = "common"
