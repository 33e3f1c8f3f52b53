"""Migrate once, however many replicas start at the same time."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DatabaseError, OperationalError, connection

from todo_project.ops.startup import roles
from todo_project.ops.startup.commands import StartCommand
from todo_project.ops.startup.database import fresh_connection, pending_migrations, set_timeouts
from todo_project.ops.startup.locks import Blockers, is_lock_timeout, lock_timeout

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

LOCK: Final = 0x746F646F  # "todo"; advisory locks are per database
POLL_SECONDS: Final = 0.25
REMIND_SECONDS: Final = 10
CONNECT_SECONDS: Final = 60  # many replicas may start at once on a small machine
ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 5.0
REFUSED_LOGIN: Final = (
    "\nThe password differs from the database's. PostgreSQL takes POSTGRES_PASSWORD only when its volume is new; "
    "`deploy/release/rotate ENV database-password` changes it to that of the env file."
)


class LoggedMigrate(migrate.Command):
    """Django's migrate, which logs the name of each migration instead of printing it."""

    current = ""

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if action == "apply_start":
            logger.info("applying %s", migration)
            self.current = str(migration)
        elif action == "apply_success":
            self.current = ""


class Command(StartCommand):
    help = "Migrate under a PostgreSQL advisory lock; without one if nothing is pending."
    requires_migrations_checks = False
    requires_system_checks = ()  # those of the settings run below

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--timeout", type=float, default=600, help="seconds to wait for another replica's migration (600)"
        )
        parser.add_argument(
            "--lock-timeout",
            type=float,
            default=5,
            help="seconds that a statement may wait for a lock, while others queue behind it; "
            f"{ATTEMPTS} attempts, 0 means no limit (5; PostgreSQL)",
        )
        parser.add_argument(
            "--beside",
            metavar="NAME",
            help="migrate this other database of the same server, before it is put in use",
        )

    def handle(self, **options: Any) -> None:
        """Check the settings, then migrate what is pending."""
        _check_settings()
        if options["beside"]:
            connection.settings_dict["NAME"] = options["beside"]
        try:
            self._separate_roles(options)
            self._migrate(options)
        except OperationalError as error:
            hint = REFUSED_LOGIN if "password authentication failed" in str(error) else ""
            raise CommandError(f"The database did not answer: {str(error).strip()}{hint}") from error
        except DatabaseError as error:
            raise CommandError(f"Not migrated: {str(error).strip()}") from error

    def _separate_roles(self, options: dict[str, Any]) -> None:
        if not roles.is_superuser_of_service(connection):
            return
        with fresh_connection(statement_timeout_ms=0, connect_timeout_seconds=CONNECT_SECONDS) as lock:
            _acquire(lock, timeout=options["timeout"])
            _run_patiently(lambda: roles.separate(connection), seconds=options["lock_timeout"])
        connection.close()  # it stays the superuser's, who would own the tables of the migrations

    def _migrate(self, options: dict[str, Any]) -> None:
        pending = pending_migrations(connection)
        if not pending:
            logger.info("nothing to migrate")
            return
        if connection.vendor != "postgresql":
            _run(pending)
            return
        # The lock has its own connection and transaction, so that it outlasts migrations that are not atomic,
        # works through PgBouncer, and is released when this process ends.
        with fresh_connection(statement_timeout_ms=0, connect_timeout_seconds=CONNECT_SECONDS) as lock:
            _acquire(lock, timeout=options["timeout"])
            pending = pending_migrations(connection)
            if not pending:
                logger.info("another replica has migrated")
                return
            _run_patiently(lambda: _run(pending), seconds=options["lock_timeout"])


def _check_settings() -> None:
    """Log what the system checks of settings find; an error among them raises. The test suite runs the others."""
    found = [message for message in run_checks(tags=[Tags.security]) if not message.is_silenced()]
    for message in found:
        logger.log(message.level, "%s", message)
    if any(message.is_serious() for message in found):
        raise CommandError("System checks failed; see the errors logged above.")


def _run_patiently(work: Callable[[], None], *, seconds: float) -> None:
    """Do the work; while a lock is held by others, let the traffic pass and retry. What is done stays done."""
    with Blockers(connection) as blockers, lock_timeout(connection, seconds):
        for attempt in range(1, ATTEMPTS + 1):
            if _has_run(work):
                return
            waited = f"waited {seconds:g} s for a lock that is held by {blockers}"
            if attempt < ATTEMPTS:
                logger.info("%s; retrying in %g s (%s of %s)", waited, PAUSE_SECONDS, attempt, ATTEMPTS)
                time.sleep(PAUSE_SECONDS)
    raise CommandError(
        f"Not migrated: {ATTEMPTS} times {waited}. Wait until they are done, or end them "
        "(SELECT pg_terminate_backend(pid)), then start again."
    )


def _has_run(work: Callable[[], None]) -> bool:
    """Do the work and return True, or False if a lock was not free in time."""
    try:
        work()
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        return False
    return True


def _run(pending: list[str]) -> None:
    """Migrate. The error of a migration names it; one of the connection, or a lock timeout, is raised as it is."""
    logger.info("migrating: %s pending", len(pending))
    command = LoggedMigrate()
    try:
        call_command(command, interactive=False, verbosity=0)
    except DatabaseError as error:
        if is_lock_timeout(error) or not connection.is_usable():
            raise
        failed = f"Migration {command.current}" if command.current else "Migrating"
        raise CommandError(
            f"{failed} failed: {str(error).strip()}. The migrations before it are applied. "
            "Fix it, then start again (--traceback shows where it failed)."
        ) from error


def _acquire(lock: BaseDatabaseWrapper, *, timeout: float) -> None:
    start = time.monotonic()
    remind_at = 0.0
    while not try_lock(lock):
        waited = time.monotonic() - start
        if waited >= timeout:
            raise CommandError(
                f"Another replica has held the migration lock for more than {timeout:g} s. "
                "Check whether its migration is still running (pg_stat_activity), then start again."
            )
        if waited >= remind_at:
            logger.info("waiting for another replica's migration (%.0f s of %g s)", waited, timeout)
            remind_at += REMIND_SECONDS
        time.sleep(min(POLL_SECONDS, timeout))


def try_lock(lock: BaseDatabaseWrapper) -> bool:
    """Take the lock until the transaction of this connection ends; return whether it was free."""
    set_timeouts(lock, 0)
    with lock.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        has_lock = bool(cursor.fetchone()[0])
    if not has_lock:
        # The CREATE INDEX CONCURRENTLY of the replica that has it may wait for the end of this transaction.
        lock.rollback()
    return has_lock
