"""Note which next tasks are in another project, so that they are not shown with the task before them.

It is a migration of its own, so that the table is not locked while it is read, and can be run again. The triggers
leave the column out of the log first, where the previous release does not know it.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import F
from django.utils import timezone

from todo_project.db.changes.operations import LogChanges


def note(apps: Any, schema_editor: Any) -> None:
    """Set the column of the tasks that there are. What the previous release moves, `repair_sharing` notes."""
    followed = apps.get_model("todos", "Task").objects.filter(is_next_elsewhere=False).exclude(next_task=None)
    apart = followed.exclude(next_task__project_id=F("project_id"))
    apart.update(is_next_elsewhere=True, version=F("version") + 1, updated_at=timezone.now())


class Migration(migrations.Migration):
    safe_to_roll = "the previous release does not know the column, and the triggers do not log it"
    atomic = False
    dependencies = [("todos", "0029_next_elsewhere")]
    operations = [
        LogChanges("todos_task", replaces=True),
        migrations.RunPython(note, migrations.RunPython.noop),
    ]
