"""Repairs what the release before sharing leaves behind while it runs beside this one.

It moves projects without their members, and deletes projects, tasks and accounts without the memberships and the
assignees, which have no foreign keys for its sake.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from todo_project.accounts.models import User
from todo_project.todos.models import Membership, Project, Task, TaskAssignee
from todo_project.todos.services import inheritance, trees

BATCH = 5_000


def repair_sharing(*, now: dt.datetime, batch: int = BATCH) -> None:
    """Delete memberships and assignees of nothing, and refresh the trees whose memberships are out of step.

    Each batch of rows, and each tree, is a separate transaction.
    """
    _delete_orphans(Membership, Project, "project_id", batch)
    _delete_orphans(TaskAssignee, Task, "task_id", batch)
    owners: set[uuid.UUID] = set()
    for part in _parts(Membership, batch):
        owners |= set(part.out_of_step().values_list("project__owner_id", flat=True))
    for owner_id in sorted(owners):
        _refresh(owner_id, now)


def _delete_orphans(kind: Any, holder: Any, column: str, batch: int) -> None:
    is_held = Exists(holder.objects.filter(pk=OuterRef(column))) & Exists(
        User.objects.filter(pk=OuterRef("user_id"))
    )
    for part in _parts(kind, batch):
        part.filter(~is_held).delete()


def _parts(kind: Any, batch: int) -> Iterator[Any]:
    """Yield query sets of at most `batch` rows, in the order of their ids."""
    last = 0
    while ids := list(kind.objects.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:batch]):
        yield kind.objects.filter(id__gt=last, id__lte=ids[-1])
        last = ids[-1]


@transaction.atomic
def _refresh(owner_id: uuid.UUID, now: dt.datetime) -> None:
    tree = trees.locked_tree(owner_id=owner_id)
    for project in tree.values():
        if project.parent_id is None:
            inheritance.refresh(list(trees.under(tree, project.id)), now=now)
