"""Which time zones there are."""

from __future__ import annotations

import functools
import zoneinfo

# What the clock of this machine shows, and what it shows when nobody set it: another machine means another by them.
_OF_THE_MACHINE = frozenset({"localtime", "Factory"})


@functools.cache
def names() -> frozenset[str]:
    """Give the names in the IANA time zone database, such as Asia/Shanghai."""
    return frozenset(zoneinfo.available_timezones() - _OF_THE_MACHINE)
