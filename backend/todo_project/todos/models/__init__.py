"""The tables of projects, sections, tasks, labels, filters and members, and all reads of them."""

from todo_project.todos.models import logged  # noqa: F401 - registers the tables
from todo_project.todos.models.changes import Change, ChangeQuerySet, LogRow, VisibleLog
from todo_project.todos.models.filters import SavedFilter, SavedFilterQuerySet
from todo_project.todos.models.invitations import Invitation, InvitationQuerySet
from todo_project.todos.models.members import Membership, Role
from todo_project.todos.models.projects import Project, ProjectQuerySet, Section, SectionQuerySet
from todo_project.todos.models.rows import (
    COLOR,
    OwnedQuerySet,
    OwnedRow,
    SharedQuerySet,
    TrashableQuerySet,
    TrashableRow,
    trash_index,
)
from todo_project.todos.models.tasks import (
    LABEL_LENGTH,
    RECURRENCE_MODES,
    RULE_LENGTH,
    UID_LENGTH,
    Label,
    LabelQuerySet,
    Priority,
    Task,
    TaskAssignee,
    TaskLabel,
    TaskQuerySet,
)

__all__ = [
    "COLOR",
    "LABEL_LENGTH",
    "RECURRENCE_MODES",
    "RULE_LENGTH",
    "UID_LENGTH",
    "Change",
    "ChangeQuerySet",
    "Invitation",
    "InvitationQuerySet",
    "Label",
    "LabelQuerySet",
    "LogRow",
    "Membership",
    "OwnedQuerySet",
    "OwnedRow",
    "Priority",
    "Project",
    "ProjectQuerySet",
    "Role",
    "SavedFilter",
    "SavedFilterQuerySet",
    "Section",
    "SectionQuerySet",
    "SharedQuerySet",
    "Task",
    "TaskAssignee",
    "TaskLabel",
    "TaskQuerySet",
    "TrashableQuerySet",
    "TrashableRow",
    "VisibleLog",
    "trash_index",
]
