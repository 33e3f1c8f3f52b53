"""The names that a person may refer to, which are read from the database when a text has such a mark."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from todo_project.accounts.models import User
from todo_project.quick_add.services.marks import ME, Ids
from todo_project.quick_add.services.text import fold
from todo_project.todos.models import Label, Membership, Project, Section
from todo_project.todos.services import people
from todo_project.todos.services.access import LEAST_ROLE, Action


class NamesOf:
    """The names that this user may refer to.

    Of rows with the same name, the user's own come before other people's, and older ones before newer ones.
    """

    def __init__(self, user: User) -> None:
        self._user = user
        self._sections: dict[uuid.UUID, Ids] = {}

    def projects(self) -> Ids:
        """Return the projects that the user may add tasks to."""
        rows = Project.objects.alive().filter(is_archived=False).order_by("created_at", "id")
        found = list(rows.owned_by(self._user.pk).values_list("name", "id"))
        if self._user.is_member:
            editable = Membership.objects.of_user(self._user.pk).filter(role__gte=LEAST_ROLE[Action.EDIT])
            shared = rows.shared_with(self._user.pk).filter(id__in=editable.values("project_id"))
            found += shared.values_list("name", "id")
        return _by_name(found)

    def sections(self, project_id: uuid.UUID) -> Ids:
        """Return the sections of a project."""
        if project_id not in self._sections:
            rows = (
                Section.objects.visible_to(self._user.pk)
                .alive()
                .filter(project_id=project_id)
                .order_by("created_at", "id")
            )
            self._sections[project_id] = _by_name(rows.values_list("name", "id"))
        return self._sections[project_id]

    def labels(self, project_id: uuid.UUID | None) -> Ids:
        """Return the labels that the user may put on a task in a project; None is the Inbox."""
        rows = Label.objects.alive().order_by("created_at", "id")
        found = list(rows.owned_by(self._user.pk).values_list("name", "id"))
        if project_id is not None:
            found += rows.usable_in(project_id, user_id=self._user.pk).values_list("name", "id")
        return _by_name(found)

    def people(self, project_id: uuid.UUID | None) -> Ids:
        """Return those who can be assigned in a project, by e-mail address, and the user as "me"."""
        found = [(ME, self._user.pk), (self._user.email, self._user.pk)]
        if project_id is not None:
            found += people.of_project(project_id).values_list("email", "pk")
        return _by_name(found)


def _by_name(rows: Iterable[tuple[str, uuid.UUID]]) -> Ids:
    found: dict[str, uuid.UUID] = {}
    for name, row_id in rows:
        found.setdefault(fold(name), row_id)
    return found
