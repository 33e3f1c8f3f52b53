"""Find the parents that earlier imports missed, and index them. It can be interrupted and run again."""

from __future__ import annotations

import re
from typing import Any

from django.db import migrations, models

from todo_project.db.postgresql.operations import AddIndexConcurrently

BATCH = 500
LENGTH = 255
RELATED_TO = re.compile(r"^RELATED-TO((?:;[^:\r\n]*)?):[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)


def parent_uid(ical: str) -> str:
    """Return the first UID that the component names as its parent; an empty one if it is too long to be stored."""
    for parameters, uid in RELATED_TO.findall(ical):
        if "RELTYPE=" not in parameters.upper() or "RELTYPE=PARENT" in parameters.upper():
            return str(uid).strip() if len(str(uid).strip()) <= LENGTH else ""
    return ""


def fill(apps: Any, schema_editor: Any) -> None:
    """Set the column of tasks that have no parent; clients do not see it, so their versions stay."""
    tasks = apps.get_model("todos", "Task").objects
    alone = tasks.filter(parent=None, missing_parent_uid="", ical__icontains="RELATED-TO").order_by("id")
    last = None
    while rows := list((alone if last is None else alone.filter(id__gt=last)).only("id", "ical")[:BATCH]):
        for row in rows:
            row.missing_parent_uid = parent_uid(row.ical)
        tasks.bulk_update(rows, ["missing_parent_uid"])
        last = rows[-1].id


class Migration(migrations.Migration):
    atomic = False
    safe_to_roll = "it fills a column that the previous release does not know"
    dependencies = [("todos", "0009_task_missing_parent_uid")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                condition=models.Q(("missing_parent_uid", ""), _negated=True),
                fields=["owner", "missing_parent_uid"],
                name="task_missing_parent",
            ),
        ),
    ]
