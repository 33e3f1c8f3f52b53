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


class FilterCountsSerializer(StrictSerializer):
    """The numbers of tasks that a saved filter matches; null if its query has an error."""

    id = serializers.UUIDField(help_text="The id of the saved filter.")
    open = serializers.IntegerField(allow_null=True)
    due_today = serializers.IntegerField(allow_null=True)
    overdue = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(
        allow_null=True, help_text="Why there are no numbers: mostly, the query names something that is gone."
    )

    example = {"id": "019aaf3e-7d10-7a00-8000-000000000111", "open": 4, "due_today": 3, "overdue": 1, "error": None}


class OverviewOut(StrictSerializer):
    """The numbers of all tasks that the caller sees, and those of projects, labels and saved filters."""

    open = serializers.IntegerField()
    due_today = serializers.IntegerField()
    overdue = serializers.IntegerField()
    projects = CountsSerializer(many=True)
    labels = CountsSerializer(many=True)
    filters = FilterCountsSerializer(many=True)

    example = {
        "open": 12,
        "due_today": 3,
        "overdue": 1,
        "projects": [CountsSerializer.example],
        "labels": [{"id": "019aaf3e-7d10-7a00-8000-0000000000c1", "open": 2, "due_today": 0, "overdue": 1}],
        "filters": [FilterCountsSerializer.example],
    }
