from __future__ import annotations

from django.db import migrations, models

from todo_project.db.code_points import ByCodePoint
from todo_project.db.postgresql.operations import AddIndexConcurrently

_ALIVE = models.Q(("deleted_at", None))
_OPEN = models.Q(("completed_at", None), ("deleted_at", None))
_KINDS = {
    "day": models.Q(("due_date__isnull", False)),
    "time": models.Q(("due_at__isnull", False), ("due_date", None)),
    "undated": models.Q(("due_at", None), ("due_date", None)),
}


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("todos", "0022_task_completed")]
    operations = [
        AddIndexConcurrently("task", index)
        for index in (
            models.Index(fields=["owner", "due_date", "due_at", "id"], name="task_due", condition=_ALIVE),
            models.Index(fields=["owner", "due_date", "due_at", "id"], name="task_due_open", condition=_OPEN),
            *(
                models.Index(
                    fields=["owner", "-priority", "due_date", "due_at", "id"],
                    name=f"task_urgent_{name}",
                    condition=_OPEN & condition,
                )
                for name, condition in _KINDS.items()
            ),
            models.Index(fields=["owner", "priority", "id"], name="task_priority", condition=_ALIVE),
            models.Index(fields=["owner", "created_at", "id"], name="task_created", condition=_ALIVE),
            models.Index(
                models.F("owner"), ByCodePoint("title"), models.F("id"), name="task_title", condition=_ALIVE
            ),
        )
    ]
