from __future__ import annotations

from django.db import migrations, models

from todo_project.db.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("todos", "0001_initial")]
    operations = [
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                condition=models.Q(("completed_at", None), ("deleted_at", None)),
                fields=["owner", "id"],
                name="task_open",
            ),
        ),
    ]
