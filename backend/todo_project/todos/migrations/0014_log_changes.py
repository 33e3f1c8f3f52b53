from __future__ import annotations

from django.db import migrations

from todo_project.db.changes.operations import LogChanges


class Migration(migrations.Migration):
    safe_to_roll = "the triggers write a table of their own, whatever the release before writes"
    atomic = False
    dependencies = [("todos", "0013_change")]
    operations = [
        LogChanges(
            todos_project="dd57b32f",
            todos_section="a18345c5",
            todos_task="d022222e",
            todos_label="83db50e3",
            todos_tasklabel="6e98c301",
            todos_membership="99222af6",
        ),
    ]
