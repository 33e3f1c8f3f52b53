from __future__ import annotations

from django.db import migrations

from todo_project.db.changes.operations import LogChanges


class Migration(migrations.Migration):
    safe_to_roll = "the triggers write a table of their own, whatever the release before writes"
    atomic = False
    dependencies = [("comments", "0001_initial")]
    # of tasks too: when a task comes into sight, so do its comments
    operations = [LogChanges("comments_comment", "todos_task")]
