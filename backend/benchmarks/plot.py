"""The report's picture: each contender as a share of the ceiling, drawn as plain SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.contenders import CEILING, OURS, Contender
from benchmarks.endpoints import Endpoint
from benchmarks.report import Outcome
from benchmarks.results import Spread

_COLORS = ("#2563eb", "#d97706", "#059669", "#9333ea", "#64748b")
_RED = "#dc2626"  # of the ceiling
_LEFT, _WIDTH, _BAR, _GAP, _TOP = 210, 620, 16, 18, 56
_LIMIT = 1.25  # the right edge, as a share of the ceiling


def svg(outcome: Outcome) -> str:
    """Return the picture; without the ceiling it has only the legend."""
    shown = [row for row in outcome.contenders if row.name != CEILING]
    parts = _legend(shown)
    y = _TOP
    for endpoint in outcome.endpoints:
        parts += _group(outcome, endpoint, shown, y)
        y += _BAR * len(shown) + _GAP
    parts += _ceiling_line(y)
    height, width = y + 24, _LEFT + _WIDTH + 40  # space for the figure behind a truncated bar
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img">'
        "<title>Requests per second as a share of the ceiling</title>"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def _legend(shown: Sequence[Contender]) -> list[str]:
    parts = ['<text x="10" y="22" font-weight="bold">Requests per second, as a share of the ceiling</text>']
    x = _LEFT
    for number, row in enumerate(shown):
        parts.append(f'<rect x="{x}" y="34" width="12" height="12" fill="{_color(number)}"/>')
        parts.append(f'<text x="{x + 18}" y="45">{escape(row.name)}</text>')
        x += 110
    return parts


def _group(outcome: Outcome, endpoint: Endpoint, shown: Sequence[Contender], y: int) -> list[str]:
    middle = y + _BAR * len(shown) / 2 + 5
    parts = [f'<text x="{_LEFT - 10}" y="{middle:.0f}" text-anchor="end">{escape(endpoint.title)}</text>']
    for number, row in enumerate(shown):
        ratio = outcome.results.ratio(endpoint.name, row.name, over=CEILING)
        if ratio:
            parts += _bar(ratio, y + number * _BAR, _color(number))
    return parts + _goals(outcome, endpoint, shown, y)


def _goals(outcome: Outcome, endpoint: Endpoint, shown: Sequence[Contender], y: int) -> list[str]:
    """Mark the goal for our bar, in the color of each contender."""
    names = [row.name for row in shown]
    if OURS not in names:
        return []
    top = y + names.index(OURS) * _BAR
    parts = []
    for row in shown:
        goal, share = endpoint.goal_over(row), outcome.results.ratio(endpoint.name, row.name, over=CEILING)
        if goal and share:
            x, color = _x(goal * share.median), _color(names.index(row.name))
            title = f"goal of ours: {goal:.2f} × {escape(row.name)}"
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" y2="{top + _BAR}" stroke="{color}" '
                f'stroke-width="3" stroke-dasharray="3 2"><title>{title}</title></line>'
            )
    return parts


def _bar(ratio: Spread, y: int, color: str) -> list[str]:
    low, high, end = _x(ratio.low), _x(ratio.high), _x(ratio.median)
    middle = y + (_BAR - 3) / 2
    return [
        f'<rect x="{_LEFT}" y="{y}" width="{end - _LEFT:.1f}" height="{_BAR - 3}" fill="{color}"/>',
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.1f}" y2="{middle:.1f}" stroke="#111827"/>',
        f'<text x="{max(end, high) + 6:.1f}" y="{y + 11}" font-size="11">{ratio.median:.2f}</text>',
    ]


def _ceiling_line(bottom: int) -> list[str]:
    x = _x(1)
    return [
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{bottom - 8}" stroke="{_RED}" stroke-width="2"/>',
        f'<text x="{x:.1f}" y="{bottom + 8}" text-anchor="middle" fill="{_RED}">ceiling</text>',
        f'<text x="{_LEFT}" y="{bottom + 8}" font-size="11">dashed: goals of ours over each</text>',
    ]


def _x(share: float) -> float:
    return _LEFT + _WIDTH * min(share, _LIMIT) / _LIMIT


def _color(number: int) -> str:
    return _COLORS[number % len(_COLORS)]
