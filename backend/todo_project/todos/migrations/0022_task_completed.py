from __future__ import annotations

from django.db import migrations, models

from todo_project.db.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("todos", "0021_usual_filters")]
    operations = [
        AddIndexConcurrently(
            "task",
            models.Index(
                condition=models.Q(completed_at__isnull=False, deleted_at=None),
                fields=["owner", "completed_at"],
                name="task_completed",
            ),
        )
    ]
