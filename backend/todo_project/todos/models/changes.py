"""The log of changes, its reads, and which tables of the domain it covers (docs/adr/0028)."""

from __future__ import annotations

import datetime as dt
import functools
import heapq
import json
import operator
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Q

from todo_project.db.changes import registry
from todo_project.db.changes.position import Position, before, between, since
from todo_project.db.compiled import CompiledQuery
from todo_project.todos.models.members import Membership
from todo_project.todos.models.projects import Project


class ChangeQuerySet(models.QuerySet["Change"]):
    """All reads of the log."""

    def between(self, start: Position, end: Position) -> ChangeQuerySet:
        """Filter to the rows from one position to another, in the order in which they can be read."""
        return self.filter(between(start, end)).order_by("xid", "id")

    def visible_to(self, user_id: uuid.UUID) -> ChangeQuerySet:
        """Filter to what concerns this user, and what happened in the projects that the user may see."""
        # two lists, each of which PostgreSQL reads by index: for one with OR, it would read all projects
        own = Project.objects.owned_by(user_id).values("id")
        joined = Membership.objects.of_user(user_id).values("project_id")
        return self.filter(Q(user_id=user_id) | Q(project_id__in=own) | Q(project_id__in=joined))

    def since(self, start: Position) -> ChangeQuerySet:
        """Filter to the rows from a position on, in that order."""
        return self.filter(since(start)).order_by("xid", "id")

    def without_values(self) -> ChangeQuerySet:
        """Leave `fields` out, and annotate `changes_owner`: whether a project got another owner."""
        handed_over = Q(kind="project", fields__has_key="owner_id")
        return self.defer("fields").annotate(changes_owner=handed_over)

    def out_of_sight(self) -> ChangeQuerySet:
        """Filter to what may have taken a project out of the sight of the person."""
        return self.filter(kind__in=("project", "member"), project_id__isnull=False).without_values()

    def of_labels_and_comments_before(self, ends: Mapping[uuid.UUID, Position]) -> ChangeQuerySet:
        """Filter to what a tombstone of the project does not take along, in each project to before a position.

        Labels are in no project, and the task of a comment may be in another one by now.
        """
        places = (Q(project_id=project_id) & before(end) for project_id, end in ends.items())
        held = ("project", "member", "section", "task")
        return self.filter(functools.reduce(operator.or_, places)).exclude(kind__in=held)

    def of_person(self, user_id: uuid.UUID) -> ChangeQuerySet:
        """Filter to what concerns this person wherever it is, such as own labels and memberships."""
        return self.filter(user_id=user_id)

    def in_projects(self, project_ids: Iterable[uuid.UUID]) -> ChangeQuerySet:
        """Filter to what happened in these projects."""
        return self.filter(project_id__in=list(project_ids))

    def of_project(self, project_id: uuid.UUID) -> ChangeQuerySet:
        """Filter to what happened in the project, and to the project."""
        # a project with a new owner has two rows, one for each owner
        return self.filter(project_id=project_id).exclude(kind="project", has_left=True)

    def of_task(self, task_id: uuid.UUID) -> ChangeQuerySet:
        """Filter to what happened to the task."""
        return self.filter(kind="task", object_id=task_id, has_left=False)

    def of_request(self, request_id: str, *, actor_id: uuid.UUID) -> ChangeQuerySet:
        """Filter to what one request of this person changed."""
        return self.filter(request_id=request_id, actor_id=actor_id)

    def later(self, thing: tuple[str, uuid.UUID], change_id: int, column: str) -> ChangeQuerySet:
        """Filter to the changes of a column of a thing that came after the change with this id."""
        kind, object_id = thing
        return self.filter(kind=kind, object_id=object_id, id__gt=change_id, fields__has_key=column)

    def labelled_since(self, change_id: int) -> ChangeQuerySet:
        """Filter to the changes of the labels of tasks, from the one with this id on."""
        return self.filter(kind="task", id__gte=change_id, fields__has_key="labels")

    def trashed(self, object_id: uuid.UUID) -> ChangeQuerySet:
        """Filter to the rows that moved this thing to the trash or out of it."""
        return self.filter(object_id=object_id, fields__has_key="deleted_at")

    def purges_of(self, object_id: uuid.UUID) -> ChangeQuerySet:
        """Filter to the rows that say that this thing was purged. The id of a member is that of an account."""
        return self.filter(object_id=object_id, action=Change.Action.DELETED).exclude(kind="member")

    def for_people(self) -> ChangeQuerySet:
        """Exclude the rows that only synchronization needs, such as a new version without a new value."""
        return self.exclude(action=Change.Action.UPDATED, fields={})

    def newest_first(self) -> ChangeQuerySet:
        """Sort by the time of the writes."""
        return self.order_by("-id")

    def oldest(self, count: int, *, before: dt.datetime) -> ChangeQuerySet:
        """Return those of the `count` oldest rows that are older than this time."""
        oldest = Change.objects.order_by("id").values("id")[:count]
        return self.filter(id__in=oldest, at__lt=before)


