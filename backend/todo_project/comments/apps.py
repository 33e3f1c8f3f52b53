"""The configuration of the comments app."""

from __future__ import annotations

from django.apps import AppConfig


class CommentsConfig(AppConfig):
    """Comments on tasks, with their earlier texts."""

    name = "todo_project.comments"
