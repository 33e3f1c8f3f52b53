"""A figure with its goal, and the page of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.results import Spread

_INTRO = """\
# Figures
Made by `make figures`; how each is measured is in [README.md](README.md#figures). Median (lowest–highest).
Ratios are made within rounds, and what they are of is behind them. Figures of two runs cannot be compared.
"""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Something that was measured several times. The goal, where there is one, is the most it should be."""

    title: str
    unit: str
    values: Sequence[float]
    goal: float | None = None
    parts: str = ""  # where it is a ratio: of what

    @property
    def spread(self) -> Spread:
        """Median, lowest and highest."""
        return Spread.of(self.values)

    @property
    def is_reached(self) -> bool | None:
        """Return whether the median is within the goal; None without a goal."""
        return None if self.goal is None else self.spread.median <= self.goal


def ratio(
    title: str, ours: Sequence[float], other: Sequence[float], *, unit: str, goal: float | None = None
) -> Figure:
    """Return the ratio of two things that were measured in pairs."""
    values = [one / two for one, two in zip(ours, other, strict=True)]
    medians = (number(Spread.of(side).median) for side in (ours, other))
    return Figure(title=title, unit="×", values=values, goal=goal, parts=" : ".join(medians) + f" {unit}")


def number(value: float) -> str:
    """Write a number with as many digits as say something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(figures: Sequence[Figure], facts: Mapping[str, str]) -> str:
    """Return the page."""
    lines = [_INTRO, "| what | measured | goal |", "| --- | --- | --- |"]
    lines += [f"| {figure.title} | {_measured(figure)} | {_goal(figure)} |" for figure in figures]
    lines += ["", "## Circumstances", *(f"- {name}: {fact}" for name, fact in facts.items())]
    return "\n".join(lines) + "\n"


def as_json(figures: Sequence[Figure], facts: Mapping[str, str]) -> dict[str, Any]:
    """Return the page as JSON, with every single value."""
    rows = [
        {
            "title": figure.title,
            "unit": figure.unit,
            "median": figure.spread.median,
            "goal": figure.goal,
            "is_reached": figure.is_reached,
            "values": list(figure.values),
            "parts": figure.parts,
        }
        for figure in figures
    ]
    return {"figures": rows, "facts": dict(facts)}


def _measured(figure: Figure) -> str:
    spread = figure.spread
    text = f"**{number(spread.median)} {figure.unit}**"
    if len(figure.values) > 1:
        text += f" ({number(spread.low)}–{number(spread.high)})"
    return f"{text}; {figure.parts}" if figure.parts else text


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"≤ {figure.goal:g} {figure.unit}: {'reached' if figure.is_reached else '**not reached**'}"
