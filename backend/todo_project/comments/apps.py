"""The configuration of the comments app."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.apps import AppConfig


def _without_text(values: Mapping[str, Any]) -> dict[str, Any]:
    """Hide texts in activity: a deleted one would stay readable, and earlier ones are not for everybody."""
    return {**values, **({"text": None} if "text" in values else {})}


def _in_project(rows: Any, project_id: uuid.UUID) -> Any:
    return rows.filter(task__project_id=project_id)


class CommentsConfig(AppConfig):
    """Comments on tasks, with their earlier texts."""

    name = "todo_project.comments"

    def ready(self) -> None:
        """Send comments with the changes of everything else."""
        from todo_project.comments.api.serializers import RESOURCE  # noqa: PLC0415 - needs the models
        from todo_project.todos.api import kinds  # noqa: PLC0415 - as above

        comment = kinds.Kind(resource=RESOURCE, in_project=_in_project, combine=_without_text)
        kinds.register("comment", comment)
