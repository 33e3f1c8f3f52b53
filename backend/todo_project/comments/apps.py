"""The configuration of the comments app."""

from __future__ import annotations

import uuid
from typing import Any

from django.apps import AppConfig


def _in_project(rows: Any, project_id: uuid.UUID) -> Any:
    return rows.filter(task__project_id=project_id)


class CommentsConfig(AppConfig):
    """Comments on tasks, with their earlier texts."""

    name = "todo_project.comments"

    def ready(self) -> None:
        """Send comments with the changes of everything else."""
        from todo_project.comments.api.serializers import RESOURCE  # noqa: PLC0415 - needs the models
        from todo_project.todos.api import kinds  # noqa: PLC0415 - as above

        kinds.register("comment", kinds.Kind(resource=RESOURCE, in_project=_in_project))
