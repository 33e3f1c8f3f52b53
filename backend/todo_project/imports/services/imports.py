"""Imports files, either at once or as background jobs. The file of a job is stored until the job finishes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F

from todo_project.accounts.models import User
from todo_project.db.aside import write_aside
from todo_project.db.changes import actor
from todo_project.db.rows import uuid7
from todo_project.errors import DomainError, LimitReached
from todo_project.imports.models import Import
from todo_project.imports.services import components, ics, values, zones
from todo_project.imports.services.components import Contents
from todo_project.imports.services.report import ImportReport
from todo_project.imports.services.writing import Writer, target_project
from todo_project.jobs import queue
from todo_project.todos.services import locks

# Larger files become jobs. The worst file of this size takes about three seconds, most of them for its rules.
AT_ONCE_BYTES = 512 * 1024
AT_ONCE_COMPONENTS = 1_000
UNFINISHED_MAX = 5
_RETRY_SECONDS = 30
_KEPT = dt.timedelta(days=7)
_TIMEOUT = dt.timedelta(days=1)
# reading takes about as long as writing
_READ_PERCENT = 50
_UNEXPECTED = (
    "An unexpected error occurred; nothing was imported. Ask the operator, who can find the cause in the log."
)
_TIMED_OUT = "The import did not finish within a day; nothing was imported. Send the file again."

Progress = Callable[[float], None]
Now = Callable[[], dt.datetime]


def _ignore(share: float) -> None:
    """Report no progress."""


def parse_small(data: bytes) -> Contents | None:
    """Parse a file that can be imported at once, or return None; raise UnusableFile if it is no iCalendar file."""
    if len(data) > AT_ONCE_BYTES:
        return None
    contents = components.parse(data)
    return contents if len(contents.components) <= AT_ONCE_COMPONENTS else None


def import_ics(
    *, user: User, contents: Contents, now: Now, project_id: uuid.UUID | None = None, dry_run: bool = False
) -> ImportReport:
    """Import all tasks of an iCalendar file or none; new ones go to the project, or to the Inbox.

    Tasks are matched by UID. A task that has not changed in the file since the last import is not touched.
    `now` returns the time, which passes between reading and writing. `dry_run` returns the report without changing
    anything. Raises UnusableFile, and InvalidInput for a project that cannot take tasks.
    """
    write = _read(user=user, contents=contents, project_id=project_id, now=now)
    with transaction.atomic():
        report = write()
        transaction.set_rollback(dry_run)
    return report


def start_import(*, user: User, data: bytes, project_id: uuid.UUID | None, now: dt.datetime) -> Import:
    """Store the file and defer a job that imports it.

    Raises UnusableFile if the file certainly is not an iCalendar file, InvalidInput for a project that cannot take
    tasks, and LimitReached if the account has too many unfinished imports.
    """
    components.decoded_file(data)
    target_project(user, project_id)
    row = Import(id=uuid7(), owner=user, project_id=project_id, file=data, created_at=now, updated_at=now)
    with transaction.atomic():
        row.save(force_insert=True)
        # locked after the file is written, to hold the lock for a short time only
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if Import.objects.visible_to(user.pk).unfinished().count() > UNFINISHED_MAX:
            raise LimitReached(
                f"You have {UNFINISHED_MAX} unfinished imports. Wait until one has finished, then try again.",
                retry_after=_RETRY_SECONDS,
            )
        # one at a time per account, so that no account occupies all workers
        queue.defer("imports.run", lock=f"imports:{user.pk}", import_id=str(row.id))
    return row


def run_import(*, import_id: uuid.UUID, now: Now) -> None:
    """Import a stored file. Tasks and report are committed together, so running the job again is safe."""
    row = Import.objects.unfinished().filter(id=import_id).select_related("owner").first()
    if row is None:
        return
    try:
        write = _read(
            user=row.owner,
            contents=components.parse(bytes(row.file)),
            project_id=row.project_id,
            now=now,
            reading=lambda share: _set_progress(row, share * _READ_PERCENT, now()),
            writing=lambda share: write_aside(
                lambda: _set_progress(row, _READ_PERCENT + share * (100 - _READ_PERCENT), now())
            ),
        )
        with actor.acting(actor.Actor(row.owner_id)), transaction.atomic():
            report = write().as_values()
            # saved last, because the row would be locked for write_aside
            if not _save(row, now=now(), status=Import.Status.DONE, progress=100, report=report, file=b""):
                transaction.set_rollback(True)
    except (OperationalError, InterfaceError, locks.MovedMeanwhile):
        raise  # the database is unreachable or overloaded, or a task was moved meanwhile: the queue retries the job
    except DomainError as error:
        _fail(row, error.detail, now())
    except Exception:
        _fail(row, _UNEXPECTED, now())
        raise


def purge_imports(*, now: dt.datetime) -> None:
    """Delete imports a week after they finished, and fail those that have not finished within a day."""
    Import.objects.finished().unchanged_since(now - _KEPT).delete()
    for row in Import.objects.unfinished().unchanged_since(now - _TIMEOUT).without_file():
        _fail(row, _TIMED_OUT, now)


def _read(
    *,
    user: User,
    contents: Contents,
    project_id: uuid.UUID | None,
    now: Now,
    reading: Progress = _ignore,
    writing: Progress = _ignore,
) -> Callable[[], ImportReport]:
    """Read the tasks without holding locks, and return a function that writes them."""
    report = ImportReport()
    floating = zones.named(user.time_zone) or zones.Zone("UTC", dt.UTC)
    clock = values.Clock(zones.Zones(), floating, now())
    tasks = ics.read_tasks(contents, floating=floating, now=clock.now, report=report, progress=reading)

    def write() -> ImportReport:
        project = target_project(user, project_id)
        try:
            with transaction.atomic():
                Writer(user, project, clock, report, progress=writing).write(tasks, now=now)
        except IntegrityError as error:  # a task with one of the UIDs was restored with its section meanwhile
            raise locks.moved() from error
        return report

    return write


def _set_progress(row: Import, percent: float, now: dt.datetime) -> None:
    _save(row, now=now, status=Import.Status.RUNNING, progress=int(percent))


def _fail(row: Import, why: str, now: dt.datetime) -> None:
    _save(row, now=now, status=Import.Status.FAILED, error=why, file=b"")


def _save(row: Import, *, now: dt.datetime, **changes: object) -> bool:
    """Update the row, and return True, unless another worker with the same job has finished the import."""
    unfinished = Import.objects.unfinished().filter(id=row.id)
    return bool(unfinished.update(**changes, version=F("version") + 1, updated_at=now))
