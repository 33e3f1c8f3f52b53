"""What each operation does in a shared project, and requests that try it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.api.operations import OPERATIONS
from todo_project.todos.models import Role
from todo_project.todos.services.access import LEAST_ROLE, Action

# What each operation does in the project that it names, unless an attempt says otherwise. A new operation needs a
# row here and an attempt below, or a place in ELSEWHERE.
ACTIONS = {
    "get_project": Action.READ,
    "create_project": Action.MANAGE,
    "put_project": Action.MANAGE,
    "update_project": Action.MANAGE,
    "archive_project": Action.MANAGE,
    "unarchive_project": Action.MANAGE,
    "delete_project": Action.OWN,
    "restore_project": Action.OWN,
    "transfer_project": Action.OWN,
    "list_project_activity": Action.READ,
    "list_task_activity": Action.READ,
    "undo_change": Action.EDIT,
    "list_members": Action.READ,
    "get_member": Action.READ,
    "update_member": Action.MANAGE,
    "remove_member": Action.MANAGE,
    "get_section": Action.READ,
    "create_section": Action.EDIT,
    "put_section": Action.EDIT,
    "update_section": Action.EDIT,
    "delete_section": Action.EDIT,
    "restore_section": Action.EDIT,
    "get_task": Action.READ,
    "skip_task": Action.EDIT,
    "list_task_occurrences": Action.READ,
    "create_task": Action.EDIT,
    "put_task": Action.EDIT,
    "update_task": Action.EDIT,
    "move_task": Action.EDIT,
    "complete_task": Action.EDIT,
    "reopen_task": Action.EDIT,
    "delete_task": Action.EDIT,
    "restore_task": Action.EDIT,
    "import_ics": Action.EDIT,
    "get_comment": Action.READ,
    "list_comment_history": Action.MANAGE,
    "create_comment": Action.COMMENT,
    "put_comment": Action.COMMENT,
    "update_comment": Action.COMMENT,
    "delete_comment": Action.COMMENT,
    "restore_comment": Action.COMMENT,
    "list_project_invitations": Action.MANAGE,
    "create_invitation": Action.MANAGE,
    # only the owner of a label writes it
    "get_label": Action.READ,
    "put_label": Action.OWN,
    "update_label": Action.OWN,
    "delete_label": Action.OWN,
    "restore_label": Action.OWN,
}
LISTS = {"list_projects": "projects", "list_sections": "sections", "list_tasks": "tasks", "list_labels": "labels"}
# operations that name no project, section, task or label of others, and those with tests of their own
ELSEWHERE = {
    *("register", "login", "logout", "change_password", "get_csrf_token", "get_me", "update_me"),
    *("list_tokens", "create_token", "get_token", "update_token", "revoke_token"),
    *("create_label", "get_import", "run_batch"),
    # filters are personal: test_saved_filters.py
    *("list_filters", "create_filter", "get_filter", "put_filter"),
    *("update_filter", "delete_filter", "restore_filter"),
    *("get_overview", "get_statistics"),  # their tests compare them with the filters
    "search",  # tests/search
    # people's own: tests/notifications
    *("list_notifications", "get_notification_count", "mark_notifications_read"),
    "list_changes",  # its tests compare what it sends with the lists
    "create_task_from_text",  # it names projects in a text: tests/quick_add
    # members who do not manage the project do not see its invitations: test_invitations.py
    *("get_invitation", "revoke_invitation"),
    *("list_invitations", "accept_invitation", "decline_invitation"),
    # the comments of a stranger's task are an empty list: tests/comments
    "list_comments",
}
STRANGER = None
ROLES = [STRANGER, *Role]


@dataclass(frozen=True)
class Attempt:
    """A request; names in braces are ids of the world. `pointers` are those of foreign ids in the body."""

    operation: str
    path: str
    body: dict[str, Any] | None = None
    pointers: tuple[str, ...] = ()
    action: Action | None = None

    @property
    def method(self) -> str:
        """The method of the operation."""
        return OPERATIONS[self.operation].method

    def is_allowed(self, role: Role | None) -> bool:
        """Return whether the table allows it in this role."""
        return role is not None and role >= LEAST_ROLE[self.action or ACTIONS[self.operation]]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body}"


def in_path(operation: str, path: str, body: dict[str, Any] | None = None, **more: Any) -> Attempt:
    """Return an attempt on what the path names."""
    return Attempt(operation, path, body, **more)


def in_body(operation: str, path: str, *pointers: str, **body: Any) -> Attempt:
    """Return an attempt to reach foreign ids from the body."""
    return Attempt(operation, path, body, pointers=pointers)


ATTEMPTS = [
    in_path("get_project", "/projects/{project}"),
    in_path("put_project", "/projects/{root}", {"name": "New"}),
    in_path("update_project", "/projects/{project}", {"name": "New"}),
    in_path("update_project", "/projects/{project}", {"parent_id": "{own}"}, action=Action.OWN),
    in_path("archive_project", "/projects/{project}/archive"),
    in_path("unarchive_project", "/projects/{project}/unarchive"),
    in_path("delete_project", "/projects/{project}"),
    in_path("restore_project", "/projects/{trashed_project}/restore"),
    in_path("transfer_project", "/projects/{root}/transfer", {"user_id": "{member}"}),
    in_path("list_members", "/projects/{project}/members"),
    in_path("get_member", "/projects/{project}/members/{member}"),
    in_path("update_member", "/projects/{project}/members/{member}", {"role": "commenter"}),
    in_path("remove_member", "/projects/{root}/members/{member}"),
    in_path("get_section", "/sections/{section}"),
    in_path("put_section", "/sections/{section}", {"name": "New", "project_id": "{own}"}),
    in_path("update_section", "/sections/{section}", {"name": "New"}),
    in_path("update_section", "/sections/{section}", {"project_id": "{own}"}),
    in_path("delete_section", "/sections/{section}"),
    in_path("restore_section", "/sections/{trashed_section}/restore"),
    in_path("get_task", "/tasks/{task}"),
    in_path("get_task", "/tasks/{subtask}"),
    in_path("skip_task", "/tasks/{recurring}/skip"),
    in_path("list_task_occurrences", "/tasks/{recurring}/occurrences"),
    in_path("put_task", "/tasks/{task}", {"title": "New"}),
    in_path("update_task", "/tasks/{task}", {"title": "New"}),
    in_path("update_task", "/tasks/{subtask}", {"title": "New"}),
    in_path("update_task", "/tasks/{task}", {"labels": ["{label}"]}),
    in_path("update_task", "/tasks/{task}", {"project_id": "{own}"}),
    in_path("update_task", "/tasks/{task}", {"parent_id": "{own_task}"}),
    in_path("move_task", "/tasks/{task}/move", {}),
    in_path("move_task", "/tasks/{task}/move", {"project_id": "{own}"}),
    in_path("move_task", "/tasks/{task}/move", {"after": "{own_task}"}),
    in_path("complete_task", "/tasks/{task}/complete"),
    in_path("complete_task", "/tasks/{done}/complete"),
    in_path("complete_task", "/tasks/{recurring}/complete"),
    in_path("reopen_task", "/tasks/{done}/reopen"),
    in_path("reopen_task", "/tasks/{task}/reopen"),
    in_path("delete_task", "/tasks/{task}"),
    in_path("delete_task", "/tasks/{trashed}"),
    in_path("restore_task", "/tasks/{trashed}/restore"),
    in_path("restore_task", "/tasks/{task}/restore"),
    in_path("list_project_activity", "/projects/{project}/activity"),
    in_path("list_task_activity", "/tasks/{subtask}/activity"),
    in_path("undo_change", "/undo", {"change_id": "{change}"}),
    in_path("get_label", "/labels/{label}"),
    in_path("put_label", "/labels/{label}", {"name": "New"}),
    in_path("update_label", "/labels/{label}", {"name": "New"}),
    in_path("delete_label", "/labels/{label}"),
    in_path("restore_label", "/labels/{label}/restore"),
    in_path("get_comment", "/comments/{comment}"),
    in_path("list_comment_history", "/comments/{comment}/history"),
    in_path("list_comment_history", "/comments/{written}/history", action=Action.READ),
    in_path("update_comment", "/comments/{written}", {"text": "New"}),
    in_path("delete_comment", "/comments/{written}"),
    in_path("restore_comment", "/comments/{written}/restore"),
    in_path("delete_comment", "/comments/{comment}", action=Action.MANAGE),
    in_path("restore_comment", "/comments/{comment}/restore", action=Action.MANAGE),
    in_path("list_project_invitations", "/projects/{project}/invitations"),
    in_path(
        *("create_invitation", "/projects/{project}/invitations"), {"email": "new@example.org", "role": "viewer"}
    ),
    in_body("create_comment", "/comments", "/task_id", text="New", task_id="{task}"),
    in_body("put_comment", "/comments/{new}", "/task_id", text="New", task_id="{subtask}"),
    in_body("create_project", "/projects", "/parent_id", name="New", parent_id="{project}"),
    in_body("put_project", "/projects/{new}", "/parent_id", name="New", parent_id="{project}"),
    in_body("update_project", "/projects/{own}", "/parent_id", parent_id="{project}"),
    in_body("create_section", "/sections", "/project_id", name="New", project_id="{project}"),
    in_body("put_section", "/sections/{new}", "/project_id", name="New", project_id="{project}"),
    in_body("put_section", "/sections/{own_section}", "/project_id", name="New", project_id="{project}"),
    in_body("update_section", "/sections/{own_section}", "/project_id", project_id="{project}"),
    in_body("move_task", "/tasks/{own_task}/move", "/before", before="{task}"),
    in_body("move_task", "/tasks/{own_task}/move", "/after", after="{subtask}"),
    in_body("import_ics", "/imports/ics", "/project_id", project_id="{project}"),
    *(
        in_body(operation, path, *(f"/{name}" for name in place), **title, **place)
        for operation, path, title in (
            ("create_task", "/tasks", {"title": "New"}),
            ("put_task", "/tasks/{new}", {"title": "New"}),
            ("put_task", "/tasks/{own_task}", {"title": "New"}),
            ("update_task", "/tasks/{own_task}", {}),
            ("move_task", "/tasks/{own_task}/move", {}),
        )
        for place in (
            {"project_id": "{project}"},
            {"section_id": "{section}"},
            {"parent_id": "{task}"},
            {"parent_id": "{subtask}"},
        )
    ),
    in_body(
        *("create_task", "/tasks", "/labels/0", "/project_id"),
        title="New",
        project_id="{project}",
        labels=["{label}"],
    ),
]
