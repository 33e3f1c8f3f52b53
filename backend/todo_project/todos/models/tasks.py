"""The tables of labels and tasks."""

from __future__ import annotations

import json
import uuid
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connections, models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Lower

from todo_project.db import copied, positions
from todo_project.db.among import AmongRows
from todo_project.db.code_points import ByCodePoint
from todo_project.todos.models.members import Membership
from todo_project.todos.models.projects import Project, Section
from todo_project.todos.models.rows import (
    OwnedRow,
    SharedQuerySet,
    color_is_valid,
    is_named,
    owned_indexes,
    position_is_valid,
)

RECURRENCE_MODES = ("schedule", "completion")
# in characters
LABEL_LENGTH = 100
RULE_LENGTH = 500
UID_LENGTH = 255


class Priority(models.IntegerChoices):
    """How urgent a task is."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    URGENT = 4


class LabelQuerySet(SharedQuerySet["Label"]):
    """All reads of labels."""

    def locked(self) -> Self:
        """Lock the labels, and wait for tasks that are getting them, because their readers need each change."""
        return self.order_by("id").select_for_update(of=("self",))

    def _is_shared_with(self, user_id: uuid.UUID) -> Q:
        joined = Membership.objects.of_user(user_id).values("project_id")
        seen = Q(task__owner_id=user_id) | Q(task__project_id__in=joined)
        return Q(Exists(TaskLabel.objects.filter(seen, label_id=OuterRef("id"))))

    def shared_with(self, user_id: uuid.UUID) -> Self:
        """Filter to the labels of other people on tasks that this user sees, also after they have left the project.

        One index has the labels of each project. PostgreSQL reads them there, instead of trying every label.
        """
        joined = Membership.objects.of_user(user_id).values("project_id")
        own = Project.objects.owned_by(user_id).values("id")
        used = TaskLabel.objects.filter(AmongRows("project_id", joined.union(own, all=True)))
        return self.filter(AmongRows("id", used.values("label_id").distinct())).exclude(owner_id=user_id)

    def usable_in(self, project_id: uuid.UUID, *, user_id: uuid.UUID) -> Self:
        """Filter to the labels that the user may put on tasks of a project: own ones, and those in use there."""
        in_use = TaskLabel.objects.filter(project_id=project_id, label_id=OuterRef("id"))
        return self.filter(Q(owner_id=user_id) | Q(Exists(in_use)))


class Label(OwnedRow):
    """A named tag for tasks."""

    name = models.CharField(max_length=LABEL_LENGTH)
    color = models.CharField(max_length=7, default="", blank=True)

    objects = LabelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "owner", Lower("name"), condition=Q(deleted_at=None), name="label_name_once_whatever_its_case"
            ),
            is_named("label"),
            color_is_valid("label"),
        ]
        indexes = owned_indexes("label")

    def __str__(self) -> str:
        return self.name


class _IdsField(models.JSONField):
    """Converts the JSON text in which SQLite aggregates ids to a sorted list of UUIDs."""

    def from_db_value(self, value: str | None, expression: object, connection: object) -> list[uuid.UUID]:
        return [uuid.UUID(text) for text in sorted(json.loads(value or "[]"))]


class _Ids(models.Aggregate):
    """Aggregates ids to a JSON array (SQLite)."""

    function = "json_group_array"
    output_field = _IdsField()


class TaskQuerySet(SharedQuerySet["Task"]):
    """All reads of tasks."""

    def part_of(self, user_id: uuid.UUID, *, is_shared: bool) -> Self:
        """Return one of the two parts that `visible_to` has, to sort it by something else than the project.

        For a list in the order of projects, a join with the memberships is better (`shared_with`). For another one,
        PostgreSQL often reads all tasks of the service for it.
        """
        if not is_shared:
            return self.owned_by(user_id)
        joined = Membership.objects.of_user(user_id).values("project_id")
        return self.filter(AmongRows("project_id", joined)).exclude(owner_id=user_id)

    def with_links(self) -> Self:
        """Annotate `label_ids` and `assignee_ids`."""
        return self.with_label_ids().with_assignee_ids()

    def with_label_ids(self) -> Self:
        """Annotate `label_ids`: the sorted ids of the task's labels that are not in the trash."""
        marks = TaskLabel.objects.filter(task=OuterRef("pk"), label__deleted_at=None)
        return self.annotate(label_ids=self._linked_ids(marks, "label_id"))

    def with_assignee_ids(self) -> Self:
        """Annotate `assignee_ids`: the sorted ids of the people that the task is assigned to."""
        assigned = TaskAssignee.objects.filter(task=OuterRef("pk"))
        return self.annotate(assignee_ids=self._linked_ids(assigned, "user_id"))

    def _linked_ids(self, links: models.QuerySet[Any], column: str) -> Any:
        """Select the sorted ids in a column of the rows that link a task with something."""
        if connections[self.db].vendor == "postgresql":
            return ArraySubquery(links.order_by(column).values(column))
        ids = links.order_by().values("task").annotate(ids=_Ids(column)).values("ids")
        return Subquery(ids, output_field=_IdsField())

    def assigned_to(self, user_id: uuid.UUID) -> Self:
        """Filter to tasks that are assigned to this user."""
        return self.filter(task_assignees__user_id=user_id)

    def open(self) -> Self:
        """Filter to tasks that are not completed."""
        return self.filter(completed_at=None)

    def completed(self) -> Self:
        """Filter to completed tasks."""
        return self.exclude(completed_at=None)

    def with_label(self, label_id: uuid.UUID) -> Self:
        """Filter to tasks with the label, even if the label is in the trash."""
        return self.filter(task_labels__label_id=label_id)

    def showing_label(self, label_id: uuid.UUID) -> Self:
        """Filter to tasks with the label, or to none if the label is in the trash."""
        return self.filter(task_labels__label_id=label_id, task_labels__label__deleted_at=None)


