from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

from todo_project.db.postgresql.operations import AddConstraintNotValid, ValidateConstraint

mend_values = import_module("todo_project.todos.migrations.0003_mend_rows").mend_values


class Migration(migrations.Migration):
    safe_to_roll = "the release before writes none of what these refuse, except in its admin, where it is an error"
    atomic = False
    dependencies = [("todos", "0003_mend_rows")]
    operations = [
        AddConstraintNotValid(
            model_name='label',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='label_name_is_not_empty', violation_error_message='The name cannot be empty.'),
        ),
        AddConstraintNotValid(
            model_name='label',
            constraint=models.CheckConstraint(condition=models.Q(('color__regex', '^(#[0-9a-f]{6})?\\Z')), name='label_color_is_valid', violation_error_message='Use #rrggbb in lower case, such as #3b82f6, or leave the colour empty.'),
        ),
        AddConstraintNotValid(
            model_name='project',
            constraint=models.CheckConstraint(condition=models.Q(('is_archived', True), ('is_inbox', True), _negated=True), name='project_inbox_is_not_archived'),
        ),
        AddConstraintNotValid(
            model_name='project',
            constraint=models.CheckConstraint(condition=models.Q(('id', models.F('parent')), _negated=True), name='project_is_not_its_own_parent'),
        ),
        AddConstraintNotValid(
            model_name='project',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='project_name_is_not_empty', violation_error_message='The name cannot be empty.'),
        ),
        AddConstraintNotValid(
            model_name='project',
            constraint=models.CheckConstraint(condition=models.Q(('color__regex', '^(#[0-9a-f]{6})?\\Z')), name='project_color_is_valid', violation_error_message='Use #rrggbb in lower case, such as #3b82f6, or leave the colour empty.'),
        ),
        AddConstraintNotValid(
            model_name='project',
            constraint=models.CheckConstraint(condition=models.Q(('position__regex', '^[0-9a-z]*[1-9a-z]\\Z')), name='project_position_is_valid', violation_error_message='Use digits and lower-case letters; the last character must not be 0.'),
        ),
        AddConstraintNotValid(
            model_name='section',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='section_name_is_not_empty', violation_error_message='The name cannot be empty.'),
        ),
        AddConstraintNotValid(
            model_name='section',
            constraint=models.CheckConstraint(condition=models.Q(('position__regex', '^[0-9a-z]*[1-9a-z]\\Z')), name='section_position_is_valid', violation_error_message='Use digits and lower-case letters; the last character must not be 0.'),
        ),
        AddConstraintNotValid(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('recurrence_mode', ''), ('recurrence_rule', '')), models.Q(models.Q(('recurrence_rule', ''), _negated=True), ('recurrence_mode__in', ('schedule', 'completion'))), _connector='OR'), name='task_recurrence_has_rule_and_mode'),
        ),
        AddConstraintNotValid(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='task_title_is_not_empty', violation_error_message='The title cannot be empty.'),
        ),
        AddConstraintNotValid(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('position__regex', '^[0-9a-z]*[1-9a-z]\\Z')), name='task_position_is_valid', violation_error_message='Use digits and lower-case letters; the last character must not be 0.'),
        ),
        # again, for what the release before has written since, and for databases where the validation failed
        migrations.RunPython(mend_values, migrations.RunPython.noop),
        ValidateConstraint(model_name="label", name="label_name_is_not_empty"),
        ValidateConstraint(model_name="label", name="label_color_is_valid"),
        ValidateConstraint(model_name="project", name="project_inbox_is_not_archived"),
        ValidateConstraint(model_name="project", name="project_is_not_its_own_parent"),
        ValidateConstraint(model_name="project", name="project_name_is_not_empty"),
        ValidateConstraint(model_name="project", name="project_color_is_valid"),
        ValidateConstraint(model_name="project", name="project_position_is_valid"),
        ValidateConstraint(model_name="section", name="section_name_is_not_empty"),
        ValidateConstraint(model_name="section", name="section_position_is_valid"),
        ValidateConstraint(model_name="task", name="task_recurrence_has_rule_and_mode"),
        ValidateConstraint(model_name="task", name="task_title_is_not_empty"),
        ValidateConstraint(model_name="task", name="task_position_is_valid"),
    ]
