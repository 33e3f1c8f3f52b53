"""The IANA time zones."""

from __future__ import annotations

import functools
import zoneinfo

# Names that mean different zones on different machines.
_MACHINE_SPECIFIC = frozenset({"localtime", "Factory"})


@functools.cache
def names() -> frozenset[str]:
    """Return the names in the IANA time zone database, such as Asia/Shanghai."""
    return frozenset(zoneinfo.available_timezones() - _MACHINE_SPECIFIC)


def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the zone with this name, or UTC if it is unknown here.

    A stored name can be unknown: a newer release knew it, with newer time zone data.
    """
    return zoneinfo.ZoneInfo(name if name in names() else "UTC")