def _moment_is_whole(name: str) -> Q:
    """Return the condition that a moment is a date, or a time with or without a zone, or empty."""
    only_date = Q(**{f"{name}_at__isnull": True, f"{name}_time_zone": ""})
    return only_date | Q(**{f"{name}_date__isnull": True, f"{name}_at__isnull": False})


def _recurrence_is_whole() -> Q:
    """Return the condition that a task has both a rule and its mode, or neither."""
    is_none = Q(recurrence_rule="", recurrence_mode="")
    return is_none | (~Q(recurrence_rule="") & Q(recurrence_mode__in=RECURRENCE_MODES))


def _sorting_indexes() -> list[models.Index]:
    """Return the indexes of sorted lists (ADR 0034).

    Old tasks have old dates and are completed, so the orders that begin with a date have an index of open tasks.
    """
    alive, open_ = Q(deleted_at=None), Q(completed_at=None, deleted_at=None)
    due = ["due_date", "due_at", "id"]
    # Each task is in one of these: within each priority, an index of all would have to skip the other two kinds.
    kinds = {
        "day": Q(due_date__isnull=False),
        "time": Q(due_date=None, due_at__isnull=False),
        "undated": Q(due_date=None, due_at=None),
    }
    urgent = ["owner", "-priority", *due]
    return [
        models.Index(fields=["owner", *due], name="task_due", condition=alive),
        models.Index(fields=["owner", *due], name="task_due_open", condition=open_),
        *(models.Index(fields=urgent, name=f"task_urgent_{name}", condition=open_ & kinds[name]) for name in kinds),
        models.Index(fields=["owner", "priority", "id"], name="task_priority", condition=alive),
        models.Index(fields=["owner", "created_at", "id"], name="task_created", condition=alive),
        models.Index(F("owner"), ByCodePoint("title"), F("id"), name="task_title", condition=alive),
    ]


