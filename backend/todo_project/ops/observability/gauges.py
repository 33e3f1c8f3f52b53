"""The state at the moment of a scrape: the build, the workers' memory, the disk, the database, the queue, and what
apps contribute.

One statement reads the database, every few seconds at most, on its own connection. When it does not answer,
`database_up` is 0 and the other numbers of the database are absent; the page itself never fails. The numbers of
each app are another statement on that connection: when it fails, only they are absent.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import django
from django.apps import apps
from django.conf import settings
from django.db import connection
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from todo_project.ops.contributions import Contribution, contributions
from todo_project.ops.observability.certificate import Certificate
from todo_project.ops.startup.database import fresh_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

logger = logging.getLogger(__name__)

KEPT_SECONDS: Final = 10
STATEMENT_TIMEOUT_MS: Final = 2000
STATUSES: Final = ("todo", "doing", "failed", "succeeded")

_DATABASE: Final = """
SELECT json_build_object(
  'max', current_setting('max_connections')::int,
  'clock', extract(epoch FROM clock_timestamp()),
  'states', (SELECT json_object_agg(state, n) FROM (
    SELECT coalesce(state, 'unknown') AS state, count(*) AS n FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1) AS states)
"""
# A job that was never tried has waited since it was deferred; the one with the lowest id is the oldest of those.
# The others have waited since the time for which they were scheduled.
_QUEUE: Final = """,
  'jobs', (SELECT json_object_agg(status, n) FROM (
    SELECT status, count(*) AS n FROM procrastinate_jobs GROUP BY 1) AS jobs),
  'oldest', (SELECT coalesce(extract(epoch FROM now() - least(
    (SELECT min(scheduled_at) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at <= now()),
    (SELECT min(at) FROM procrastinate_events WHERE job_id = (
      SELECT id FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NULL ORDER BY id LIMIT 1)))), 0)),
  'workers', (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '60 seconds')
"""


class Build(Collector):
    """What runs here."""

    def collect(self) -> Iterator[Metric]:
        facts = {
            "version": settings.VERSION,
            "revision": settings.REVISION[:12],
            "environment": settings.ENVIRONMENT,
            "python": platform.python_version(),
            "django": django.get_version(),
        }
        family = GaugeMetricFamily("todo_build_info", "What runs here; always 1", labels=list(facts))
        family.add_metric(list(facts.values()), 1)
        yield family


class Workers(Collector):
    """Memory and processor time of each of the server's workers, as the kernel counts them."""

    def collect(self) -> Iterator[Metric]:
        """Read /proc for the processes whose ids are in the metrics directory; no samples without it."""
        memory = GaugeMetricFamily(
            "worker_memory_bytes", "A worker's proportional share of memory", labels=["worker"]
        )
        processor = CounterMetricFamily(
            "worker_cpu_seconds", "Processor time of a worker; starts anew when it is renewed", labels=["worker"]
        )
        for path in sorted(Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "/nonexistent")).glob("worker_*.pid")):
            slot = path.stem.partition("_")[2]
            try:
                process = Path("/proc") / path.read_text()
                memory.add_metric([slot], _proportional_bytes(process))
                processor.add_metric([slot], _processor_seconds(process))
            except (OSError, ValueError, IndexError):
                continue  # it has just ended
        yield memory
        yield processor


def _proportional_bytes(process: Path) -> int:
    lines = (process / "smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024


def _processor_seconds(process: Path) -> float:
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Disk(Collector):
    """Space on the disk of the media volume, on which the other volumes are too unless somebody moved them."""

    def collect(self) -> Iterator[Metric]:
        usage = shutil.disk_usage(settings.MEDIA_ROOT)
        yield GaugeMetricFamily("disk_free_bytes", "Free on the media volume's disk", value=usage.free)
        yield GaugeMetricFamily("disk_size_bytes", "Size of the media volume's disk", value=usage.total)


class Database(Collector):
    """Connections and the queue, from one statement whose result is cached for a few seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_at = -1e9
        self._answer: dict[str, Any] | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers of the database, or only that it does not answer."""
        if connection.vendor != "postgresql":
            return
        facts = self._facts()
        yield GaugeMetricFamily("database_up", "Whether the database answered", value=facts is not None)
        if facts is not None:
            yield from _connections(facts)
            if "jobs" in facts:
                yield from _queue(facts)
            for name, contribution in contributions.items():
                yield from _contributed(contribution, facts["contributed"][name])

    def _facts(self) -> dict[str, Any] | None:
        with self._lock:
            if time.monotonic() - self._asked_at > KEPT_SECONDS:
                self._answer = _ask()
                self._asked_at = time.monotonic()
            return self._answer


def _ask() -> dict[str, Any] | None:
    has_queue = apps.is_installed("procrastinate.contrib.django")
    try:
        with fresh_connection(statement_timeout_ms=STATEMENT_TIMEOUT_MS) as fresh, fresh.cursor() as cursor:
            before = time.time()
            facts = _read(cursor, f"{_DATABASE}{_QUEUE if has_queue else ''})::text")
            facts["skew"] = facts["clock"] - (before + time.time()) / 2
            facts["contributed"] = {name: _read_of(cursor, name, each) for name, each in contributions.items()}
            return facts
    except Exception as error:  # noqa: BLE001 - numbers about the database must not take the others with them
        logger.warning("ops.database_metrics_unavailable: the database: %s", error)
        return None


def _read(cursor: Any, statement: str) -> dict[str, Any]:
    cursor.execute(statement)
    facts: dict[str, Any] = json.loads(cursor.fetchone()[0])
    return facts


def _read_of(cursor: Any, name: str, contribution: Contribution) -> dict[str, Any]:
    """Return the numbers of an app; none if they cannot be read."""
    cursor.execute("SAVEPOINT contribution")
    try:
        return _read(cursor, f"SELECT ({contribution.sql})::text")
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning("ops.database_metrics_unavailable: %s: %s", name, error)
        cursor.execute("ROLLBACK TO SAVEPOINT contribution")
        return {}


def _contributed(contribution: Contribution, facts: dict[str, Any]) -> Iterator[Metric]:
    for gauge in contribution.gauges:
        if gauge.label is None:
            yield GaugeMetricFamily(gauge.name, gauge.help, value=facts.get(gauge.name))
            continue
        family = GaugeMetricFamily(gauge.name, gauge.help, labels=[gauge.label])
        for value, number in (facts.get(gauge.name) or {}).items():
            family.add_metric([value], number)
        yield family


def _connections(facts: dict[str, Any]) -> Iterator[Metric]:
    used = GaugeMetricFamily("database_connections", "Open connections to this database", labels=["state"])
    for state, number in (facts["states"] or {}).items():
        used.add_metric([state], number)
    yield used
    yield GaugeMetricFamily("database_connections_max", "max_connections of the server", value=facts["max"])
    yield GaugeMetricFamily(
        "database_clock_skew_seconds",
        "How far the database's clock is ahead of this machine's",
        value=facts["skew"],
    )


def _queue(facts: dict[str, Any]) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("queue_jobs", "Background jobs by status", labels=["status"])
    counted = dict.fromkeys(STATUSES, 0) | (facts["jobs"] or {})
    for status, number in counted.items():
        jobs.add_metric([status], number)
    yield jobs
    yield GaugeMetricFamily("queue_oldest_seconds", "Age of the oldest due job", value=facts["oldest"])
    yield GaugeMetricFamily("queue_workers", "Workers with a recent heartbeat", value=facts["workers"])


REGISTRY: Final = CollectorRegistry()
for _collector in (Build(), Workers(), Disk(), Database(), Certificate()):
    REGISTRY.register(_collector)
