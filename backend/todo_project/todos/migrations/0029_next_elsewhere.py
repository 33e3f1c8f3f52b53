"""Add the column that says whether the next task is in another project than the task before it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("todos", "0028_labels_are_locked")]
    operations = [
        migrations.AddField(
            model_name="task",
            name="is_next_elsewhere",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
