from __future__ import annotations

from django.db import migrations, models

from todo_project.db.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("todos", "0006_task_series")]
    operations = [
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                condition=models.Q(("uid", ""), _negated=True), fields=["owner", "uid"], name="task_uid"
            ),
        ),
    ]
