from __future__ import annotations

import pytest

from benchmarks.results import Measurement, Results, Spread, rotated


def measured(contender: str, number: int, requests: int, **other: float) -> Measurement:
    return Measurement(
        endpoint="list",
        contender=contender,
        round=number,
        requests=requests,
        seconds=2.0,
        latency_ms={"p50": 1.0, "p99": 2.0},
        app_cpu=other.get("app_cpu", 1.0),
        database_cpu=other.get("database_cpu", 0.5),
    )


def test_a_measurement_knows_its_rate_and_its_processor_time_per_request() -> None:
    one = measured("ours", 1, 1000, app_cpu=1.5, database_cpu=0.25)
    assert (one.rate, one.app_cpu_ms, one.database_cpu_ms, one.cpu_ms) == (500.0, 1.5, 0.25, 1.75)


def test_ratios_are_made_within_rounds() -> None:
    # the machine was ten times slower in round 2; a ratio of medians over all rounds would not say 0.5
    results = Results(
        measured(name, number, requests)
        for number, pair in enumerate([(500, 1000), (50, 100), (600, 1000)])
        for name, requests in zip(["ours", "ceiling"], pair, strict=True)
    )
    assert results.ratio("list", "ours", over="ceiling") == Spread(median=0.5, low=0.5, high=0.6)


def test_a_round_without_its_pair_counts_for_nothing() -> None:
    results = Results([measured("ours", 1, 500), measured("ceiling", 1, 1000), measured("ours", 2, 9999)])
    assert results.ratio("list", "ours", over="ceiling") == Spread(0.5, 0.5, 0.5)
    assert results.ratio("list", "ours", over="usual") is None
    assert results.ratio("one", "ours", over="ceiling") is None


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Spread.of([])


def test_every_contender_goes_first_in_some_round() -> None:
    names = ["ceiling", "ours", "usual"]
    assert {rotated(names, number)[0] for number in range(1, 4)} == set(names)
    assert all(sorted(rotated(names, number)) == names for number in range(5))
