from __future__ import annotations

from django.db import migrations

from todo_project.db.changes.operations import LogChanges


class Migration(migrations.Migration):
    safe_to_roll = "the triggers write a table of their own, whatever the release before writes"
    atomic = False
    dependencies = [("todos", "0016_task_assignee")]
    operations = [LogChanges("todos_taskassignee")]
