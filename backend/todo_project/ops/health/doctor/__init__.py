"""The checks of `manage.py doctor`: each looks at one thing outside the process and says what to do about it.

Mistakes in the values and settings alone are found by the configuration check and by ops/checks.py.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone

from todo_project.ops.contributions import contributions
from todo_project.ops.health.diagnosis import Diagnosis, failure

from . import database, files, queue, site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

logger = logging.getLogger(__name__)

CHECKS: Final[dict[str, Callable[[], Iterable[Diagnosis]]]] = {
    "volumes": files.volumes,
    "disk": files.disk,
    "site": site.self_test,
    "certificate": site.certificate,
    "connections": database.connections,
    "clock": database.clock,
    "migrations": database.migrations,
    "checks": database.system_checks,
    "backup": database.backup,
    "archive": database.archive,
    "queue": queue.jobs,
    "worker": queue.workers,
}


def diagnose() -> Iterator[tuple[str, Diagnosis]]:
    """Run every check; an error in one is a diagnosis too."""
    added = {name: partial(each.diagnoses, timezone.now()) for name, each in contributions.items()}
    for name, check in (CHECKS | added).items():
        try:
            found = list(check())
        except (OperationalError, InterfaceError) as error:
            found = [failure(f"the database does not answer: {error}", "see `docker compose logs db`")]
        except DatabaseError as error:  # such as a missing table
            reason = str(error).partition("\n")[0]
            found = [
                failure(f"the database refuses this check: {reason}", "correct what `migrations` reports first")
            ]
        except Exception as error:
            logger.exception("ops.doctor: %s", name)
            found = [failure(f"the check failed: {error!r}", "report it, with the traceback from the log")]
        for diagnosis in found:
            yield name, diagnosis


__all__ = ["CHECKS", "Diagnosis", "diagnose"]
