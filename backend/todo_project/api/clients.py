"""Who is asking, as far as the trusted proxies can tell."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache


def address_of(environ: Mapping[str, str], *, proxies: int) -> str:
    """Give the client's address: the connection's own, or what the outermost of our proxies saw.

    Each proxy appends the address it was called from to X-Forwarded-For. What stands further left than
    our own proxies' entries was written by the client and is not believed.
    """
    direct = environ.get("REMOTE_ADDR", "")
    if not proxies:
        return direct
    hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    candidate = hops[-proxies] if len(hops) >= proxies else direct
    return candidate if _is_address(candidate) else direct


@lru_cache(maxsize=4096)  # each request asks, and parsing costs more than all the rest here
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def network_of(address: str) -> str:
    """Give what a client cannot change at will: an IPv4 address itself, of an IPv6 one the /64 around it."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address


def is_internal_and_direct(environ: Mapping[str, str]) -> bool:
    """Tell whether the request came from the internal network itself, not through any proxy."""
    if any(name in environ for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA")):
        return False
    try:
        return ipaddress.ip_address(environ.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return False
