"""The configuration of the comments app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import AppConfig
from django.db.models import Q


def _without_text(values: Mapping[str, Any]) -> dict[str, Any]:
    """Hide texts in activity: a deleted one would stay readable, and earlier ones are not for everybody."""
    return {**values, **({"text": None} if "text" in values else {})}


class CommentsConfig(AppConfig):
    """Comments on tasks, with their earlier texts."""

    name = "todo_project.comments"

    def ready(self) -> None:
        """Send comments with the changes of everything else, and delete them with tasks, but not with accounts."""
        from todo_project.accounts.services import deletion  # noqa: PLC0415 - needs the models
        from todo_project.comments import services  # noqa: PLC0415 - as above
        from todo_project.comments.api.serializers import RESOURCE  # noqa: PLC0415 - as above
        from todo_project.todos.api import kinds  # noqa: PLC0415 - as above
        from todo_project.todos.services import purge  # noqa: PLC0415 - as above

        comment = kinds.Kind(resource=RESOURCE, holders=Q(comment_count__gt=0), combine=_without_text)
        kinds.register("comment", comment)
        deletion.before_deletion.append(services.forget_author)
        purge.before_tasks.append(services.delete_of_tasks)
