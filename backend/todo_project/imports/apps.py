"""The configuration of the imports app."""

from __future__ import annotations

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Imports files of other programs."""

    name = "todo_project.imports"
