"""Checks of the database: connections, clock, migrations, collation, backups."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.checks import Tags, run_checks
from django.db import connection

from todo_project import config
from todo_project.config.database_checks import connections_needed
from todo_project.ops.health.backups import age_seconds, archive_lag_bytes, last_success
from todo_project.ops.health.diagnosis import Diagnosis, failure, ok, warning
from todo_project.ops.models import BackupRun
from todo_project.ops.startup.database import pending_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKUP_WARNING_HOURS: Final = 26  # a daily one, and the time it takes
BACKUP_FAILURE_HOURS: Final = 72
ARCHIVE_WARNING_BYTES: Final = 256 << 20
CLOCK_WARNING_SECONDS: Final = 1.0
CLOCK_FAILURE_SECONDS: Final = 10.0


def connections() -> Iterator[Diagnosis]:
    """Compare the connections that all processes may open, during a release too, with the server's limit."""
    if connection.vendor != "postgresql":
        return
    needed, rolling = connections_needed(vars(config.load()))
    limits = dict(
        _rows(
            "SELECT name, setting::int FROM pg_settings"
            " WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"
        )
    )
    most = limits.pop("max_connections")
    foreign = _rows(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> current_user"
        " AND usesysid NOT IN (SELECT member FROM pg_auth_members WHERE roleid = current_user::regrole)"
    )
    free = most - sum(limits.values()) - foreign[0][0]
    yield budget(needed, rolling, free, most)


def budget(needed: int, rolling: int, free: int, most: int) -> Diagnosis:
    message = f"up to {needed} connections are needed, {rolling} during a release; {free} of {most} are available"
    hint = "lower GUNICORN_WORKERS, GUNICORN_THREADS or BACKEND_REPLICAS, or raise the server's max_connections"
    if needed > free:
        return failure(message, hint)
    return warning(message, hint) if rolling > free else ok(message)


def clock() -> Iterator[Diagnosis]:
    """Compare this machine's clock with the database's."""
    if connection.vendor != "postgresql":
        return
    before = time.time()
    there = float(_rows("SELECT extract(epoch FROM clock_timestamp())")[0][0])
    here = (before + time.time()) / 2
    yield clock_difference(there - here)


def clock_difference(seconds: float) -> Diagnosis:
    message = f"the database's clock differs by {abs(seconds):.1f} s"
    hint = "keep the time of both machines with NTP: expiry, schedules and counters follow these clocks"
    if abs(seconds) > CLOCK_FAILURE_SECONDS:
        return failure(message, hint)
    return warning(message, hint) if abs(seconds) > CLOCK_WARNING_SECONDS else ok(message)


def migrations() -> Iterator[Diagnosis]:
    """Name the migrations of this release that the database lacks."""
    pending = pending_migrations(connection)
    if pending:
        names = ", ".join(pending[:3]) + (f" and {len(pending) - 3} more" if len(pending) > 3 else "")
        yield failure(f"pending: {names}", "`manage.py migration_plan`, then `manage.py migrate_locked`")
    else:
        yield ok("the database has every migration of this release")


def system_checks() -> Iterator[Diagnosis]:
    """Run Django's system checks of the database."""
    found = run_checks(tags=[Tags.database], databases=[connection.alias])
    for message in found:
        level = failure if message.is_serious() else warning
        yield level(f"{message.id}: {message.msg}", message.hint or "")
    if not found:
        yield ok("the system checks of the database find nothing")


def backup() -> Iterator[Diagnosis]:
    """Report the age of the last good backup, once its table exists."""
    table = BackupRun._meta.db_table  # noqa: SLF001 - public API
    if table not in connection.introspection.table_names():
        return
    moment = last_success(connection)
    if moment is None:
        yield failure("there is no backup", f"deploy/backup/backup {settings.ENVIRONMENT}")
        return
    yield backup_age(age_seconds(moment))


def archive() -> Iterator[Diagnosis]:
    """Report how much of the database's log is not archived, where the service `backup` works."""
    table = BackupRun._meta.db_table  # noqa: SLF001 - public API
    if (
        connection.vendor == "postgresql"
        and table in connection.introspection.table_names()
        and BackupRun.objects.exists()
    ):
        yield archive_lag(archive_lag_bytes(connection))


def archive_lag(lag: int | None) -> Diagnosis:
    if lag is None:
        return warning(
            "the database's log is not archived, so a lost database comes back as of the last backup",
            "recreate the services `db` and `backup`, then see the log of `backup`",
        )
    message = f"{lag >> 20} MiB of the database's log are not archived yet"
    return warning(message, "see `docker compose logs backup`") if lag > ARCHIVE_WARNING_BYTES else ok(message)


def backup_age(seconds: float) -> Diagnosis:
    hours = seconds / 3600
    message = f"the last good backup is {hours:.0f} hours old"
    hint = "see `docker compose logs backup`, and whether its disk is full"
    if hours > BACKUP_FAILURE_HOURS:
        return failure(message, hint)
    return warning(message, hint) if hours > BACKUP_WARNING_HOURS else ok(message)


def _rows(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
