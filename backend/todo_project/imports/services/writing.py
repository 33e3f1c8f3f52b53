"""Writes the tasks of a file.

Tasks are matched by UID in all projects of the account, and in the target if somebody else shares it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, cast

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import MD5, Length

from todo_project.accounts.models import User
from todo_project.db.rows import uuid7
from todo_project.db.time_limit import time_limit
from todo_project.errors import InvalidInput
from todo_project.imports.services import components, merging, values, vtodo
from todo_project.imports.services.components import UnusableComponent, UnusableFile
from todo_project.imports.services.ics import FoundTask
from todo_project.imports.services.report import ImportReport, Unsupported
from todo_project.todos.models import Project, Task, TaskQuerySet
from todo_project.todos.services import access, batches, locks, nesting, placement
from todo_project.todos.services.access import Action

MAX_ORPHANS = 10_000
_IN_THE_TRASH = "It is in the trash. Restore it, then import the file again."
# The stored components that an import parses may be this many times as large as the largest file.
_STORED_FACTOR = 4
_NO_PARENT = "Its parent is neither in this file nor among your tasks."


class _Known(NamedTuple):
    """An existing task with a UID that the file contains, as that of a task or of a parent."""

    uid: str
    id: uuid.UUID
    project_id: uuid.UUID
    deleted_at: dt.datetime | None
    # of the stored component
    digest: str
    size: int


def target_project(user: User, project_id: uuid.UUID | None) -> Project:
    """Return the project for new tasks; raise RoleTooLow, and InvalidInput if it does not exist or is archived."""
    seen = Project.objects.visible_to(user.pk).alive()
    inbox = Project.objects.owned_by(user.pk).filter(is_inbox=True)
    project = (seen.filter(id=project_id) if project_id else inbox).first()
    _check_target(user, project)
    return cast(Project, project)


def _check_target(user: User, project: Project | None) -> None:
    if project is None:
        raise placement.missing("project", "/project_id")
    unseen = placement.missing("project", "/project_id")
    access.require(Action.EDIT, user_id=user.pk, project_id=project.id, owner_id=project.owner_id, unseen=unseen)
    if project.is_archived:
        raise placement.archived()


class Writer:
    """Writes the tasks of one file in the caller's transaction."""

    def __init__(
        self,
        user: User,
        project: Project,
        clock: values.Clock,
        report: ImportReport,
        *,
        progress: Callable[[float], None],
    ) -> None:
        self._user = user
        self._project_id = project.id
        self._is_own = project.owner_id == user.pk
        self._clock = clock
        self._now = clock.now
        self._report = report
        self._progress = progress
        self._to_write = self._written = 0
        self._tree = nesting.Tree()
        self._projects: dict[uuid.UUID, Project] = {}
        self._known: dict[str, list[_Known]] = {}
        # the ids of the new tasks, by UID
        self._made: dict[str, uuid.UUID] = {}
        # the UIDs of the parents that do not exist, by the id of the task
        self._missing_parents: dict[uuid.UUID, str] = {}

    def write(self, tasks: list[FoundTask], *, now: Callable[[], dt.datetime]) -> None:
        """Insert the new tasks, update the changed ones, and count all of them in the report.

        The rows get the time at which everything is locked. Raises OperationalError if writing them takes longer
        than IMPORT_WRITE_SECONDS.
        """
        uids = {found.task.uid for found in tasks} | {found.task.values.parent_uid for found in tasks} - {""}
        self._lock_projects(uids)
        self._read_known(uids)
        new, changed = self._sorted(tasks)
        rows = self._changed_rows(changed)
        orphans = self._orphans()
        self._load_tree(new, rows, orphans)
        self._place(new, rows, orphans)
        if not new and not rows:
            return
        self._to_write = len(new) + len(rows)
        others = list(self._locked(self._tree.moved().keys() - {each.task.id for each in rows}))
        # Only now, because clients that ask what has changed since then must not miss what is written here.
        self._now = now()
        with time_limit(settings.IMPORT_WRITE_SECONDS / 2):
            label_ids = self._label_ids([*new, *(each.found for each in rows)])
            self._insert(new, label_ids)
            self._update(rows, others, label_ids)

    def _lock_projects(self, uids: set[str]) -> None:
        """Lock the target and all projects that have a task of the file, in the order of their ids."""
        ids = {self._project_id} | self._projects_of(uids)
        # the time zones of their owners are needed
        seen = Project.objects.visible_to(self._user.pk).alive().filter(id__in=ids).select_related("owner")
        self._projects = {project.id: project for project in seen.locked()}
        _check_target(self._user, self._projects.get(self._project_id))

    def _projects_of(self, uids: set[str]) -> set[uuid.UUID]:
        ids: set[uuid.UUID] = set()
        for batch in batches.batched(uids):
            ids |= set(self._with_uids(batch).values_list("project_id", flat=True).distinct())
        return ids

    def _with_uids(self, uids: list[str]) -> TaskQuerySet:
        # exclude() is redundant, but lets the database use the index task_uid
        return self._tasks().filter(uid__in=uids).exclude(uid="")

    def _tasks(self) -> TaskQuerySet:
        """Return the tasks that the file may change."""
        if self._is_own:
            return Task.objects.owned_by(self._user.pk)
        return Task.objects.filter(Q(owner_id=self._user.pk) | Q(project_id=self._project_id))

    def _read_known(self, uids: set[str]) -> None:
        """Find the existing tasks; raise MovedMeanwhile if one has just come to a project that is not locked."""
        for batch in batches.batched(uids):
            found = self._with_uids(batch).annotate(digest=MD5("ical"), size=Length("ical"))
            for row in found.values_list("uid", "id", "project_id", "deleted_at", "digest", "size"):
                known = _Known(*row)
                if known.deleted_at is None and known.project_id not in self._projects:
                    raise locks.moved()
                self._known.setdefault(known.uid, []).append(known)

    def _alive(self, uid: str, project_id: uuid.UUID) -> _Known | None:
        """Return the task with the UID in this project, or else in another one."""
        alive = [each for each in self._known.get(uid, []) if each.deleted_at is None]
        return min(alive, key=lambda each: (each.project_id != project_id, each.id), default=None)

    def _sorted(self, tasks: list[FoundTask]) -> tuple[list[FoundTask], list[tuple[uuid.UUID, FoundTask]]]:
        """Separate the new tasks from the changed ones, and report the others."""
        new, changed, size = [], [], 0
        for found in tasks:
            uid = found.task.uid
            known = self._alive(uid, self._project_id)
            if known is not None and known.digest != _digest(found.text):
                changed.append((known.id, found))
                size += known.size
            elif known is not None:
                self._report.unchanged += 1
            elif any(each.project_id == self._project_id for each in self._known.get(uid, [])):
                self._report.skip(uid, _IN_THE_TRASH)
            else:
                new.append(found)
                self._made[uid] = uuid7()
        if size > (limit := _STORED_FACTOR * settings.ATTACHMENT_MAX_BYTES):
            raise UnusableFile(
                f"The tasks that it changes have more than {limit:,} characters in their stored components. Split "
                "the file."
            )
        return new, changed

    def _changed_rows(self, changed: list[tuple[uuid.UUID, FoundTask]]) -> list[merging.Changed]:
        """Lock the tasks that the file changes, except those that differ in DTSTAMP only."""
        mine = self._tasks().alive()
        rows = []
        for batch in batches.batched(changed):
            found_here = mine.with_label_ids().filter(id__in=[task_id for task_id, _ in batch])
            by_id = {task.id: task for task in found_here.locked()}
            for task_id, found in batch:
                task = by_id.get(task_id)
                if task is None:
                    raise locks.moved()
                task.owner = self._projects[task.project_id].owner
                if components.has_same_content(task.ical, found.text):
                    self._report.unchanged += 1
                    continue
                rows.append(merging.Changed(task, self._as_imported(task, found), found))
        self._report.updated = len(rows)
        return rows

    def _as_imported(self, task: Task, found: FoundTask) -> vtodo.TaskValues | None:
        """Return the values of the last import. Only what differs from them is written, to keep later changes."""
        component = components.parse_stored(task.ical)
        clock = values.Clock(found.zones, self._clock.floating, self._clock.now)
        try:
            return vtodo.read_task(component, clock=clock).values if component else None
        except UnusableComponent:
            return None

    def _orphans(self) -> dict[uuid.UUID, str]:
        """Return tasks whose parent was missing at their import and is new in this file, with its UID.

        Some programs write a separate file for each task. At most MAX_ORPHANS are returned, the newest of a parent.
        """
        alone = self._tasks().alive().filter(project_id=self._project_id, parent=None)
        # exclude() is redundant, but lets the database use the index task_missing_parent
        newest = alone.exclude(missing_parent_uid="").order_by("missing_parent_uid", "-id")
        orphans: dict[uuid.UUID, str] = {}
        for batch in batches.batched(self._made):
            waiting = newest.filter(missing_parent_uid__in=batch).values_list("id", "missing_parent_uid")
            orphans |= waiting[: MAX_ORPHANS - len(orphans)]
        return orphans

    def _load_tree(self, new: list[FoundTask], rows: list[merging.Changed], orphans: dict[uuid.UUID, str]) -> None:
        moving = {each.task.id for each in rows if each.has_another_parent} | orphans.keys()
        named = {found.task.values.parent_uid for found in (*new, *(each.found for each in rows))}
        parents = {known.id for uid in named for known in self._known.get(uid, []) if known.deleted_at is None}
        self._tree.load(moving, parent_ids=parents)
        for found in new:
            self._tree.add(self._made[found.task.uid], project_id=self._project_id)

    def _place(self, new: list[FoundTask], rows: list[merging.Changed], orphans: dict[uuid.UUID, str]) -> None:
        """Attach new and changed tasks to their parents, and report those that cannot be attached."""
        moving = [each for each in rows if each.has_another_parent]
        old_parents = {each.task.id: each.task.parent_id for each in moving}
        for each in moving:
            self._tree.detach(each.task.id)
        for found in new:
            self._attach(self._made[found.task.uid], found.task.uid, found.task.values.parent_uid)
        for each in moving:
            if not self._attach(each.task.id, each.task.uid, each.new.parent_uid):
                self._keep_parent(each.task.id, old_parents[each.task.id])
        for task_id, parent_uid in orphans.items():
            if task_id not in old_parents:
                self._attach(task_id, "", parent_uid)

    def _attach(self, task_id: uuid.UUID, uid: str, parent_uid: str) -> bool:
        """Attach a task to its parent; report it and return False if that is not possible."""
        parent_id = self._parent_id(parent_uid, self._tree.place(task_id).project_id)
        self._missing_parents[task_id] = parent_uid if parent_id is None else ""
        if not parent_uid:
            return True
        why = _NO_PARENT
        if parent_id is not None:
            try:
                self._tree.attach(task_id, parent_id)
            except InvalidInput as error:
                why = error.detail
            else:
                return True
        if uid:
            self._report.add(uid, Unsupported("RELATED-TO", "VTODO", why))
        return False

    def _parent_id(self, uid: str, project_id: uuid.UUID) -> uuid.UUID | None:
        if uid in self._made:
            return self._made[uid]
        known = self._alive(uid, project_id)
        if known is None or (known.project_id != project_id and self._projects[known.project_id].is_archived):
            return None
        return known.id

    def _keep_parent(self, task_id: uuid.UUID, parent_id: uuid.UUID | None) -> None:
        try:
            if parent_id is not None:
                self._tree.attach(task_id, parent_id)
        except InvalidInput:
            pass  # the old parent is now a descendant of the task; the missing parent has been reported

    def _label_ids(self, found: Iterable[FoundTask]) -> dict[str, uuid.UUID]:
        names = {name.lower(): name for each in found for name in each.task.values.labels}
        return batches.labels_by_name(names.values(), owner_id=self._user.pk, now=self._now)

    def _insert(self, new: list[FoundTask], label_ids: dict[str, uuid.UUID]) -> None:
        rows = [
            (self._new_task(found), {label_ids[name.lower()] for name in found.task.values.labels}) for found in new
        ]
        batches.insert_tasks(rows, wrote=self._wrote)
        self._report.created = len(rows)

    def _new_task(self, found: FoundTask) -> Task:
        task_id = self._made[found.task.uid]
        place = self._tree.place(task_id)
        new = Task(
            id=task_id,
            owner=self._projects[place.project_id].owner,
            uid=found.task.uid,
            project_id=place.project_id,
            section_id=place.section_id,
            parent_id=place.parent_id,
            missing_parent_uid=self._missing_parents[task_id],
            created_at=found.task.created_at or self._now,
            updated_at=self._now,
        )
        return merging.merged(new, {**merging.fields_of(found.task.values), "ical": found.text}, self._report)

    def _update(self, rows: list[merging.Changed], others: list[Task], label_ids: dict[str, uuid.UUID]) -> None:
        """Save the tasks that the file changes, and others that move with them."""
        changes = {each.task.id: merging.change_of(each, label_ids, self._report) for each in rows}
        changes |= {task.id: batches.TaskChange(task=task) for task in others}
        for task_id, change in changes.items():
            task = change.task
            task.missing_parent_uid = self._missing_parents.get(task_id, task.missing_parent_uid)
        for task_id, place in self._tree.moved().items():
            changes[task_id].place = place
        batches.change_tasks(list(changes.values()), now=self._now, wrote=self._wrote)

    def _wrote(self, count: int) -> None:
        self._written += count
        self._progress(min(1.0, self._written / self._to_write))

    def _locked(self, task_ids: Iterable[uuid.UUID]) -> Iterator[Task]:
        for batch in batches.batched(task_ids):
            yield from self._tasks().filter(id__in=batch).locked()


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
