from __future__ import annotations

from django.db import migrations

from todo_project.db.postgresql.operations import AddIndexConcurrently
from todo_project.db.words.fields import WordsIndex
from todo_project.db.words.operations import FillDocuments, KeepDocuments


class Migration(migrations.Migration):
    safe_to_roll = "the triggers write a table of their own, whatever the release before writes"
    atomic = False
    dependencies = [("search", "0001_initial")]
    operations = [
        KeepDocuments(),
        FillDocuments(),
        AddIndexConcurrently(
            model_name="document",
            index=WordsIndex(fields=["words"], name="document_words", gin_pending_list_limit=1024),
        ),
        AddIndexConcurrently(
            model_name="document",
            index=WordsIndex(
                fields=["title"], name="document_title", opclasses=["gin_trgm_ops"], gin_pending_list_limit=1024
            ),
        ),
    ]
