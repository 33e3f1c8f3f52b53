from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

from todo_project.db.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("todos", "0018_invitation")]
    operations = [
        AddIndexConcurrently(
            model_name="change",
            index=models.Index(
                fields=["actor_id", "request_id", "id"],
                name="change_of_request",
                condition=Q(actor_id__isnull=False),
            ),
        ),
    ]
