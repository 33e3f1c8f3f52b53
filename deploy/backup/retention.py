"""Choose the backups to remove: the last of each of the recent days, weeks and months stays."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Hashable

from .environment import Keep
from .manifest import moment_of

_FRESH = datetime.timedelta(hours=24)


def removable(
    names: Collection[str], verified: Collection[str], moment: datetime.datetime, keep: Keep
) -> list[str]:
    """Return the names of the backups to remove, oldest first.

    The newest one, the newest verified one and all younger than a day stay: today's may be from before a release.
    """
    ordered = sorted(names, reverse=True)
    kept = {name for name in ordered if moment - moment_of(name) < _FRESH}
    kept |= set(ordered[:1]) | set([name for name in ordered if name in verified][:1])
    for count, period in ((keep.daily, _day), (keep.weekly, _week), (keep.monthly, _month)):
        kept |= _last_of_each(ordered, count, period)
    return sorted(set(ordered) - kept)


def _last_of_each(ordered: list[str], count: int, period: Callable[[str], Hashable]) -> set[str]:
    """Return the newest backup of each of the last `count` periods that have one."""
    newest: dict[Hashable, str] = {}
    for name in ordered:
        newest.setdefault(period(name), name)
    return set(list(newest.values())[:count])


def _day(name: str) -> Hashable:
    return moment_of(name).date()


def _week(name: str) -> Hashable:
    return tuple(moment_of(name).isocalendar())[:2]


def _month(name: str) -> Hashable:
    return (moment_of(name).year, moment_of(name).month)
