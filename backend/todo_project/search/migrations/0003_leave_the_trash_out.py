"""Recreate the triggers: they skip the trash, and use the new row instead of reading it."""

from __future__ import annotations

from django.db import migrations

from todo_project.db.words.operations import KeepDocuments


class Migration(migrations.Migration):
    safe_to_roll = "the triggers write the same documents as before"
    atomic = False
    dependencies = [("search", "0002_keep_documents")]
    operations = [KeepDocuments()]
