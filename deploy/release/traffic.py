"""Choose the backends that the proxy sends requests to, and wait until the others are idle."""

from __future__ import annotations

import time
from collections.abc import Sequence

from host.stack import Stack

from .replicas import Container, containers

SLOTS = ("a", "b")
# Longer than the proxy waits for an answer of the backend.
FLIGHT_SECONDS = 110.0
# A replica is idle after this time without a connection: a request that the proxy has just read arrives within it.
QUIET_SECONDS = 2.0
# Counts the established connections to port 8000 from the given addresses, also those not accepted yet.
# /proc/net/tcp writes addresses as little-endian hexadecimal numbers.
_COUNT = """
import socket, sys
wanted = {socket.inet_aton(address)[::-1].hex().upper() for address in sys.argv[1:]}
rows = [line.split() for line in open("/proc/net/tcp")][1:]
print(sum(row[3] == "01" and row[1].endswith(":1F40") and row[2][:8] in wanted for row in rows))
"""
# The Caddyfile looks for files in the first folder, that of earlier versions in the second.
_FOLDERS = "/config/only /tmp/only"
# While both files exist, b counts, so there is always a slot.
_ONLY = {
    "a": 'mkdir -p "$folder" && touch "$folder/a" && rm -f "$folder/b"',
    "b": 'mkdir -p "$folder" && touch "$folder/b" && rm -f "$folder/a"',
    "": 'rm -rf "$folder"',
}
# With this file, the other slot is no substitute for replicas that cannot be reached.
_STRICT = 'touch "$folder/strict"'
_LENIENT = 'rm -f "$folder/strict"'
# With this file the proxy answers with its maintenance page.
_CLOSE = "touch /config/closed"
_OPEN = "rm -f /config/closed"


def can_switch(stack: Stack) -> bool:
    """Return whether the running proxy can be switched between slots."""
    # the second is the file of earlier versions
    files = ("/config/site.json", "/etc/caddy/Caddyfile")
    asked = stack.compose("exec", "-T", "proxy", "grep", "-qs", "backend-a", *files, check=False)
    return asked.returncode == 0


def send_to(stack: Stack, slot: str, *, strict: bool = False) -> None:
    """Send new requests to the replicas of one slot, or to all with an empty slot, and end the maintenance page.

    With `strict`, never send one to the other slot, even if nothing in this one can be reached. A restart of the
    proxy or of the host changes nothing. `docker compose up`, which replaces the replicas, undoes the choice.
    """
    choice = f"{_ONLY[slot]} && {_STRICT if slot and strict else _LENIENT}"
    _in_proxy(stack, f"for folder in {_FOLDERS}; do {choice} || exit; done; {_OPEN}")


def close(stack: Stack) -> None:
    """Answer every request with the maintenance page."""
    _in_proxy(stack, _CLOSE)


def _in_proxy(stack: Stack, script: str) -> None:
    stack.compose("exec", "-T", "proxy", "sh", "-c", script)


def wait_until_idle(stack: Stack, leaving: Sequence[Container]) -> float:
    """Wait until no request is in flight from the proxy to these replicas; return the seconds it took.

    After FLIGHT_SECONDS it returns anyway: a request that is left still has the containers' grace period.
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
    result = stack.run("docker", "exec", replica.id, "python", "-c", _COUNT, *proxies, check=False)
    return int(result.stdout) if result.returncode == 0 else 0  # it is not running
