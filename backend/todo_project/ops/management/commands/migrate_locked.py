"""Migrates once, however many replicas start at the same moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from todo_project.ops.database import fresh_connection, in_transaction, pending_migrations

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from django.db.backends.base.base import BaseDatabaseWrapper

LOCK: Final = 0x746F646F  # "todo"; advisory locks are per database
POLL_SECONDS: Final = 0.25
REMIND_SECONDS: Final = 10


class Command(BaseCommand):
    """The migration step of the start sequence."""

    help = "Migrate under a PostgreSQL advisory lock; without one when nothing is pending."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how long to wait for another replica."""
        parser.add_argument(
            "--timeout", type=float, default=600, help="seconds to wait for another replica's migration (600)"
        )

    def handle(self, **options: Any) -> None:
        """Look, lock, look again, migrate."""
        try:
            self._migrate(timeout=options["timeout"], verbosity=options["verbosity"])
        except OperationalError as error:
            raise CommandError(f"The database did not answer: {error}") from error

    def _migrate(self, *, timeout: float, verbosity: int) -> None:
        pending = pending_migrations(connection)
        if not pending:
            self.stdout.write("nothing to migrate")
            return
        if connection.vendor != "postgresql":
            self._run(pending, verbosity=verbosity)
            return
        # a connection of its own, in one transaction, so that the lock outlives migrations that are not
        # atomic, works through PgBouncer, and is gone whenever this process is
        with fresh_connection(statement_timeout_ms=0) as lock, in_transaction(lock):
            self._acquire(lock, timeout=timeout)
            pending = pending_migrations(connection)
            if not pending:
                self.stdout.write("another replica has migrated")
                return
            self._run(pending, verbosity=verbosity)

    def _run(self, pending: list[str], *, verbosity: int) -> None:
        self.stdout.write(f"migrating: {len(pending)} pending")
        self.stdout.flush()
        call_command("migrate", interactive=False, verbosity=verbosity, stdout=self.stdout, stderr=self.stderr)

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
