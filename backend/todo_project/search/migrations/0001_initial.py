from __future__ import annotations

import todo_project.db.words.fields
from django.db import migrations, models

from todo_project.db.postgresql.operations import CreateExtension
from todo_project.db.words.operations import CreateWords


class Migration(migrations.Migration):
    safe_to_roll = "the release before knows neither the functions nor the table"
    initial = True
    dependencies = [("todos", "0019_change_of_request"), ("comments", "0003_deleted_by")]
    operations = [
        CreateExtension("pg_trgm"),
        CreateWords(),
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=20)),
                ("object_id", models.UUIDField()),
                ("task_id", models.UUIDField()),
                ("owner_id", models.UUIDField()),
                ("project_id", models.UUIDField()),
                ("title", todo_project.db.words.fields.TitleField()),
                ("words", todo_project.db.words.fields.WordsField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["object_id", "kind"], name="document_once")],
                "indexes": [
                    models.Index(fields=["task_id"], name="document_of_task"),
                    models.Index(fields=["owner_id", "object_id"], name="document_of_owner"),
                    models.Index(fields=["project_id", "object_id"], name="document_in_project"),
                ],
            },
        ),
    ]
