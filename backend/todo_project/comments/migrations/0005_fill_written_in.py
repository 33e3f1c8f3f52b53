"""Fill `written_in` of the comments that there are, which is no change for people. It can be run again."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery

from todo_project.db.changes.operations import LogChanges

BATCH = 5_000


def fill(apps: Any, schema_editor: Any) -> None:
    """Set the column to the project in which the task is now."""
    comments = apps.get_model("comments", "Comment").objects.filter(written_in=None)
    project_id = apps.get_model("todos", "Task").objects.filter(id=OuterRef("task_id")).values("project_id")
    last = None
    while ids := list(
        (comments.filter(id__gt=last) if last else comments).order_by("id").values_list("id", flat=True)[:BATCH]
    ):
        comments.filter(id__in=ids).update(written_in=Subquery(project_id))
        last = ids[-1]


class Migration(migrations.Migration):
    safe_to_roll = "the previous release does not know the column, and the triggers write the same log"
    atomic = False
    dependencies = [("comments", "0004_written_in")]
    operations = [
        LogChanges("comments_comment", replaces=True),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
