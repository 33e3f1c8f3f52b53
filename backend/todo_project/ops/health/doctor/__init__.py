"""Examines the running service: `manage.py doctor`. Each check looks at one thing and says what to do about it.

What the settings alone can tell is in checks.py and in the configuration's own check; these look at the world.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError

from . import database, files, queue, site
from .finding import Finding, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

logger = logging.getLogger(__name__)

CHECKS: Final[dict[str, Callable[[], Iterable[Finding]]]] = {
    "volumes": files.volumes,
    "disk": files.disk,
    "site": site.self_test,
    "certificate": site.certificate,
    "connections": database.connections,
    "clock": database.clock,
    "migrations": database.migrations,
    "backup": database.backup,
    "queue": queue.jobs,
    "worker": queue.workers,
}


def diagnose() -> Iterator[tuple[str, Finding]]:
    """Run every check; one that breaks is a finding too."""
    for name, check in CHECKS.items():
        try:
            found = list(check())
        except DatabaseError as error:
            found = [failure(f"the database does not answer: {error}", "see `docker compose logs db`")]
        except Exception as error:
            logger.exception("ops.doctor: %s", name)
            found = [failure(f"could not be examined: {error!r}", "the log has the whole error: report it")]
        for finding in found:
            yield name, finding


__all__ = ["CHECKS", "Finding", "diagnose"]
