"""Migrates once, however many replicas start at the same moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, connection

from todo_project.ops.startup.database import fresh_connection, pending_migrations
from todo_project.ops.startup.locks import Blockers, is_lock_timeout, lock_timeout

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from django.db.backends.base.base import BaseDatabaseWrapper

LOCK: Final = 0x746F646F  # "todo"; advisory locks are per database
POLL_SECONDS: Final = 0.25
REMIND_SECONDS: Final = 10
CONNECT_SECONDS: Final = 60  # many replicas may start at once on a small machine
ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 5.0
ONLY_AT_FIRST: Final = (
    "\nThe password is not the database's. PostgreSQL takes POSTGRES_PASSWORD only when its volume is new; "
    "`deploy/release/rotate ENV database-password` has it follow the env file."
)


class Command(BaseCommand):
    """The migration step of the start sequence."""

    help = "Migrate under a PostgreSQL advisory lock; without one when nothing is pending."
    requires_migrations_checks = False
    requires_system_checks = ()  # gunicorn.conf.py runs them, at each start

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how long to wait for another replica, and for a lock."""
        parser.add_argument(
            "--timeout", type=float, default=600, help="seconds to wait for another replica's migration (600)"
        )
        parser.add_argument(
            "--lock-timeout",
            type=float,
            default=5,
            help="seconds that a statement may wait for a lock, with everybody behind it waiting too; "
            f"{ATTEMPTS} attempts, 0 means no limit (5; PostgreSQL)",
        )
        parser.add_argument(
            "--beside",
            metavar="NAME",
            help="migrate this other database of the same server, before it is put in use",
        )

    def handle(self, **options: Any) -> None:
        """Look, lock, look again, migrate."""
        if options["beside"]:
            connection.settings_dict["NAME"] = options["beside"]
        try:
            self._migrate(options)
        except OperationalError as error:
            hint = ONLY_AT_FIRST if "password authentication failed" in str(error) else ""
            raise CommandError(f"The database did not answer: {str(error).strip()}{hint}") from error
        except DatabaseError as error:
            raise CommandError(
                f"The last migration named above failed: {str(error).strip()}. Those before it are kept; "
                "mend it, then start again (--traceback shows where it failed)."
            ) from error

    def _migrate(self, options: dict[str, Any]) -> None:
        pending = pending_migrations(connection)
        if not pending:
            self.stdout.write("nothing to migrate")
            return
        if connection.vendor != "postgresql":
            self._run(pending, verbosity=options["verbosity"])
            return
        # a connection of its own, in one transaction, so that the lock outlives migrations that are not
        # atomic, works through PgBouncer, and is gone whenever this process is
        with fresh_connection(statement_timeout_ms=0, connect_timeout_seconds=CONNECT_SECONDS) as lock:
            self._acquire(lock, timeout=options["timeout"])
            pending = pending_migrations(connection)
            if not pending:
                self.stdout.write("another replica has migrated")
                return
            self._run_patiently(pending, verbosity=options["verbosity"], seconds=options["lock_timeout"])

    def _run_patiently(self, pending: list[str], *, verbosity: int, seconds: float) -> None:
        """Migrate; when a lock is not to be had, let the traffic pass and try again. Each migration is kept."""
        with Blockers(connection) as blockers, lock_timeout(connection, seconds):
            for attempt in range(1, ATTEMPTS + 1):
                if self._has_run(pending, verbosity=verbosity):
                    return
                waited = f"waited {seconds:g} s for a lock that is held by {blockers}"
                if attempt < ATTEMPTS:
                    self.stdout.write(f"{waited}; once more in {PAUSE_SECONDS:g} s ({attempt} of {ATTEMPTS})")
                    self.stdout.flush()
                    time.sleep(PAUSE_SECONDS)
        raise CommandError(
            f"Not migrated: {ATTEMPTS} times {waited}. Wait until they are done, or end them "
            "(SELECT pg_terminate_backend(pid)), then start again."
        )

    def _has_run(self, pending: list[str], *, verbosity: int) -> bool:
        """Migrate, unless a lock is not to be had in time."""
        try:
            self._run(pending, verbosity=verbosity)
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            return False
        return True

    def _run(self, pending: list[str], *, verbosity: int) -> None:
        self.stdout.write(f"migrating: {len(pending)} pending")
        self.stdout.flush()
        self.stdout.ending = ""  # migrate ends its own lines
        try:
            call_command("migrate", interactive=False, verbosity=verbosity, stdout=self.stdout, stderr=self.stderr)
        finally:
            self.stdout.ending = "\n"

    def _acquire(self, lock: BaseDatabaseWrapper, *, timeout: float) -> None:
        start = time.monotonic()
        remind_at = 0.0
        while not _try(lock):
            waited = time.monotonic() - start
            if waited >= timeout:
                raise CommandError(
                    f"Another replica has held the migration lock for more than {timeout:g} s. "
                    "See whether its migration is still running (pg_stat_activity), then start again."
                )
            if waited >= remind_at:
                self.stdout.write(f"waiting for another replica's migration ({waited:.0f} s of {timeout:g} s)")
                self.stdout.flush()
                remind_at += REMIND_SECONDS
            time.sleep(min(POLL_SECONDS, timeout))


def _try(lock: BaseDatabaseWrapper) -> bool:
    with lock.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
