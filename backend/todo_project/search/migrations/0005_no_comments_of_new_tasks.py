"""Recreate the triggers: the insertion of a task no longer looks for its comments."""

from __future__ import annotations

from django.db import migrations

from todo_project.db.words.operations import KeepDocuments


class Migration(migrations.Migration):
    safe_to_roll = "the triggers write the same documents as before"
    atomic = False
    dependencies = [("search", "0004_letters_with_strokes")]
    operations = [KeepDocuments()]