class Task(OwnedRow):
    """A task. Each of `due`, `start` and `deadline` is a date, a time with an optional zone, or empty."""

    # the index task_order begins with the project
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    section = models.ForeignKey(Section, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    title = models.TextField()
    description = models.TextField(default="", blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=0)
    due_date = models.DateField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    due_time_zone = models.CharField(max_length=64, default="", blank=True)
    start_date = models.DateField(null=True, blank=True)
    start_at = models.DateTimeField(null=True, blank=True)
    start_time_zone = models.CharField(max_length=64, default="", blank=True)
    deadline_date = models.DateField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    deadline_time_zone = models.CharField(max_length=64, default="", blank=True)
    recurrence_rule = models.CharField(max_length=RULE_LENGTH, default="", blank=True)
    recurrence_mode = models.CharField(max_length=10, default="", blank=True)
    # the days that the series skips, as "YYYY-MM-DD" in the zone of its start (or else of its due date)
    excluded_dates = models.JSONField(null=True, blank=True)
    # for a task in a series: the wall times ("2027-03-28T02:30:00") of `due`, `start`, `deadline` or `reminders/0`
    # that a DST change skips; the series continues with them (see services/next_task.py)
    skipped_wall_times = models.JSONField(null=True, blank=True, editable=False)
    reminders = models.JSONField(default=list, blank=True)
    position = models.CharField(max_length=positions.MAX_LENGTH)
    completed_at = models.DateTimeField(null=True, blank=True)
    # the task that completing this recurring one created
    next_task = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # whether that one is in another project, which not everybody sees who sees this one; placement.py keeps it
    is_next_elsewhere = models.BooleanField(default=False, db_default=False, editable=False)
    # the next task that reopening this one left in the trash; if somebody has restored it, there is no other
    taken_back_id = models.UUIDField(null=True, editable=False)
    # iCalendar: the task's UID, and the imported component, which keeps the properties that have no field here
    uid = models.CharField(max_length=UID_LENGTH, default="", blank=True)
    ical = models.TextField(default="", blank=True)
    # the UID of the parent in the imported component, while there is no task with it
    missing_parent_uid = models.CharField(
        max_length=UID_LENGTH, default="", db_default="", blank=True, editable=False
    )
    # how many comments are not in the trash; comments/services.py keeps it
    comment_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    labels = models.ManyToManyField(Label, through="TaskLabel", related_name="tasks")
    # with_links adds them
    label_ids: list[uuid.UUID]
    assignee_ids: list[uuid.UUID]

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(priority__lte=4), name="task_priority_0_to_4"),
            models.CheckConstraint(condition=~Q(id=F("parent")), name="task_is_not_its_own_parent"),
            models.CheckConstraint(condition=_recurrence_is_whole(), name="task_recurrence_has_rule_and_mode"),
            is_named("task", "title"),
            position_is_valid("task"),
            models.CheckConstraint(condition=_moment_is_whole("due"), name="task_due_is_date_or_time"),
            models.CheckConstraint(condition=_moment_is_whole("start"), name="task_start_is_date_or_time"),
            models.CheckConstraint(condition=_moment_is_whole("deadline"), name="task_deadline_is_date_or_time"),
            models.UniqueConstraint(
                fields=["project", "uid"],
                condition=~Q(uid="") & Q(deleted_at=None),
                name="task_uid_once_per_project",
            ),
        ]
        indexes = [
            *owned_indexes("task"),
            models.Index(fields=["project", "id"], name="task_project_list"),
            # for accounts with many completed tasks and few open ones
            models.Index(fields=["owner", "id"], name="task_open", condition=Q(completed_at=None, deleted_at=None)),
            # for statistics
            models.Index(
                fields=["owner", "completed_at"],
                name="task_completed",
                condition=Q(completed_at__isnull=False, deleted_at=None),
            ),
            models.Index(fields=["project", "section", "position"], name="task_order"),
            # imports look up tasks by UID in all projects
            models.Index(fields=["owner", "uid"], name="task_uid", condition=~Q(uid="")),
            models.Index(
                fields=["owner", "missing_parent_uid"],
                name="task_missing_parent",
                condition=~Q(missing_parent_uid=""),
            ),
            *_sorting_indexes(),
        ]

    def __str__(self) -> str:
        return self.title


class TaskLabel(models.Model):
    """The association of a task with a label."""

    # the index of the constraint begins with the task
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="task_labels", db_index=False)
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="task_labels")
    # the project of the task, which triggers keep
    project_id = models.UUIDField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "label"], name="task_label_once")]
        # the labels of a project
        indexes = [models.Index(fields=["project_id", "label"], name="task_label_in_project")]

    def __str__(self) -> str:
        return f"{self.task_id} {self.label_id}"


copied.columns.append(
    copied.Copied(table="todos_tasklabel", column="project_id", reference="task_id", original="todos_task")
)


class TaskAssignee(models.Model):
    """The association of a task with a person who is to do it: the owner or a member of its project."""

    # Without a foreign key constraint, so that the release before this table, which does not know it, can purge
    # tasks. The index of task_assignee_once begins with the task.
    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, related_name="task_assignees", db_index=False, db_constraint=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "user"], name="task_assignee_once")]

    def __str__(self) -> str:
        return f"{self.task_id} {self.user_id}"
