from __future__ import annotations

from django.db import migrations, models

from todo_project.db.postgresql.operations import SortByCodePoint


class Migration(migrations.Migration):
    safe_to_roll = "the release before sorts positions in Python as the collation C does"
    atomic = False
    dependencies = [("todos", "0007_task_uid")]
    operations = [
        SortByCodePoint("project", "position"),
        SortByCodePoint("section", "position"),
        SortByCodePoint("task", "position"),
        migrations.AlterField(
            model_name="task",
            name="priority",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "None"), (1, "Low"), (2, "Medium"), (3, "High"), (4, "Urgent")], default=0
            ),
        ),
    ]
