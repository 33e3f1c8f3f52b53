"""Counts completed tasks by day and project, and the days in a row on which some were completed."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections import Counter
from collections.abc import Collection
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate

from todo_project.accounts.models import User
from todo_project.todos.models import Task
from todo_project.todos.models.filtering import dates
from todo_project.todos.models.filtering.conditions import Context, to_q
from todo_project.todos.models.filtering.syntax import parse

# also how far back streaks are followed
DAYS_MAX = 366
_OVERDUE = parse("overdue")
_DAY = dt.timedelta(days=1)


def statistics(*, user: User, days: int, now: dt.datetime) -> dict[str, Any]:
    """Return the statistics of the tasks that the user sees, of this many days in the user's time zone.

    Tasks in the trash do not count. Streaks are those of the last DAYS_MAX days.
    """
    context = Context.of(user, now=now)
    today = now.astimezone(context.zone).date()
    start = today - (DAYS_MAX - 1) * _DAY
    first = today - (days - 1) * _DAY
    by_day: Counter[dt.date] = Counter()
    by_project: Counter[uuid.UUID] = Counter()
    overdue = 0
    for part in Task.objects.parts_of(user.pk, is_member=user.is_member):
        rows = part.alive().order_by()
        overdue += rows.filter(to_q(_OVERDUE, context)).count()
        completed = rows.filter(completed_at__gte=dates.day_start(start, context.zone), completed_at__lte=now)
        on_days: Any = completed.values(day=TruncDate("completed_at", tzinfo=context.zone))
        for day, project_id, count in on_days.annotate(n=Count("id")).values_list("day", "project_id", "n"):
            by_day[day] += count
            if day >= first:
                by_project[project_id] += count
    current, longest = streaks(by_day, today)
    return {
        "days": [{"date": day, "completed": by_day[day]} for day in (first + n * _DAY for n in range(days))],
        "projects": [{"id": id_, "completed": by_project[id_]} for id_ in sorted(by_project)],
        "completed": by_project.total(),
        "overdue": overdue,
        "current_streak": current,
        "longest_streak": longest,
    }


def streaks(days: Collection[dt.date], today: dt.date) -> tuple[int, int]:
    """Return the length of the present streak and of the longest one; a day that has just begun does not end it."""
    ordinals = sorted({day.toordinal() for day in days})
    # the difference is the same within a streak
    grouped = itertools.groupby(enumerate(ordinals), key=lambda each: each[1] - each[0])
    runs = [[ordinal for _, ordinal in group] for _, group in grouped]
    is_current = bool(runs) and runs[-1][-1] >= (today - _DAY).toordinal()
    return len(runs[-1]) if is_current else 0, max(map(len, runs), default=0)
