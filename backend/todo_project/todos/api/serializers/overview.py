"""The JSON of the overview."""

from __future__ import annotations

from rest_framework import serializers

from todo_project.api.serializers import StrictSerializer


class CountsSerializer(StrictSerializer):
    """The numbers of tasks in a project, or with a label."""

    id = serializers.UUIDField(help_text="The id of the project or the label.")
    open = serializers.IntegerField(help_text="How many tasks are not completed.")
    due_today = serializers.IntegerField(help_text="How many of them the filter `due:today` matches.")
    overdue = serializers.IntegerField(help_text="How many of them the filter `overdue` matches.")

    example = {"id": "019aaf3e-7d10-7a00-8000-0000000000b1", "open": 12, "due_today": 3, "overdue": 1}


class OverviewOut(StrictSerializer):
    """The numbers of all tasks that the caller sees, and those of each project and label with open tasks."""

    open = serializers.IntegerField()
    due_today = serializers.IntegerField()
    overdue = serializers.IntegerField()
    projects = CountsSerializer(many=True)
    labels = CountsSerializer(many=True)

    example = {
        "open": 12,
        "due_today": 3,
        "overdue": 1,
        "projects": [CountsSerializer.example],
        "labels": [{"id": "019aaf3e-7d10-7a00-8000-0000000000c1", "open": 2, "due_today": 0, "overdue": 1}],
    }
