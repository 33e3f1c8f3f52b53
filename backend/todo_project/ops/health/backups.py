"""The age of the last backup and the lag of the archive, read from the database, so that all replicas agree."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from todo_project.ops.startup.database import fresh_connection

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from prometheus_client import Metric

logger = logging.getLogger(__name__)

STATEMENT_TIMEOUT_MS: Final = 2000
ARCHIVE_SLOT: Final = "todo_backup"  # the same as in deploy/backup/archive.py


def last_success(connection: BaseDatabaseWrapper) -> datetime.datetime | None:
    """Return when the last successful backup started, or None."""
    from todo_project.ops.models import BackupRun  # noqa: PLC0415 - the middleware is imported before the models may be

    runs = BackupRun.objects.filter(outcome="ok").order_by("-started_at").values_list("started_at")[:1]
    for (started_at,) in runs.query.get_compiler(connection=connection).results_iter():
        moment: datetime.datetime = started_at
        return moment
    return None


def archive_lag_bytes(connection: BaseDatabaseWrapper) -> int | None:
    """Return how much of the database's log the service `backup` has not stored; None without its slot."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots"
            " WHERE slot_name = %s",
            [ARCHIVE_SLOT],
        )
        found = cursor.fetchone()
    return int(found[0]) if found and found[0] is not None else None


def age_seconds(moment: datetime.datetime) -> float:
    """Return the age of a backup that started then."""
    return max(0.0, (timezone.now() - moment).total_seconds())


class Backups(Collector):
    """The time and age of the last backup, and the archive's lag. What does not exist has no sample."""

    def collect(self) -> Iterator[Metric]:
        """Read the database; if that fails, the other metrics are still served."""
        try:
            with fresh_connection(statement_timeout_ms=STATEMENT_TIMEOUT_MS) as connection:
                moment, lag = last_success(connection), archive_lag_bytes(connection)
        except Exception as error:  # noqa: BLE001 - numbers about backups must not take the others with them
            logger.warning("ops.backup_metrics_unavailable: %s", error)
            return
        if lag is not None:
            yield GaugeMetricFamily(
                "todo_backup_archive_lag_bytes", "Bytes of the database's log that are not archived yet", value=lag
            )
        if moment is not None:
            yield GaugeMetricFamily(
                "todo_backup_last_success_timestamp",
                "Moment of the data in the last successful backup",
                value=moment.timestamp(),
            )
            yield GaugeMetricFamily(
                "todo_backup_age_seconds", "Age of the last successful backup", value=age_seconds(moment)
            )


REGISTRY: Final = CollectorRegistry()
REGISTRY.register(Backups())
