"""The views of tasks: each validates, calls one service, and responds."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from todo_project.api import etag
from todo_project.api.endpoint import answer_if_changed, no_content
from todo_project.api.idempotency import idempotent
from todo_project.api.listing import check_new_id
from todo_project.api.operations import operation, page_of
from todo_project.api.serializers import NoBody
from todo_project.todos.api.serializers.expansion import ExpandQuery
from todo_project.todos.api.serializers.occurrences import OccurrencesOut, OccurrencesQuery
from todo_project.todos.api.serializers.tasks import RESOURCE, MoveIn, TaskPatch, TaskQuery, TaskSerializer
from todo_project.todos.api.views.caller import CallerEndpoint
from todo_project.todos.services import completion, ordering, skipping, tasks, trash

_CONFLICTS = (
    "The task was moved at the same time, the project has another task with its iCalendar UID, or the list has no "
    "room at this position."
)


class TaskList(CallerEndpoint):
    """/tasks."""

    resource = RESOURCE

    @operation("list_tasks", page_of(TaskSerializer), query=TaskQuery)
    def get(self, request: Request) -> HttpResponse:
        """List tasks.

        The list has your own tasks first, by id, then those of other people's projects. With `sort`, all are in
        that order; with `updated_since`, by the time of the last change.
        """
        return self.answer_read()

    @operation(
        "create_task",
        {201: TaskSerializer},
        body=TaskSerializer,
        errors={409: _CONFLICTS},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Create a task.

        It goes into the Inbox unless the body names a project, a section or a parent.
        """
        task = tasks.create_task(user=self.user, fields=self.body(TaskSerializer), now=timezone.now())
        return RESOURCE.answer_row(task, location=f"{request.path}/{task.id}")


class TaskDetail(CallerEndpoint):
    """/tasks/{id}."""

    resource = RESOURCE

    @operation("get_task", TaskSerializer, query=ExpandQuery)
    def get(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Get a task."""
        return self.answer_read()

    @operation(
        "put_task",
        {200: TaskSerializer, 201: TaskSerializer},
        body=TaskSerializer,
        if_match=True,
        errors={409: f"The task is in the trash, or the id is taken. {_CONFLICTS}"},
    )
    def put(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Create a task with this id, or replace it.

        The id must be a UUIDv7. Fields that the body leaves out are reset to their defaults, except the position.
        Repeating the request changes nothing.
        """
        check_new_id(task_id)
        task, is_new = tasks.put_task(
            user=self.user,
            task_id=task_id,
            fields=self.body(TaskSerializer, current=lambda: RESOURCE.current(self.owner_id, task_id)),
            expected_versions=etag.expected_versions(request),
            precondition=etag.put_precondition(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(task, location=request.path if is_new else None)

    @operation(
        "update_task",
        TaskSerializer,
        body=TaskPatch,
        if_match=True,
        errors={409: _CONFLICTS},
    )
    def patch(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Change some fields of a task.

        The body is a JSON merge patch: absent fields keep their values. Null clears any field except `title` and
        `position`. A task that goes to another project takes its subtasks along, and leaves its parent and section
        unless the body names new ones.
        """
        task = tasks.update_task(
            user=self.user,
            task_id=task_id,
            changes=self.body(TaskPatch, partial=True, current=lambda: RESOURCE.current(self.owner_id, task_id)),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(task)

    @operation(
        "delete_task", if_match=True, errors={409: "The task was moved at the same time. Repeat the request."}
    )
    def delete(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Move a task and its subtasks to the trash.

        Repeating this is safe.
        """
        trash.trash_task(
            user=self.user,
            task_id=task_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class TaskComplete(CallerEndpoint):
    """POST /tasks/{id}/complete."""

    @operation("complete_task", TaskSerializer, if_match=True)
    @idempotent()
    def post(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Complete a task.

        A recurring task continues as a new one, `next_task_id`. Repeating this changes nothing.
        """
        self.body(NoBody)
        task = completion.complete_task(
            user=self.user,
            task_id=task_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(task)


class TaskReopen(CallerEndpoint):
    """POST /tasks/{id}/reopen."""

    @operation("reopen_task", TaskSerializer, if_match=True)
    @idempotent()
    def post(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Reopen a completed task.

        If its next task has not been changed since, that one moves to the trash. Repeating this changes nothing.
        """
        self.body(NoBody)
        task = completion.reopen_task(
            user=self.user,
            task_id=task_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(task)


class TaskSkip(CallerEndpoint):
    """POST /tasks/{id}/skip."""

    @operation(
        "skip_task",
        TaskSerializer,
        if_match=True,
        errors={409: "The task does not recur, is completed, or has no later occurrence."},
    )
    @idempotent()
    def post(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Move a recurring task to its next occurrence.

        The task stays open, and the dates of its subtasks move too. Completed subtasks stay completed. It is the
        occurrence that completing the task would create.
        """
        self.body(NoBody)
        task = skipping.skip_task(
            user=self.user,
            task_id=task_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(task)


class TaskOccurrences(CallerEndpoint):
    """/tasks/{id}/occurrences."""

    @operation("list_task_occurrences", OccurrencesOut, query=OccurrencesQuery)
    def get(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """List the next occurrences of a task.

        They follow the current one; each is what completing the previous one on time would create. The list is
        shorter if the series ends, and empty for a task that does not recur. `description` is the rule in words.
        """
        found = skipping.list_occurrences(
            user_id=self.owner_id, task_id=task_id, count=self.query()["n"], now=timezone.now()
        )
        return answer_if_changed(request, found)


class TaskMove(CallerEndpoint):
    """POST /tasks/{id}/move."""

    @operation(
        "move_task",
        TaskSerializer,
        body=MoveIn,
        if_match=True,
        errors={409: _CONFLICTS},
    )
    @idempotent()
    def post(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Move a task beside another one, or to the end of a project, section or parent."""
        to = self.body(MoveIn)
        before, after = to.pop("before", None), to.pop("after", None)
        beside = ordering.Beside(id=before or after, before=before is not None) if before or after else None
        task = tasks.move_task(
            user=self.user,
            task_id=task_id,
            to=to,
            beside=beside,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(task)


class TaskRestore(CallerEndpoint):
    """POST /tasks/{id}/restore."""

    @operation(
        "restore_task",
        TaskSerializer,
        if_match=True,
        errors={
            409: "Its project is in the trash or has a task with its iCalendar UID, or the task was moved at the "
            "same time."
        },
    )
    @idempotent()
    def post(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Restore a task from the trash, with everything that was deleted with it."""
        self.body(NoBody)
        task = trash.restore_task(
            user=self.user,
            task_id=task_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return RESOURCE.answer_row(task)
