"""Tasks: HTTP in, one call of a service or one read, HTTP out."""

from __future__ import annotations

import uuid
from typing import cast

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from todo_project.accounts.models import User
from todo_project.api import etag
from todo_project.api.endpoint import Endpoint, no_content
from todo_project.api.idempotency import idempotent
from todo_project.api.listing import check_new_id, must, page_of, reads
from todo_project.todos.api.serializers.tasks import (
    READING,
    MoveIn,
    NothingIn,
    TaskChange,
    TaskIn,
    TaskOut,
    TaskQuery,
)
from todo_project.todos.services import completion, ordering, placement, removal, tasks


class TaskEndpoint(Endpoint):
    """What all views of tasks share."""

    @property
    def user(self) -> User:
        """Whose tasks these are: the caller; permission to call has been checked."""
        return cast(User, self.request.user)


class TaskList(TaskEndpoint):
    """The tasks of an account."""

    @extend_schema(operation_id="tasks_list", parameters=[TaskQuery], responses=page_of(TaskOut))
    @reads(lambda view: READING.page(view.query(TaskQuery)))
    def get(self, request: Request) -> HttpResponse:
        """List the tasks, by id, or with `updated_since` by the time of their last change."""
        return self.answer_read()

    @extend_schema(request=TaskIn, responses={201: TaskOut})
    @reads(lambda view: placement.read_of_spot(project_id=None))
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Make a task, in the Inbox unless the body says where."""
        task = tasks.create_task(user=self.user, fields=self.body(TaskIn), read=self.read, now=timezone.now())
        return READING.answer_row(task, location=f"{request.path}/{task.id}")


class TaskDetail(TaskEndpoint):
    """One task."""

    @extend_schema(responses=TaskOut)
    @reads(lambda view: READING.one(view.kwargs["task_id"], is_held=etag.is_conditional(view.request)))
    def get(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Give the task."""
        return self.answer_read()

    @extend_schema(request=TaskIn, responses={200: TaskOut, 201: TaskOut})
    def put(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Make the task with this id (a UUIDv7), or replace it: what the body leaves out is as in a new task.

        Only the position stays when it is left out. The same body twice changes nothing the second time. 409 for
        an id that is in the trash, 404 for one that is somebody else's.
        """
        check_new_id(task_id)
        task, is_new = tasks.put_task(
            user=self.user,
            task_id=task_id,
            fields=self.body(TaskIn),
            expected_versions=etag.expected_versions(request),
            must=must(request),
            now=timezone.now(),
        )
        return READING.answer_row(task, location=request.path if is_new else None)

    @extend_schema(request=TaskChange(partial=True), responses=TaskOut)
    def patch(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Change what the body names; what is absent stays, null clears.

        Into another project it goes without its parent and section, unless the body names new ones, and takes its
        subtasks along.
        """
        task = tasks.update_task(
            user=self.user,
            task_id=task_id,
            changes=self.body(TaskChange, partial=True),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(task)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Put the task into the trash with its subtasks."""
        removal.delete_task(
            user=self.user,
            task_id=task_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()


class TaskComplete(TaskEndpoint):
    """Done."""

    @extend_schema(request=None, responses=TaskOut)
    @reads(lambda view: completion.read_of(view.kwargs["task_id"]))
    @idempotent()
    def post(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Mark the task as done; one that is done stays as it is. What recurs goes on as `next_task_id`."""
        self.body(NothingIn)
        task = completion.complete_task(
            user=self.user,
            task_id=task_id,
            expected_versions=etag.expected_versions(request),
            read=self.read,
            now=timezone.now(),
        )
        return READING.answer_row(task)


class TaskReopen(TaskEndpoint):
    """Not done after all."""

    @extend_schema(request=None, responses=TaskOut)
    @idempotent()
    def post(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Mark the task as still to do. A next task that nobody touched since goes into the trash."""
        self.body(NothingIn)
        task = completion.reopen_task(
            user=self.user,
            task_id=task_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(task)


class TaskMove(TaskEndpoint):
    """Elsewhere, or among its siblings."""

    @extend_schema(request=MoveIn, responses=TaskOut)
    @idempotent()
    def post(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Put the task beside another one, or behind all others of the place that the body names."""
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
        return READING.answer_row(task)


class TaskRestore(TaskEndpoint):
    """The way back from the trash."""

    @extend_schema(request=None, responses=TaskOut)
    @idempotent()
    def post(self, request: Request, task_id: uuid.UUID) -> HttpResponse:
        """Bring the task back with all that went into the trash with it."""
        self.body(NothingIn)
        task = removal.restore_task(
            user=self.user,
            task_id=task_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return READING.answer_row(task)
