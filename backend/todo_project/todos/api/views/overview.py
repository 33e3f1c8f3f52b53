"""The views of counts: the overview and statistics."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api.endpoint import answer_if_changed
from todo_project.api.operations import operation
from todo_project.todos.api.serializers.overview import OverviewOut
from todo_project.todos.api.serializers.statistics import StatisticsOut, StatisticsQuery
from todo_project.todos.api.views.caller import CallerEndpoint
from todo_project.todos.services import counting, statistics


class Overview(CallerEndpoint):
    """/overview."""

    @operation("get_overview", OverviewOut)
    def get(self, request: Request) -> HttpResponse:
        """Count open tasks.

        The tasks are those that you see, in each project and with each label: all open ones, those that are due
        today in your time zone, and those that are overdue. Projects and labels without open tasks are left out.
        All saved filters are listed, in their order; their numbers are those of the open tasks that they match.
        """
        return answer_if_changed(request, counting.count_open_tasks(user=self.user, now=timezone.now()))


class Statistics(CallerEndpoint):
    """/stats."""

    @operation("get_statistics", StatisticsOut, query=StatisticsQuery)
    def get(self, request: Request) -> HttpResponse:
        """Count completed tasks.

        The tasks are those that you see, whoever completed them: by day in your time zone, and by project. A streak
        is a number of days in a row on which something was completed.
        """
        found = statistics.statistics(user=self.user, days=self.query()["days"], now=timezone.now())
        return answer_if_changed(request, found)
