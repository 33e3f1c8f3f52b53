"""Note which next tasks are in another project than the task before them, so that they are not shown with it."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import F
from django.utils import timezone


def note(apps: Any, schema_editor: Any) -> None:
    """Set the column of the tasks that there are. What the previous release moves, `repair_sharing` notes."""
    followed = apps.get_model("todos", "Task").objects.exclude(next_task=None)
    apart = followed.exclude(next_task__project_id=F("project_id"))
    apart.update(is_next_elsewhere=True, version=F("version") + 1, updated_at=timezone.now())


class Migration(migrations.Migration):
    safe_to_roll = "the column has a default in the database, and the previous release does not read it"
    dependencies = [("todos", "0028_labels_are_locked")]
    operations = [
        migrations.AddField(
            model_name="task",
            name="is_next_elsewhere",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.RunPython(note, migrations.RunPython.noop),
    ]
