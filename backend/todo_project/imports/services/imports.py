"""Imports of files: at once, or as a job that keeps the file until it is done."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F

from todo_project.accounts.models import User
from todo_project.db.rows import uuid7
from todo_project.errors import DomainError, LimitReached
from todo_project.imports.models import Import
from todo_project.imports.services import components, ics, values, writing, zones
from todo_project.imports.services.report import Report
from todo_project.jobs import queue
from todo_project.todos.services import placement

# A larger file becomes a job: the worst file of this size takes about a second of processor time.
AT_ONCE_BYTES = 512 * 1024
UNFINISHED_MAX = 5
_RETRY_SECONDS = 30
_KEPT = dt.timedelta(days=7)
_GIVEN_UP_AFTER = dt.timedelta(days=1)
_READ_PERCENT = 50
_DEFECT = "A defect of this service; nothing was imported. Ask the operator, who finds the reason in the log."
_GIVEN_UP = "It did not finish within a day; nothing was imported. Send the file again."

Progress = Callable[[float], None]


def import_ics(
    *, user: User, data: bytes, now: dt.datetime, project_id: uuid.UUID | None = None, dry_run: bool = False
) -> Report:
    """Import the tasks of an iCalendar file, all or none; new ones go to the project, or to the Inbox.

    A task is known by its UID. One that the file did not change since its last import stays as it is here.
    `dry_run` reports and changes nothing. Raises UnusableFile, and InvalidInput for a project that cannot take
    tasks.
    """
    write = _read(user=user, data=data, project_id=project_id, now=now)
    with transaction.atomic():
        report = write()
        transaction.set_rollback(dry_run)
    return report


def start_import(*, user: User, data: bytes, project_id: uuid.UUID | None, now: dt.datetime) -> Import:
    """Keep the file and have it imported by a job.

    Raises what can be known at once: UnusableFile, InvalidInput for a project that cannot take tasks, and
    LimitReached when the account has too many imports to finish.
    """
    components.readable(data)
    writing.target_project(user, project_id)
    row = Import(id=uuid7(), owner=user, project_id=project_id, file=data, created_at=now, updated_at=now)
    with transaction.atomic():
        row.save(force_insert=True)
        # after the file is written, so that nobody waits for that
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if Import.objects.visible_to(user.pk).unfinished().count() > UNFINISHED_MAX:
            raise LimitReached(
                f"{UNFINISHED_MAX} imports of yours are not finished. Wait until one is, and send the file again.",
                retry_after=_RETRY_SECONDS,
            )
        # one after the other for each account, so that nobody keeps all workers busy
        queue.defer("imports.run", lock=f"imports:{user.pk}", import_id=str(row.id))
    return row


def run_import(*, import_id: uuid.UUID, now: dt.datetime) -> None:
    """Import a kept file. Tasks and report are committed together, so a job that runs again imports it once."""
    row = Import.objects.unfinished().filter(id=import_id).select_related("owner").first()
    if row is None:
        return
    try:
        write = _read(
            user=row.owner,
            data=bytes(row.file),
            project_id=row.project_id,
            now=now,
            progress=lambda share: _set_progress(row, share, now),
        )
        with transaction.atomic():
            if Import.objects.unfinished().select_for_update(of=("self",)).filter(id=import_id).exists():
                _save(row, now=now, status=Import.Status.DONE, progress=100, report=write().as_values(), file=b"")
    except DomainError as error:
        _fail(row, error.detail, now)
    except (OperationalError, InterfaceError):
        raise  # the database is away or too busy: the queue tries again
    except Exception:
        _fail(row, _DEFECT, now)
        raise


def purge_imports(*, now: dt.datetime) -> None:
    """Delete finished imports after a week, and fail those that did not finish within a day."""
    Import.objects.finished().unchanged_since(now - _KEPT).delete()
    for row in Import.objects.unfinished().unchanged_since(now - _GIVEN_UP_AFTER).without_file():
        _fail(row, _GIVEN_UP, now)


def _read(
    *,
    user: User,
    data: bytes,
    project_id: uuid.UUID | None,
    now: dt.datetime,
    progress: Progress = lambda share: None,
) -> Callable[[], Report]:
    """Read the file, outside of any lock, and return a function that writes its tasks."""
    report = Report()
    floating = zones.named(user.time_zone) or zones.Zone("UTC", dt.UTC)
    tasks = ics.read_file(data, floating=floating, now=now, report=report, progress=progress)
    clock = values.Clock(zones.Zones(), floating, now)

    def write() -> Report:
        project = writing.target_project(user, project_id)
        try:
            with transaction.atomic():
                writing.Writer(user, project.id, clock, report).write(tasks)
        except IntegrityError as error:  # a task with one of the UIDs came out of the trash with its section
            raise placement.moved() from error
        return report

    return write


def _set_progress(row: Import, share: float, now: dt.datetime) -> None:
    _save(row, now=now, status=Import.Status.RUNNING, progress=int(share * _READ_PERCENT))


def _fail(row: Import, why: str, now: dt.datetime) -> None:
    _save(row, now=now, status=Import.Status.FAILED, error=why, file=b"")


def _save(row: Import, *, now: dt.datetime, **changes: object) -> None:
    """Write the row unless it is finished, which another worker with the same job may have done."""
    unfinished = Import.objects.unfinished().filter(id=row.id)
    unfinished.update(**changes, version=F("version") + 1, updated_at=now)
