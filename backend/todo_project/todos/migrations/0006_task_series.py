from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("todos", "0005_indexes")]
    operations = [
        migrations.AddField("task", "excluded_dates", models.JSONField(blank=True, null=True)),
        migrations.AddField(
            "task", "skipped_wall_times", models.JSONField(blank=True, editable=False, null=True)
        ),
    ]
