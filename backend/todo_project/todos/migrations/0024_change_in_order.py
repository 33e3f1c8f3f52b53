from __future__ import annotations

from django.db import migrations, models

from todo_project.db.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("todos", "0023_task_sorting")]
    operations = [
        AddIndexConcurrently(
            model_name="change",
            index=models.Index(fields=["xid", "id"], name="change_in_order"),
        ),
    ]
