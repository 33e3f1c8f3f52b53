from __future__ import annotations

from django.db import migrations, models

from todo_project.db.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("todos", "0019_change_of_request")]
    operations = [
        AddIndexConcurrently(
            model_name="change",
            index=models.Index(fields=["xid", "id"], name="change_in_order"),
        ),
    ]
