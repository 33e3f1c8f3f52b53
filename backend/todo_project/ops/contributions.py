"""What apps add to the metrics and the doctor, registered in their apps.py, because ops knows no domain app."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from todo_project.ops.health.diagnosis import Diagnosis


class Gauge(NamedTuple):
    """A metric: a number, or several by the value of a label."""

    name: str
    help: str
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """Numbers of one app, and what the doctor says about them."""

    # an expression for PostgreSQL: JSON with the number of each gauge by its name, or several by the value of the
    # label; it must be cheap, since each scrape reads it
    sql: str
    gauges: Sequence[Gauge]
    diagnoses: Callable[[dt.datetime], Iterable[Diagnosis]]


contributions: Final[dict[str, Contribution]] = {}
