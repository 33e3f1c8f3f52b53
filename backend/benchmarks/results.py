"""Measurements, and the ratios within rounds that follow from them, with medians and spreads."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One contender under load at one endpoint in one round."""

    endpoint: str
    contender: str
    round: int
    requests: int
    seconds: float
    latency_ms: Mapping[str, float]  # p50, p99
    app_cpu: float  # seconds of the contender's processes
    database_cpu: float  # seconds of PostgreSQL's

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Processor milliseconds of the contender and PostgreSQL together for one request."""
        return self.app_cpu_ms + self.database_cpu_ms

    @property
    def app_cpu_ms(self) -> float:
        """Processor milliseconds of the contender for one request."""
        return 1000 * self.app_cpu / self.requests

    @property
    def database_cpu_ms(self) -> float:
        """Processor milliseconds of PostgreSQL for one request."""
        return 1000 * self.database_cpu / self.requests


@dataclass(frozen=True)
class Spread:
    """A median with the lowest and the highest of the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarize some values; raise ValueError if there are none."""
        if not values:
            raise ValueError("nothing was measured")
        return cls(statistics.median(values), min(values), max(values))


class Results:
    """All measurements of one run."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        self.measurements = list(measurements)
        self._cells: dict[tuple[str, str], dict[int, Measurement]] = {}
        for measured in self.measurements:
            self._cells.setdefault((measured.endpoint, measured.contender), {})[measured.round] = measured

    def has(self, endpoint: str, contender: str) -> bool:
        """Return whether the contender was measured at the endpoint."""
        return (endpoint, contender) in self._cells

    def spread(self, endpoint: str, contender: str, value: Callable[[Measurement], float]) -> Spread:
        """Summarize one value over the rounds."""
        return Spread.of([value(measured) for measured in self._cells[endpoint, contender].values()])

    def ratio(
        self,
        endpoint: str,
        contender: str,
        *,
        over: str,
        value: Callable[[Measurement], float] = lambda measured: measured.rate,
    ) -> Spread | None:
        """Summarize the contender's value divided by another's, each pair from the same round; None without a pair.

        Figures of two rounds are never compared, because the machine's other load differs from round to round.
        """
        own = self._cells.get((endpoint, contender), {})
        other = self._cells.get((endpoint, over), {})
        ratios = [value(own[number]) / value(other[number]) for number in own if number in other]
        return Spread.of(ratios) if ratios else None


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """Return the names in an order that starts one further each turn, so that none always goes first."""
    start = turn % len(names)
    return [*names[start:], *names[:start]]
