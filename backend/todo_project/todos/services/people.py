"""Who takes part in a project: its owner and its members. Only they can be mentioned or assigned in it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence

from django.db.models import Q, QuerySet

from todo_project.accounts.models import User
from todo_project.errors import InputErrors, InvalidInput
from todo_project.todos.models import Membership, Project, TaskAssignee


def of_project(project_id: uuid.UUID) -> QuerySet[User]:
    """Return the owner and the members of the project."""
    owner = Project.objects.filter(id=project_id).values("owner_id")
    members = Membership.objects.filter(project_id=project_id).values("user_id")
    return User.objects.filter(Q(pk__in=owner) | Q(pk__in=members))


def assigned_to(task_ids: Collection[uuid.UUID]) -> QuerySet[User]:
    """Return the people that tasks are assigned to. Whoever sees a task sees the members of its project."""
    assigned = TaskAssignee.objects.filter(task_id__in=task_ids)
    return User.objects.filter(pk__in=assigned.values("user_id"))


def check(
    user_ids: Sequence[uuid.UUID],
    *,
    field: str,
    project_id: uuid.UUID,
    errors: InputErrors,
    known: Iterable[uuid.UUID] = (),
) -> None:
    """Add an error for each of these users who takes no part in the project, except for those in `known`."""
    unknown = set(user_ids) - set(known)
    if not unknown:
        return
    unknown -= set(of_project(project_id).filter(pk__in=unknown).values_list("pk", flat=True))
    for position, user_id in enumerate(user_ids):
        if user_id in unknown:
            errors.add(
                InvalidInput(
                    "This person is not a member of the task's project. Invite them first, or leave out the id.",
                    pointer=f"/{field}/{position}",
                    code="not_a_member",
                )
            )
