"""The views of what happened in a project, and to a task."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from rest_framework.request import Request

from todo_project.api.endpoint import Endpoint, answer_if_changed
from todo_project.api.operations import operation, page_of
from todo_project.api.serializers import PageQuery
from todo_project.errors import NOT_FOUND, NotFound
from todo_project.todos.api import activity
from todo_project.todos.api.serializers.activity import ActivitySerializer
from todo_project.todos.models import Change, ChangeQuerySet, OwnedQuerySet, Project, Task


class ActivityEndpoint(Endpoint):
    """The base of activities, which are also those of things in the trash."""

    def activity_of(
        self, rows: OwnedQuerySet[Project] | OwnedQuerySet[Task], changes: ChangeQuerySet
    ) -> HttpResponse:
        """Return a page of changes, or raise NotFound if there is no such row."""
        query = self.query()
        if not rows.exists():
            raise NotFound(NOT_FOUND)
        page = activity.page(changes, user_id=self.owner_id, limit=query["limit"], cursor=query["cursor"])
        return answer_if_changed(self.request, page)


class ProjectActivity(ActivityEndpoint):
    """/projects/{id}/activity."""

    @operation("list_project_activity", page_of(ActivitySerializer), query=PageQuery)
    def get(self, request: Request, project_id: uuid.UUID) -> HttpResponse:
        """List what happened in a project, newest first.

        The changes of its sections, tasks and members are included. They are kept for CHANGES_RETENTION_DAYS.
        """
        rows = Project.objects.visible_to(self.owner_id).filter(id=project_id)
        return self.activity_of(rows, Change.objects.visible_to(self.owner_id).of_project(project_id))


class TaskActivity(ActivityEndpoint):
    """/tasks/{id}/activity."""

    @operation("list_task_activity", page_of(ActivitySerializer), query=PageQuery)
    def get(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """List what happened to a task, newest first.

        What happened while it was in a project that you may not see is left out.
        """
        rows = Task.objects.visible_to(self.owner_id).filter(id=task_id)
        return self.activity_of(rows, Change.objects.visible_to(self.owner_id).of_task(task_id))
