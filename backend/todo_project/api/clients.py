"""The address of the client, taken from the connection or from our own proxies."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache

from django.conf import settings

# [2001:db8::1], [2001:db8::1]:443 and 203.0.113.7:5678, as some proxies write them
_WITH_PORT = re.compile(r"\[(.+)\](?::\d+)?|([^:]+):\d+")


def address_of(environ: Mapping[str, str]) -> str:
    """Return the client's address: that of the connection, or the one that the outermost of our proxies saw.

    Each of the TRUSTED_PROXY_COUNT proxies appends the address of its own client to X-Forwarded-For. Entries to the
    left of theirs come from the client and are not trusted.
    """
    proxies, direct = settings.TRUSTED_PROXY_COUNT, environ.get("REMOTE_ADDR", "")
    if not proxies:
        return direct
    hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    return (_address_in(hops[-proxies]) if len(hops) >= proxies else None) or direct


@lru_cache(maxsize=4096)  # every request asks, and parsing costs more than the rest of address_of
def _address_in(hop: str) -> str | None:
    """Return the address in an entry of X-Forwarded-For in its canonical form; None if there is none."""
    text = hop.strip('"')
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((match[1] or match[2]) if match else text)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def client_network(environ: Mapping[str, str]) -> str:
    """Return what identifies a client for limits: its IPv4 address, or the /64 of its IPv6 address."""
    return network_of(address_of(environ))


def network_of(address: str) -> str:
    """Return an IPv4 address itself, or the /64 of an IPv6 address, within which a client can choose freely."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address


def is_internal_and_direct(environ: Mapping[str, str]) -> bool:
    """Return whether the request comes from the internal network and not through a proxy."""
    if any(name in environ for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA")):
        return False
    try:
        return ipaddress.ip_address(environ.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return False
