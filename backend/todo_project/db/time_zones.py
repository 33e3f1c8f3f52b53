"""The names of time zones."""

from __future__ import annotations

import functools
import zoneinfo

# Names that mean different zones on different machines.
_MACHINE_SPECIFIC = frozenset({"localtime", "Factory"})


@functools.cache
def names() -> frozenset[str]:
    """Return the names in the IANA time zone database, such as Asia/Shanghai."""
    return frozenset(zoneinfo.available_timezones() - _MACHINE_SPECIFIC)
