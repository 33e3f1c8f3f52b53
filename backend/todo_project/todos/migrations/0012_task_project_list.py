from __future__ import annotations

from django.db import migrations, models

from todo_project.db.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("todos", "0011_membership")]
    operations = [
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(fields=["project", "id"], name="task_project_list"),
        ),
    ]
