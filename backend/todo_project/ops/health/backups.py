"""The age of the last backup, read from the database, so that every worker and replica reports the same."""

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


def last_success(connection: BaseDatabaseWrapper) -> datetime.datetime | None:
    """Return when the last successful backup started, or None."""
    from todo_project.ops.models import BackupRun  # noqa: PLC0415 - the middleware is imported before the models may be

    runs = BackupRun.objects.filter(outcome="ok").order_by("-started_at").values_list("started_at")[:1]
    for (started_at,) in runs.query.get_compiler(connection=connection).results_iter():
        moment: datetime.datetime = started_at
        return moment
    return None


def age_seconds(moment: datetime.datetime) -> float:
    """Return the age of a backup that started at this moment."""
    return max(0.0, (timezone.now() - moment).total_seconds())


class Backups(Collector):
    """The last backup's moment and age; no sample before the first backup, as after a restore."""

    def collect(self) -> Iterator[Metric]:
        """Read the database; if that fails, the other metrics are still served."""
        try:
            with fresh_connection(statement_timeout_ms=STATEMENT_TIMEOUT_MS) as connection:
                moment = last_success(connection)
        except Exception as error:  # noqa: BLE001 - numbers about backups must not take the others with them
            logger.warning("ops.backup_metrics_unavailable: %s", error)
            return
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
