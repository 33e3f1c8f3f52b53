"""Copy the project of tasks to their labels, for an index. It can be interrupted and run again."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Subquery

from todo_project.db.changes.operations import LogChanges
from todo_project.db.copied import Copied, KeepCopies
from todo_project.db.postgresql.operations import AddIndexConcurrently

BATCH = 5_000


def fill(apps: Any, schema_editor: Any) -> None:
    """Set the column of the rows that there were before the triggers."""
    links = apps.get_model("todos", "TaskLabel").objects.order_by("id")
    task = apps.get_model("todos", "Task").objects.filter(id=OuterRef("task_id"))
    last = 0
    while ids := list(links.filter(id__gt=last).values_list("id", flat=True)[:BATCH]):
        rows = links.filter(id__gt=last, id__lte=ids[-1], project_id=None).order_by()
        rows.update(project_id=Subquery(task.values("project_id")))
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False
    safe_to_roll = "triggers fill the column, which the previous release does not know"
    dependencies = [("todos", "0025_task_label_project")]
    operations = [
        # a new copy of the project is no change of the task's labels
        LogChanges("todos_tasklabel", "todos_taskassignee", replaces=True),
        KeepCopies(
            Copied(table="todos_tasklabel", column="project_id", reference="task_id", original="todos_task")
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            model_name="tasklabel",
            index=models.Index(fields=["project_id", "label"], name="task_label_in_project"),
        ),
    ]
