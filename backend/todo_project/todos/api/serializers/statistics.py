"""The query and the JSON of statistics."""

from __future__ import annotations

from rest_framework import serializers

from todo_project.api.serializers import StrictSerializer
from todo_project.todos.services.statistics import DAYS_MAX


class StatisticsQuery(StrictSerializer):
    """How many days to list."""

    noun = "query parameter"

    days = serializers.IntegerField(
        min_value=1, max_value=DAYS_MAX, default=30, help_text="How many days to count, with today as the last."
    )


class DaySerializer(StrictSerializer):
    """How many tasks were completed on a day."""

    date = serializers.DateField()
    completed = serializers.IntegerField()

    example = {"date": "2026-11-30", "completed": 3}


class ProjectCountSerializer(StrictSerializer):
    """How many tasks of a project were completed on the listed days."""

    id = serializers.UUIDField(help_text="The id of the project.")
    completed = serializers.IntegerField()

    example = {"id": "019aaf3e-7d10-7a00-8000-0000000000b1", "completed": 3}


class StatisticsOut(StrictSerializer):
    """What was completed, and what is overdue."""

    days = DaySerializer(many=True)
    projects = ProjectCountSerializer(many=True)
    completed = serializers.IntegerField(help_text="On all listed days together.")
    overdue = serializers.IntegerField()
    current_streak = serializers.IntegerField(
        help_text="For how many days in a row something was completed, until today or yesterday."
    )
    longest_streak = serializers.IntegerField(help_text=f"Of the last {DAYS_MAX} days.")

    example = {
        "days": [DaySerializer.example],
        "projects": [ProjectCountSerializer.example],
        "completed": 3,
        "overdue": 1,
        "current_streak": 4,
        "longest_streak": 9,
    }
