from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("todos", "0024_change_in_order")]
    operations = [
        migrations.AddField(
            model_name="tasklabel",
            name="project_id",
            field=models.UUIDField(editable=False, null=True),
        ),
    ]
