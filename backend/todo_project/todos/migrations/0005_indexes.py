from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from todo_project.db.postgresql.operations import AddIndexConcurrently, DropForeignKeyIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("todos", "0004_constraints")]
    operations = [
        DropForeignKeyIndex(
            model_name='label',
            name='owner',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        DropForeignKeyIndex(
            model_name='project',
            name='owner',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        DropForeignKeyIndex(
            model_name='section',
            name='owner',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        DropForeignKeyIndex(
            model_name='task',
            name='owner',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        DropForeignKeyIndex(
            model_name='task',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='todos.project'),
        ),
        DropForeignKeyIndex(
            model_name='tasklabel',
            name='task',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='task_labels', to='todos.task'),
        ),
        AddIndexConcurrently(
            model_name='label',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='label_trash'),
        ),
        AddIndexConcurrently(
            model_name='project',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='project_trash'),
        ),
        AddIndexConcurrently(
            model_name='section',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='section_trash'),
        ),
        AddIndexConcurrently(
            model_name='task',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='task_trash'),
        ),
    ]
