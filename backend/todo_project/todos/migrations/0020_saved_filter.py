import django.db.models.deletion
import todo_project.db.rows
from django.conf import settings
from django.db import migrations, models

from todo_project.db.changes.operations import LogChanges
from todo_project.db.postgresql.operations import SortByCodePoint


class Migration(migrations.Migration):
    safe_to_roll = "the release before does not use the table"
    atomic = False

    dependencies = [
        ('todos', '0019_change_of_request'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.UUIDField(default=todo_project.db.rows.uuid7, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(editable=False)),
                ('updated_at', models.DateTimeField(editable=False)),
                ('deleted_at', models.DateTimeField(editable=False, null=True)),
                ('name', models.CharField(max_length=200)),
                ('query', models.CharField(max_length=1000)),
                ('is_pinned', models.BooleanField(default=False)),
                ('position', models.CharField(max_length=100)),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='filter_trash'), models.Index(fields=['owner', 'id'], name='filter_list'), models.Index(fields=['owner', 'updated_at', 'id'], name='filter_changes')],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='filter_name_is_not_empty', violation_error_message='The name cannot be empty.'), models.CheckConstraint(condition=models.Q(('query', ''), _negated=True), name='filter_query_is_not_empty', violation_error_message='The query cannot be empty.'), models.CheckConstraint(condition=models.Q(('position__regex', '^[0-9a-z]*[1-9a-z]\\Z')), name='filter_position_is_valid', violation_error_message='Use digits and lower-case letters; the last character must not be 0.')],
            },
        ),
        SortByCodePoint("savedfilter", "position"),
        LogChanges("todos_savedfilter"),
    ]
