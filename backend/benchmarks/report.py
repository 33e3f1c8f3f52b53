"""Format the report: first ratios and goals, then the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.answers import UNKNOWN
from benchmarks.contenders import CEILING, OURS, Contender
from benchmarks.endpoints import Endpoint
from benchmarks.results import Measurement, Results, Spread

_INTRO = """\
# Side by side
Made by `make bench`; how it measures is in [README.md](README.md). Ratios are of requests per second,
each pair from the same round, given as median (lowest–highest round). Figures of two reports cannot be compared.
"""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Everything that one run found out."""

    results: Results
    endpoints: Sequence[Endpoint]
    contenders: Sequence[Contender]
    agreement: Mapping[str, Mapping[str, str]]
    facts: Mapping[str, str]


def markdown(outcome: Outcome) -> str:
    """Return the report as Markdown."""
    facts = [f"- {name}: {fact}" for name, fact in outcome.facts.items()]
    contenders = [f"- **{row.name}**: {row.title}" for row in outcome.contenders]
    parts = [
        _INTRO,
        "![ratios](report.svg)\n",
        "## Ratios",
        *_table(*_ratios(outcome)),
        "",
        *_beside_older(outcome),
        "## Contenders",
        *contenders,
        "",
        "## Requests per second",
        *_table(*_figures(outcome, lambda m: m.rate, _whole)),
        "",
        "## Processor milliseconds for one request: contender + PostgreSQL",
        *_table(*_cpu(outcome)),
        "",
        "## Latency in ms, median / 99th percentile",
        *_table(*_latency(outcome)),
        "",
        "## Answers compared with the ceiling's",
        *_table(*_agreement(outcome)),
        "",
        "## Circumstances",
        *facts,
    ]
    return "\n".join(parts) + "\n"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the report as JSON, with every single measurement."""
    ratios, goals, processor_time = {}, {}, {}
    for endpoint in outcome.endpoints:
        pairs = {row.name: outcome.results.ratio(endpoint.name, OURS, over=row.name) for row in _others(outcome)}
        ratios[endpoint.name] = {over: asdict(ratio) for over, ratio in pairs.items() if ratio}
        times = {
            row.name: outcome.results.ratio(endpoint.name, OURS, over=row.name, value=lambda m: m.cpu_ms)
            for row in outcome.contenders
            if row.is_older
        }
        processor_time[endpoint.name] = {over: asdict(ratio) for over, ratio in times.items() if ratio}
        wanted = {row.name: endpoint.goal_over(row) for row in _others(outcome)}
        goals[endpoint.name] = {over: goal for over, goal in wanted.items() if goal}
    return {
        "facts": dict(outcome.facts),
        "agreement": {name: dict(kinds) for name, kinds in outcome.agreement.items()},
        "ratios_of_ours_over": ratios,
        "processor_time_of_ours_over": processor_time,
        "goals_of_ours_over": goals,
        "measurements": [asdict(measured) for measured in outcome.results.measurements],
    }


def _others(outcome: Outcome) -> list[Contender]:
    return [row for row in outcome.contenders if row.name != OURS]


def _ratios(outcome: Outcome) -> tuple[list[str], list[list[str]]]:
    others = _others(outcome)
    has_ceiling = CEILING in {row.name for row in others}
    beside = [row.name for row in others if has_ceiling and row.name != CEILING]
    head = ["endpoint"]
    for row in others:
        head += ["ours of the ceiling" if row.name == CEILING else f"ours over {row.name}", "goal"]
    head += [f"{name} of the ceiling" for name in beside]
    rows = []
    for endpoint in outcome.endpoints:
        cells = [endpoint.title]
        for row in others:
            ratio, times = outcome.results.ratio(endpoint.name, OURS, over=row.name), row.name != CEILING
            cells += [_ratio(ratio, times=times), _goal(endpoint.goal_over(row), ratio, times=times)]
        shares = (outcome.results.ratio(endpoint.name, name, over=CEILING) for name in beside)
        rows.append([*cells, *(_ratio(share, times=False) for share in shares)])
    return head, rows


def _beside_older(outcome: Outcome) -> list[str]:
    """Return the section by which a change is judged for its speed, if an older commit was measured too."""
    lines = []
    for row in outcome.contenders:
        if row.is_older:
            head = ["endpoint"]
            for unit in ("requests/s", "processor ms"):
                head += [f"ours, {unit}", f"{row.name}, {unit}", "ours / older"]
            rows = [_pair(outcome.results, endpoint, row.name) for endpoint in outcome.endpoints]
            lines += [
                f"## Beside {row.name}",
                "Processor time is for one request, application and PostgreSQL together; below 1 is a gain.",
                "",
                *_table(head, rows),
                "",
            ]
    return lines


def _pair(results: Results, endpoint: Endpoint, older: str) -> list[str]:
    if not results.has(endpoint.name, older):
        return [endpoint.title, "", UNKNOWN, "", "", UNKNOWN, ""]
    cells = [endpoint.title]
    values: tuple[tuple[Callable[[Measurement], float], int], ...] = (
        (lambda m: m.rate, 0),
        (lambda m: m.cpu_ms, 2),
    )
    for value, digits in values:
        own, other = (results.spread(endpoint.name, name, value).median for name in (OURS, older))
        ratio = results.ratio(endpoint.name, OURS, over=older, value=value)
        cells += [f"{own:,.{digits}f}", f"{other:,.{digits}f}", _ratio(ratio, times=True)]
    return cells


def _ratio(ratio: Spread | None, *, times: bool) -> str:
    if ratio is None:
        return ""
    unit = " ×" if times else ""
    return f"**{ratio.median:.2f}**{unit} ({ratio.low:.2f}–{ratio.high:.2f})"


def _goal(goal: float | None, ratio: Spread | None, *, times: bool) -> str:
    if goal is None or ratio is None:
        return ""
    share = ratio.median / goal
    verdict = "reached" if share >= 1 else f"{share:.0%} of the way"
    return f"≥ {goal:.2f}{' ×' if times else ''}: {verdict}"


def _figures(
    outcome: Outcome, value: Callable[[Measurement], float], show: Callable[[Spread], str]
) -> tuple[list[str], list[list[str]]]:
    def cell(endpoint: Endpoint, row: Contender) -> str:
        if not outcome.results.has(endpoint.name, row.name):
            return ""
        return show(outcome.results.spread(endpoint.name, row.name, value))

    head = ["endpoint", *(row.name for row in outcome.contenders)]
    rows = [
        [endpoint.title, *(cell(endpoint, row) for row in outcome.contenders)] for endpoint in outcome.endpoints
    ]
    return head, rows


def _whole(spread: Spread) -> str:
    return f"{spread.median:,.0f} ({spread.low:,.0f}–{spread.high:,.0f})"


def _cpu(outcome: Outcome) -> tuple[list[str], list[list[str]]]:
    head, own = _figures(outcome, lambda m: m.app_cpu_ms, lambda s: f"{s.median:.2f}")
    _, database = _figures(outcome, lambda m: m.database_cpu_ms, lambda s: f"{s.median:.2f}")
    return head, _joined(own, database, " + ")


def _latency(outcome: Outcome) -> tuple[list[str], list[list[str]]]:
    head, middle = _figures(outcome, lambda m: m.latency_ms["p50"], lambda s: f"{s.median:.1f}")
    _, slow = _figures(outcome, lambda m: m.latency_ms["p99"], lambda s: f"{s.median:.1f}")
    return head, _joined(middle, slow, " / ")


def _joined(left: list[list[str]], right: list[list[str]], sign: str) -> list[list[str]]:
    return [
        [one[0], *(sign.join(filter(None, pair)) for pair in zip(one[1:], other[1:], strict=True))]
        for one, other in zip(left, right, strict=True)
    ]


def _agreement(outcome: Outcome) -> tuple[list[str], list[list[str]]]:
    names = sorted({name for kinds in outcome.agreement.values() for name in kinds})
    rows = [
        [endpoint.title, *(outcome.agreement[endpoint.name].get(name, "") for name in names)]
        for endpoint in outcome.endpoints
    ]
    return ["endpoint", *names], rows


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
