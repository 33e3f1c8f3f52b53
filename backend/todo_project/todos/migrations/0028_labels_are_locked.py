"""Lock the label that a task gets, so that a change of the label at the same time waits, and reaches its readers."""

from __future__ import annotations

from django.db import migrations

from todo_project.db.postgresql.operations import CheckImmediately


class Migration(migrations.Migration):
    safe_to_roll = "only the time of the check changes, and the previous release inserts labels before their uses"
    dependencies = [("todos", "0027_task_taken_back")]
    operations = [CheckImmediately("tasklabel", "label")]
