"""Ignore strokes through letters, and the points of Hebrew and Arabic; the texts are folded again."""

from __future__ import annotations

from django.db import migrations

from todo_project.db.words.operations import FoldAgain


class Migration(migrations.Migration):
    safe_to_roll = "the functions and the documents keep their shape; the previous release finds fewer such letters"
    atomic = False
    dependencies = [("search", "0003_leave_the_trash_out")]
    operations = [FoldAgain()]