class Change(models.Model):
    """One change of one thing. Triggers write the rows; nothing else does (db/changes).

    `project_id` and `user_id` say who can see it: the members of the project, or one person. A thing that moves
    between projects has a row for each. `fields` maps columns to [old, new]; it is empty unless the action is
    `updated`. There are no foreign keys, because the log outlives the things.
    """

    class Action(models.TextChoices):
        """What happened to the thing; the trash is an update of `deleted_at`."""

        CREATED = "created"
        UPDATED = "updated"
        DELETED = "deleted"

    id = models.BigAutoField(primary_key=True)
    # the transaction on PostgreSQL, 0 on SQLite
    xid = models.BigIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=20)
    object_id = models.UUIDField()
    action = models.CharField(max_length=7, choices=Action.choices)
    project_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    token_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64)
    fields = models.JSONField()
    # whether this is the row for the place that the thing has left
    has_left = models.BooleanField()

    objects = ChangeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["xid", "id"], name="change_in_order"),
            models.Index(fields=["project_id", "xid", "id"], name="change_in_project"),
            models.Index(
                fields=["user_id", "xid", "id"], name="change_of_person", condition=Q(user_id__isnull=False)
            ),
            models.Index(fields=["object_id", "id"], name="change_of_thing"),
            models.Index(fields=["project_id", "id"], name="change_activity"),
            models.Index(
                fields=["actor_id", "request_id", "id"],
                name="change_of_request",
                condition=Q(actor_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} {self.action}"

    def sides(self, model: type[models.Model]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the old and the new values of the columns that this release knows, as the model has them."""
        columns = {field.column: field for field in model._meta.concrete_fields}  # noqa: SLF001 - public API
        known = columns.keys() | {each.link[0] for each in registry.tables.values() if each.link}
        pairs = {name: pair for name, pair in self.fields.items() if name in known}
        old, new = (
            {name: _value(columns.get(name), pair[side]) for name, pair in pairs.items()} for side in (0, 1)
        )
        return old, new


def _value(field: models.Field[Any, Any] | None, stored: Any) -> Any:
    """Return a stored value as the model has it; PostgreSQL and SQLite write some in different forms."""
    if field is None:  # what was put into a list, or taken out
        return [uuid.UUID(each) for each in stored]
    if stored is None:
        return None
    if isinstance(field, models.JSONField):
        return json.loads(stored) if isinstance(stored, str) else stored
    value = field.to_python(stored)
    return value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) and value.tzinfo is None else value


class LogRow(NamedTuple):
    """The columns of a row of the log that clients need."""

    id: int
    xid: int
    kind: str
    object_id: uuid.UUID
    action: str
    project_id: uuid.UUID | None
    user_id: uuid.UUID | None
    changes_owner: bool

    @property
    def position(self) -> Position:
        """Where the row is in the log."""
        return Position(self.xid, self.id)

    @property
    def after(self) -> Position:
        """The position after the row."""
        return Position(self.xid, self.id + 1)


_ID, _NUMBER = models.UUIDField(), models.BigIntegerField()
_START: dict[str, models.Field[Any, Any]] = {"xid": _NUMBER, "row_id": _NUMBER}
_PART = _START | {"end_xid": _NUMBER, "end_id": _NUMBER}


def _part(rows: ChangeQuerySet, *, xid: int, row_id: int, end_xid: int, end_id: int, count: int) -> Any:
    found = rows.between(Position(xid, row_id), Position(end_xid, end_id)).without_values()
    return found.values_list(*LogRow._fields)[:count]


# These run each time a client asks whether there is something new.
_OWN_PROJECTS = CompiledQuery(
    lambda user_id: Project.objects.owned_by(user_id).order_by().values_list("id"), {"user_id": _ID}
)
_JOINED_PROJECTS = CompiledQuery(
    lambda user_id: Membership.objects.of_user(user_id).order_by().values_list("project_id"), {"user_id": _ID}
)
_OUT_OF_SIGHT = CompiledQuery(
    lambda user_id, xid, row_id: (
        Change.objects.of_person(user_id)
        .out_of_sight()
        .since(Position(xid, row_id))
        .values_list("project_id", "xid", "id")
    ),
    {"user_id": _ID} | _START,
)
_OF_PERSON = CompiledQuery(
    lambda user_id, **part: _part(Change.objects.of_person(user_id), **part), {"user_id": _ID} | _PART
)
_IN_PROJECTS = CompiledQuery(
    lambda ids, **part: _part(Change.objects.in_projects(ids), **part), {"ids": _ID} | _PART
)


class VisibleLog(NamedTuple):
    """What a person sees of the log: the projects, and the place until which they saw others."""

    user_id: uuid.UUID
    projects: list[uuid.UUID]
    lost: dict[uuid.UUID, Position]

    @classmethod
    def since(cls, user_id: uuid.UUID, start: Position) -> VisibleLog:
        """Return what the user sees now, and what went out of sight since this place."""
        own, joined = (query.rows({"user_id": user_id}) for query in (_OWN_PROJECTS, _JOINED_PROJECTS))
        seen = [row[0] for row in (*own, *joined)]
        # also what cannot be read yet, because what is out of sight now may have gone there
        rows = _OUT_OF_SIGHT.rows({"user_id": user_id, "xid": start.xid, "row_id": start.id})
        held = set(seen)
        return cls(user_id, seen, {row[0]: Position(*row[1:]) for row in rows if row[0] not in held})

    def rows(self, start: Position, end: Position, *, count: int) -> list[LogRow]:
        """Return the first rows between two places that concern the person."""
        part = {"xid": start.xid, "row_id": start.id, "end_xid": end.xid, "end_id": end.id}
        found = [_OF_PERSON.rows({"user_id": self.user_id} | part, count=count)]
        if self.projects:
            found.append(_IN_PROJECTS.rows({"ids": self.projects} | part, count=count))
        if self.lost:
            found.append(list(_part(Change.objects.of_labels_and_comments_before(self.lost), **part, count=count)))
        pages = ([LogRow(*row) for row in page] for page in found)
        # a row may come from two of them
        merged = {row.id: row for row in heapq.merge(*pages, key=lambda row: row.position)}
        return list(merged.values())[:count]
