from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("todos", "0008_sort_by_code_point")]
    operations = [
        migrations.AddField(
            "task",
            "missing_parent_uid",
            models.CharField(blank=True, db_default="", default="", editable=False, max_length=255),
        ),
    ]
