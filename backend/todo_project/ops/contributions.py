"""What apps add to the metrics and the doctor, registered in their apps.py, because ops knows no domain app."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from prometheus_client import Metric

    from todo_project.ops.health.diagnosis import Diagnosis


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """Numbers of one app, and what the doctor says about them."""

    # an expression for PostgreSQL whose JSON value `metrics` takes; it must be cheap, since each scrape reads it
    sql: str
    metrics: Callable[[Any], Iterable[Metric]]
    findings: Callable[[dt.datetime], Iterable[Diagnosis]]


contributions: Final[dict[str, Contribution]] = {}
