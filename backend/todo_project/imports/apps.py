"""Registers the imports app."""

from __future__ import annotations

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Reads what other programs wrote."""

    name = "todo_project.imports"
