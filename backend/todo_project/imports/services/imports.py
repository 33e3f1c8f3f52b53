"""Brings the tasks of a file into a project, all or none; who a task is, its UID says."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterator
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models.functions import MD5

from todo_project.accounts.models import User
from todo_project.db.rows import uuid7
from todo_project.errors import InvalidInput
from todo_project.imports.services import content, families, ics, reading, values, zones
from todo_project.imports.services.content import UnusableComponent
from todo_project.imports.services.reading import Found, Report
from todo_project.imports.services.taking import Unsupported
from todo_project.todos.models import Project, Task
from todo_project.todos.services import batches, placement, recurrence, tasks
from todo_project.todos.services.fields import TaskFields

IN_THE_TRASH = "It is in the trash. Restore it there, or empty the trash and import it again."


def import_ics(
    *, user: User, data: bytes, now: dt.datetime, project_id: uuid.UUID | None = None, dry_run: bool = False
) -> Report:
    """Make a task of each VTODO of an iCalendar file, or update the task that has its UID in the project.

    Without `project_id` they go to the Inbox. A file that was imported before changes nothing, also where the
    tasks were changed here since. `dry_run` reports and changes nothing either. Raises content.UnusableFile, and
    InvalidInput for a project that cannot take them.
    """
    report = Report()
    floating = zones.named(user.time_zone) or zones.Zone("UTC", dt.UTC)
    found = reading.read_file(data, floating=floating, now=now, report=report)
    try:
        with transaction.atomic():
            project = _locked_project(user, project_id)
            _Import(user, project, values.Clock(zones.Zones(), floating, now), report).run(found)
            transaction.set_rollback(dry_run)
    except IntegrityError as error:  # a task with one of the UIDs came out of the trash with its section
        raise placement.moved() from error
    return report


def _locked_project(user: User, project_id: uuid.UUID | None) -> Project:
    """Give the project, locked: two imports of one file come one after the other."""
    known = placement.lock_projects(owner_id=user.pk, fields={"project_id": project_id})
    project = next(iter(known.values()), None)
    if project is None:
        raise InvalidInput("You have no project with this id.", pointer="/project_id", code="not_found")
    if project.is_archived:
        raise InvalidInput(
            "This project is archived; no task can come in.", pointer="/project_id", code="project_archived"
        )
    return project


class _Import:
    """One file on its way into one project."""

    def __init__(self, user: User, project: Project, clock: values.Clock, report: Report) -> None:
        self._user = user
        self._project = project
        self._clock = clock
        self._report = report

    def run(self, found: list[Found]) -> None:
        """Tell new from known and changed from unchanged, then write both."""
        known = self._known({each.task.uid for each in found})
        new = [each for each in found if each.task.uid not in known]
        changed = []
        for each in found:
            state = known.get(each.task.uid)
            if state is None:
                continue
            if state == IN_THE_TRASH:
                self._report.skip(each.task.uid, IN_THE_TRASH)
            elif state == _digest(each.text):
                self._report.unchanged += 1
            else:
                changed.append(each)
        self._insert(new)
        self._change(changed)

    def _known(self, uids: set[str]) -> dict[str, str]:
        """Give the digest of each task's component as it was imported, by UID."""
        known: dict[str, str] = {}
        here = Task.objects.visible_to(self._user.pk).filter(project_id=self._project.id)
        for batch in batches.batched(uids):
            rows = here.filter(uid__in=batch).annotate(digest=MD5("ical"))
            for uid, digest, deleted_at in rows.values_list("uid", "digest", "deleted_at"):
                if deleted_at is None:
                    known[uid] = digest
                else:
                    known.setdefault(uid, IN_THE_TRASH)
        return known

    def _insert(self, new: list[Found]) -> None:
        if not new:
            return
        label_ids = self._labels(new)
        ids = {each.task.uid: uuid7() for each in new}
        wanted = {each.task.uid: each.task.values.parent_uid for each in new if each.task.values.parent_uid}
        family = families.Families(
            wanted=wanted,
            ids=ids,
            known=self._places(set(wanted.values()) - set(ids)),
            lost=self._lose_parent,
        )
        batches.insert_tasks(self._new_task(each, family, label_ids) for each in new)
        self._report.created = len(new)
        self._adopt(ids)

    def _new_task(
        self, found: Found, family: families.Families, label_ids: dict[str, uuid.UUID]
    ) -> tuple[Task, set[uuid.UUID]]:
        place = family.place(found.task.uid)
        task = Task(
            id=place.id,
            owner=self._user,
            project=self._project,
            section_id=place.section_id,
            parent_id=family.parents[found.task.uid],
            created_at=found.task.created_at or self._clock.now,
            updated_at=self._clock.now,
            **batches.columns({**_fields(found.task.values), "uid": found.task.uid, "ical": found.text}),
        )
        return task, {label_ids[name.lower()] for name in found.task.values.labels if name.lower() in label_ids}

    def _labels(self, found: list[Found]) -> dict[str, uuid.UUID]:
        names = {name.lower(): name for each in found for name in each.task.values.labels}
        return batches.labels_by_name(names.values(), owner_id=self._user.pk, now=self._clock.now)

    def _places(self, uids: set[str]) -> dict[str, families.Place]:
        return families.places_of(uids, project_id=self._project.id, owner_id=self._user.pk)

    def _lose_parent(self, uid: str, why: str) -> None:
        self._report.name(uid, (Unsupported("RELATED-TO", "VTODO", why),))

    def _adopt(self, ids: dict[str, uuid.UUID]) -> None:
        """Put tasks of earlier files under their parents of this one: programs write one file for each task."""
        here = Task.objects.visible_to(self._user.pk).alive().filter(project_id=self._project.id, parent=None)
        orphans = here.filter(ical__contains="RELATED-TO")
        for task in list(orphans.only("id", "uid", "ical")):
            read = self._as_imported(task, zones.Zones())
            if task.uid not in ids and read is not None and read.parent_uid in ids:
                self._put_under(task, ids[read.parent_uid])

    def _change(self, changed: list[Found]) -> None:
        if not changed:
            return
        label_ids = self._labels(changed)
        moved: list[tuple[Task, str]] = []
        batches.change_tasks(self._changes(changed, label_ids, moved), now=self._clock.now)
        self._move(moved)

    def _changes(
        self, changed: list[Found], label_ids: dict[str, uuid.UUID], moved: list[tuple[Task, str]]
    ) -> Iterator[batches.Change]:
        mine = Task.objects.visible_to(self._user.pk).alive().filter(project_id=self._project.id)
        for batch in batches.batched(changed):
            rows = mine.filter(uid__in=[each.task.uid for each in batch]).order_by("id")
            tasks_by_uid = {task.uid: task for task in rows.select_for_update(of=("self",))}
            for each in batch:
                task = tasks_by_uid.get(each.task.uid)
                if task is None:
                    raise placement.moved()
                if content.same_content(task.ical.encode(), bytes(each.raw)):
                    self._report.unchanged += 1
                    continue
                self._report.updated += 1
                old = self._as_imported(task, each.zones)
                if old is None or old.parent_uid != each.task.values.parent_uid:
                    moved.append((task, each.task.values.parent_uid))
                yield self._difference(task, old, each, label_ids)

    def _as_imported(self, task: Task, known: zones.Zones) -> ics.TaskValues | None:
        """Give what the task was when it was imported: what has changed here since is not the file's."""
        clock = values.Clock(known, self._clock.floating, self._clock.now)
        try:
            return ics.read_task(task.ical.encode(), clock=clock).values if task.ical else None
        except UnusableComponent:
            return None

    def _difference(
        self, task: Task, old: ics.TaskValues | None, found: Found, label_ids: dict[str, uuid.UUID]
    ) -> batches.Change:
        fields = _fields(found.task.values)
        before: dict[str, Any] = dict(_fields(old)) if old else {}
        changed = {name: value for name, value in fields.items() if old is None or before[name] != value}
        names = {name.lower() for name in found.task.values.labels}
        old_names = {name.lower() for name in old.labels} if old else set()
        return batches.Change(
            task=task,
            fields=cast(TaskFields, {**changed, "ical": found.text}),
            added_labels={label_ids[name] for name in names - old_names if name in label_ids},
            removed_labels={label_ids[name] for name in old_names - names if name in label_ids},
        )

    def _move(self, moved: list[tuple[Task, str]]) -> None:
        """Put changed tasks under other parents one by one, as a client would: few files move many."""
        places = self._places({parent_uid for _, parent_uid in moved if parent_uid})
        for task, parent_uid in moved:
            parent = places.get(parent_uid)
            if parent_uid and parent is None:
                self._lose_parent(task.uid, families.NOT_HERE)
                continue
            self._put_under(task, parent.id if parent else None)

    def _put_under(self, task: Task, parent_id: uuid.UUID | None) -> None:
        change: TaskFields = {"parent_id": parent_id}
        try:
            tasks.update_task(user=self._user, task_id=task.id, changes=change, now=self._clock.now)
        except InvalidInput as error:
            self._lose_parent(task.uid, error.detail)


def _fields(task: ics.TaskValues) -> TaskFields:
    rule = task.recurrence_rule
    return {
        "title": task.title,
        "description": task.description,
        "priority": task.priority,
        "due": task.due,
        "start": task.start,
        "recurrence": {"rule": rule, "mode": recurrence.SCHEDULE} if rule else None,
        "reminders": task.reminders,
        "completed_at": task.completed_at,
    }


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
