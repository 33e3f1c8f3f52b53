"""Whom to tell of what happens to tasks: people who can see them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping

from todo_project.accounts.models import User
from todo_project.todos.models import Membership, Task, TaskAssignee


def assignees(tasks: Collection[Task]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Return the ids of the people that each task is assigned to."""
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    rows = TaskAssignee.objects.filter(task_id__in=[task.id for task in tasks])
    for task_id, user_id in rows.values_list("task_id", "user_id"):
        found[task_id].add(user_id)
    return found


def to_remind(tasks: Collection[Task]) -> dict[uuid.UUID, list[User]]:
    """Return whom to remind of each task: the people it is assigned to, or else its owner."""
    assigned = assignees(tasks)
    wanted = {task.id: assigned[task.id] | {task.owner_id} for task in tasks}
    seeing = who_see(tasks, wanted)
    return {
        task.id: [user for user in seeing[task.id] if user.pk in assigned[task.id]] or seeing[task.id]
        for task in tasks
    }


def who_see(
    tasks: Collection[Task], wanted: Mapping[uuid.UUID, Collection[uuid.UUID]]
) -> dict[uuid.UUID, list[User]]:
    """Return those of the wanted people of each task who see it and whose accounts are active."""
    ids = {user_id for user_ids in wanted.values() for user_id in user_ids}
    projects = {task.project_id for task in tasks}
    members = Membership.objects.filter(project_id__in=projects, user_id__in=ids)
    joined = set(members.values_list("user_id", "project_id"))
    users = User.objects.filter(is_active=True).in_bulk(ids)

    def sees(user_id: uuid.UUID, task: Task) -> bool:
        return user_id in users and (user_id == task.owner_id or (user_id, task.project_id) in joined)

    return {
        task.id: [users[each] for each in sorted(wanted.get(task.id, ())) if sees(each, task)] for task in tasks
    }
