"""The tables of the domain whose changes are logged, and where people see them (db/changes/registry.py).

A label is seen by its owner, and by those who see a task with it. For these, it is logged in the projects of such
tasks, but not in a project that only the label's owner sees.
"""

from __future__ import annotations

from todo_project.db.changes.registry import NULL, Also, Logged, register

_IS_SHARED = """
(label.owner_id <> {row}.owner_id
OR EXISTS (SELECT 1 FROM todos_membership AS member WHERE member.project_id = {row}.project_id))
"""
# The labels of tasks; `place` is the project and the person whose log they go to.
_LABELS = """
SELECT DISTINCT 'label', label.id, {place}
FROM todos_task AS task
JOIN todos_tasklabel AS link ON link.task_id = task.id
JOIN todos_label AS label ON label.id = link.label_id
WHERE {condition}
"""
_LABEL_OF_LINK = """
SELECT 'label', label.id, task.project_id, CAST(NULL AS uuid)
FROM todos_task AS task, todos_label AS label
WHERE task.id = {row}.task_id AND label.id = {row}.label_id AND {condition}
"""


def _labels(condition: str, *, row: str = "task") -> str:
    """Select the labels of tasks for the project of a row."""
    is_shared = _IS_SHARED.format(row=row)
    return _LABELS.format(place=f"{row}.project_id, {NULL}", condition=f"{condition} AND {is_shared}")


def _labels_for(user_id: str, condition: str) -> str:
    """Select the labels of tasks for one person."""
    return _LABELS.format(place=f"{NULL}, {user_id}", condition=condition)


def _label_of_link(row: str) -> str:
    return _LABEL_OF_LINK.format(row=row, condition=_IS_SHARED.format(row="task"))


TASK_MOVES = "OLD.project_id <> NEW.project_id"
_IN_OR_OUT_OF_TRASH = "(OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)"
# The tasks with a label that its owner does not see: services give all others a new version.
_BEYOND_OWNER = """
SELECT 'task', task.id, task.project_id, CAST(NULL AS uuid)
FROM todos_task AS task
JOIN todos_tasklabel AS link ON link.task_id = task.id
WHERE link.label_id = NEW.id AND task.owner_id <> NEW.owner_id AND NOT EXISTS (
    SELECT 1 FROM todos_membership AS member
    WHERE member.user_id = NEW.owner_id AND member.project_id = task.project_id
)
"""
_SUB_PROJECTS = """
SELECT 'project', project.id, CAST(NULL AS uuid), {row}.user_id
FROM todos_project AS project WHERE project.parent_id = {row}.project_id
"""
# when a task and what hangs on it come into sight of some people
TASK_APPEARS = f"{TASK_MOVES} OR {_IN_OR_OUT_OF_TRASH}"

register(
    Logged(
        table="todos_project",
        kind="project",
        project_id="{row}.id",
        user_id="{row}.owner_id",
        also=(
            # what the owner before no longer sees
            Also(
                events=("UPDATE",),
                when="OLD.owner_id <> NEW.owner_id",
                select=_labels_for("OLD.owner_id", "task.project_id = NEW.id"),
            ),
        ),
    ),
    Logged(table="todos_section", kind="section", project_id="{row}.project_id"),
    Logged(
        table="todos_task",
        kind="task",
        project_id="{row}.project_id",
        together=(
            *((f"{name}_date", f"{name}_at", f"{name}_time_zone") for name in ("due", "start", "deadline")),
            ("recurrence_rule", "recurrence_mode", "excluded_dates"),
        ),
        also=(
            Also(events=("UPDATE",), when=TASK_APPEARS, select=_labels("task.id = NEW.id")),
            Also(events=("UPDATE",), when=TASK_MOVES, select=_labels("task.id = NEW.id", row="OLD")),
        ),
    ),
    Logged(
        table="todos_label",
        kind="label",
        user_id="{row}.owner_id",
        also=(
            Also(events=("UPDATE",), select=_labels("label.id = NEW.id")),
            Also(events=("UPDATE",), when=_IN_OR_OUT_OF_TRASH, select=_BEYOND_OWNER),
        ),
    ),
    Logged(table="todos_savedfilter", kind="filter", user_id="{row}.owner_id"),
    Logged(
        table="todos_tasklabel",
        kind="task",
        object_id="{row}.task_id",
        project_id="(SELECT project_id FROM todos_task WHERE id = {row}.task_id)",
        link=("labels", "label_id"),
        also=(
            Also(events=("INSERT",), select=_label_of_link("NEW")),
            Also(events=("DELETE",), select=_label_of_link("OLD")),
        ),
    ),
    Logged(
        table="todos_taskassignee",
        kind="task",
        object_id="{row}.task_id",
        project_id="(SELECT project_id FROM todos_task WHERE id = {row}.task_id)",
        link=("assignees", "user_id"),
    ),
    Logged(
        table="todos_membership",
        kind="member",
        object_id="{row}.user_id",
        project_id="{row}.project_id",
        user_id="{row}.user_id",
        also=(
            # sub-projects name their parent to those who see it
            Also(events=("INSERT",), select=_SUB_PROJECTS.format(row="NEW")),
            Also(events=("DELETE",), select=_SUB_PROJECTS.format(row="OLD")),
            # what the member no longer sees
            Also(events=("DELETE",), select=_labels_for("OLD.user_id", "task.project_id = OLD.project_id")),
        ),
    ),
)
