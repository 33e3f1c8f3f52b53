"""Registers the operations app."""

from __future__ import annotations

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """Running the service: health, metrics, request id, logs, deploy checks. It knows no domain."""

    name = "todo_project.ops"
