"""Repairs what earlier releases leave behind while they run beside this one.

The release before sharing moves projects without their members, moves tasks to where some of their assignees take
no part, and deletes projects, tasks and accounts without the memberships and the assignees, which have no foreign
keys for its sake. The release before `is_next_elsewhere` moves and deletes next tasks without setting it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from todo_project.accounts.models import User
from todo_project.todos.models import Membership, Project, Task, TaskAssignee
from todo_project.todos.services import assignees, inheritance, locks, people, placement, trees

BATCH = 5_000


def repair_sharing(*, now: dt.datetime, batch: int = BATCH) -> None:
    """Delete memberships and assignees of nothing, refresh the trees whose memberships are out of step, take people
    off the tasks of projects in which they take no part, and note which next tasks are in another project.

    No transaction covers more than one batch of rows, or one tree.
    """
    _delete_orphans(Membership, Project, "project_id", batch)
    _delete_orphans(TaskAssignee, Task, "task_id", batch)
    owners: set[uuid.UUID] = set()
    for part in _parts(Membership.objects.all(), batch):
        owners |= set(part.out_of_step().values_list("project__owner_id", flat=True))
    for owner_id in sorted(owners):
        _refresh(owner_id, now)
    for part in _parts(TaskAssignee.objects.all(), batch):
        _take_off_strangers(part, now)
    for part in _parts(Task.objects.exclude(next_task=None, is_next_elsewhere=False), batch):
        placement.note_next(part, now=now)


def _delete_orphans(kind: Any, holder: Any, column: str, batch: int) -> None:
    is_held = Exists(holder.objects.filter(pk=OuterRef(column))) & Exists(
        User.objects.filter(pk=OuterRef("user_id"))
    )
    for part in _parts(kind.objects.all(), batch):
        part.filter(~is_held).delete()


def _parts(found: Any, batch: int) -> Iterator[Any]:
    """Yield query sets of at most `batch` of these rows, in the order of their ids."""
    later = found
    while ids := list(later.order_by("id").values_list("id", flat=True)[:batch]):
        yield later.filter(id__lte=ids[-1])
        later = found.filter(id__gt=ids[-1])


@transaction.atomic
def _refresh(owner_id: uuid.UUID, now: dt.datetime) -> None:
    tree = trees.locked_tree(owner_id=owner_id)
    for project in tree.values():
        if project.parent_id is None:
            inheritance.refresh(list(trees.under(tree, project.id)), now=now)


def _take_off_strangers(assigned: Any, now: dt.datetime) -> None:
    takes_part = Membership.objects.filter(project=OuterRef("task__project"), user=OuterRef("user_id"))
    strangers = assigned.exclude(user_id=F("task__owner_id")).filter(~Exists(takes_part))
    for user_id, project_id in strangers.values_list("user_id", "task__project_id").distinct():
        _take_off(user_id, project_id, now)


@transaction.atomic
def _take_off(user_id: uuid.UUID, project_id: uuid.UUID, now: dt.datetime) -> None:
    """Take a person off the tasks of a project, unless they have joined it in the meantime."""
    locks.hold(Project.objects.filter(id=project_id))
    if not people.of_project(project_id).filter(pk=user_id).exists():
        assignees.take_off(user_id=user_id, project_ids=[project_id], now=now)
