"""This will say which backends the proxy sends requests to, and wait until nothing is in flight to the others."""

from __future__ import annotations

import time
from collections.abc import Sequence

from host.stack import Stack

from .replicas import Container, containers

SLOTS = ("a", "b")
# More than the proxy waits for the backend's answer.
FLIGHT_SECONDS = 110.0
# How long nothing may have been seen, from one look to another: a request that the proxy has just read arrives
# within it.
QUIET_SECONDS = 2.0
# Counts established connections to port 8000 from the given addresses; those that wait to be accepted are
# among them. /proc/net/tcp writes addresses as little-endian hexadecimal numbers.
_COUNT = """
import socket, sys
wanted = {socket.inet_aton(address)[::-1].hex().upper() for address in sys.argv[1:]}
rows = [line.split() for line in open("/proc/net/tcp")][1:]
print(sum(row[3] == "01" and row[1].endswith(":1F40") and row[2][:8] in wanted for row in rows))
"""
# The Caddyfile looks for these files with each request; b counts while both are there, so no moment has neither.
_ONLY = {
    "a": "mkdir -p /tmp/only && touch /tmp/only/a && rm -f /tmp/only/b",
    "b": "mkdir -p /tmp/only && touch /tmp/only/b && rm -f /tmp/only/a",
    "": "rm -rf /tmp/only",
}


def can_be_steered(stack: Stack) -> bool:
    """Return whether the running proxy looks for the files that say who answers."""
    asked = stack.compose("exec", "-T", "proxy", "grep", "-q", "backend-a", "/etc/caddy/Caddyfile", check=False)
    return asked.returncode == 0


def send_to(stack: Stack, slot: str) -> None:
    """This will send new requests to one slot's replicas, or to all of them (an empty slot)."""
    stack.compose("exec", "-T", "proxy", "sh", "-c", _ONLY[slot], timeout=60)


def wait_until_idle(stack: Stack, leaving: Sequence[Container]) -> float:
    """This will return, with the seconds it took, when no request is in flight from the proxy to these replicas.

    Nobody waits longer than the proxy does for an answer; what is left then gets the containers' grace period.
    """
    proxies = [address for each in containers(stack, "proxy") for address in each.addresses]
    start = time.monotonic()
    quiet_since: float | None = None
    while (now := time.monotonic()) - start < FLIGHT_SECONDS:
        if any(_in_flight(stack, each, proxies) for each in leaving):
            quiet_since = None
        elif quiet_since is None:
            quiet_since = now
        elif now - quiet_since >= QUIET_SECONDS:
            break
        time.sleep(0.1)
    return time.monotonic() - start


def _in_flight(stack: Stack, replica: Container, proxies: Sequence[str]) -> int:
    told = stack.run("docker", "exec", replica.id, "python", "-c", _COUNT, *proxies, check=False)
    return int(told.stdout) if told.returncode == 0 else 0  # it does not run: nothing is in flight to it
