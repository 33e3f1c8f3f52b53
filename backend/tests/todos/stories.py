"""What stories about lists begin with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db.models import F
from django.utils import timezone

from tests.conftest import Person
from todo_project.todos.models import Membership, Project, Role, Section, Task, TaskLabel
from todo_project.todos.services import members


def make(who: Person, kind: str, **values: Any) -> dict[str, Any]:
    """Make one over the API and give it."""
    answer = who.api.post(f"/{kind}", values)
    assert answer.status_code == 201, answer.content
    return answer.json()  # type: ignore[no-any-return]


def make_project(who: Person, **values: Any) -> dict[str, Any]:
    """Make a project."""
    return make(who, "projects", **{"name": "Garden"} | values)


def make_section(who: Person, project: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Make a section of the project."""
    return make(who, "sections", **{"name": "Spring", "project_id": project["id"]} | values)


def post_task(who: Person, **values: Any) -> dict[str, Any]:
    """Make a task over the API."""
    return make(who, "tasks", **{"title": "Dig"} | values)


def share(project: dict[str, Any], who: Person, role: Role = Role.VIEWER) -> None:
    """Make somebody a member of the project."""
    held = Project.objects.get(id=project["id"])
    members.set_role(project=held, user_id=who.user.pk, role=role, now=timezone.now())


def updated(row: dict[str, Any]) -> dt.datetime:
    """Give when the row was changed: as a text, a time without a fraction would sort behind its own second."""
    return dt.datetime.fromisoformat(row["updated_at"])


def pointers(answer: Any) -> list[str]:
    """Give the pointers of the input errors, sorted."""
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    return sorted(error["pointer"] for error in answer.json()["errors"])


def make_task(who: Person, **values: Any) -> Task:
    """Make a task, past the API."""
    now = timezone.now()
    return Task.objects.create(
        **{"owner": who.user, "title": "Dig", "position": "i1", "created_at": now, "updated_at": now} | values
    )


def fill(who: Person, project: dict[str, Any], count: int) -> None:
    """Put tasks into the project, past the API."""
    now = timezone.now()
    Task.objects.bulk_create(
        Task(
            owner=who.user,
            project_id=project["id"],
            title=f"Task {n}",
            position=f"a{n}1",
            created_at=now,
            updated_at=now,
        )
        for n in range(count)
    )


def alive(*ids: str) -> list[bool]:
    """Tell of each row, of whatever kind, whether it is outside the trash."""
    kinds = (Project, Section, Task)
    found = {str(row.id): row.deleted_at is None for kind in kinds for row in kind.objects.filter(id__in=ids)}
    return [found[id_] for id_ in ids]


def broken_rules() -> list[str]:
    """Describe every row that breaks the rule."""
    projects, sections = _by_id(Project, "parent"), _by_id(Section, "project")
    tasks = _by_id(Task, "project", "section", "parent", "next_task", "is_next_elsewhere")
    found = []
    for task in tasks.values():
        holders = projects[task.project_id], sections.get(task.section_id), tasks.get(task.parent_id)
        found += wrong_place(task, *holders)
        later = tasks.get(task.next_task_id)
        if (later is not None and later.project_id != task.project_id) != task.is_next_elsewhere:
            found.append(f"{task}: it is wrong about whether its next task is in another project")
    for row in (*sections.values(), *projects.values()):
        holder = projects.get(row.project_id if isinstance(row, Section) else row.parent_id)
        if holder is not None and holder.owner_id != row.owner_id:
            found.append(f"{row}: its owner is not that of {holder}")
        if row.deleted_at is None and holder is not None and holder.deleted_at is not None:
            found.append(f"{row}: alive below {holder}, which is in the trash")
    for link in TaskLabel.objects.exclude(project_id=F("task__project_id")).select_related("task"):
        found.append(f"{link.task}: a label of it is listed in another project")
    return found + wrong_roles()


def _by_id(kind: Any, *places: str) -> dict[Any, Any]:
    """Return all rows with only what the rule is about, because histories ask after each of their steps."""
    return {row.id: row for row in kind.objects.only("owner", "deleted_at", *places)}


def wrong_place(task: Task, project: Project, section: Section | None, parent: Task | None) -> Iterator[str]:
    """Describe how a task breaks the rule."""
    if task.owner_id != project.owner_id:
        yield f"{task}: its owner is not that of its project"
    if section is not None and section.project_id != task.project_id:
        yield f"{task}: its section is in another project"
    if parent is not None and (parent.project_id, parent.section_id) != (task.project_id, task.section_id):
        yield f"{task}: its parent is in another place"
    holders = [each for each in (project, section, parent) if each is not None and each.deleted_at]
    if task.deleted_at is None and holders:
        yield f"{task}: alive below {holders}, which are in the trash"


def wrong_roles() -> list[str]:
    """Describe every membership that does not follow from the roles that were given."""
    stored, given = {}, {}
    for project_id, user_id, has, own in Membership.objects.values_list(
        "project_id", "user_id", "role", "own_role"
    ):
        stored[project_id, user_id], given[project_id, user_id] = has, own or 0
    rows = Project.objects.values_list("id", "owner_id", "parent_id")
    projects = {id_: (owner_id, parent_id) for id_, owner_id, parent_id in rows}
    people = {user_id for _, user_id in stored}

    def role(project_id: Any, user_id: Any) -> int:
        if project_id is None or projects[project_id][0] == user_id:
            return 0
        return max(given.get((project_id, user_id), 0), role(projects[project_id][1], user_id))

    wanted = {(project_id, user_id): role(project_id, user_id) for project_id in projects for user_id in people}
    return [
        f"{key}: {stored.get(key, 0)}, not {right}" for key, right in wanted.items() if stored.get(key, 0) != right
    ]
