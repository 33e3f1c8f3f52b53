"""Watch the errors of a release after the switch, in the proxy's access log: that is what visitors get."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from host.console import Console, Failure
from host.stack import Stack

from .replicas import containers

SECONDS = 15  # the default of RELEASE_WATCH_SECONDS
BASELINE_SECONDS = 60.0
PAUSE = 3.0
# A rise: so many errors, and so much more than their share before the switch. One error can be chance.
FEWEST = 3
RISE = 0.01


@dataclass(frozen=True)
class Count:
    """Responses, and those of them that were server errors."""

    all: int = 0
    failed: int = 0

    @property
    def share(self) -> float:
        return self.failed / self.all if self.all else 0.0

    def __add__(self, other: Count) -> Count:
        return Count(self.all + other.all, self.failed + other.failed)


def watch(stack: Stack, console: Console, *, began: float, switched: float) -> None:
    """Compare the responses since the switch with those before the release; raise Failure if errors rise.

    Those in between do not count: they may be those of the maintenance page.
    """
    seconds = float(stack.values.get("RELEASE_WATCH_SECONDS") or SECONDS)
    if not seconds:
        return
    before = responses(stack, began - BASELINE_SECONDS, began)
    since, seen = switched, Count()
    while True:
        until = min(time.time(), switched + seconds)
        seen += responses(stack, since, until)
        since = until
        if seen.failed >= FEWEST and seen.share > before.share + RISE:
            raise Failure(
                f"errors have risen since the switch: {seen.failed} of {seen.all} responses were server errors, "
                f"{before.failed} of {before.all} before it",
                "see the logs of backend; fix the cause, build with a new tag and deploy that",
            )
        if until >= switched + seconds:
            break
        time.sleep(min(PAUSE, switched + seconds - until))
    console.note(
        f"  {seen.failed} of {seen.all} responses were server errors, {before.failed} of {before.all} before"
    )


def responses(stack: Stack, since: float, until: float) -> Count:
    """Count the responses in the access log of the proxy between two moments (seconds since the epoch)."""
    total = Count()
    for proxy in containers(stack, "proxy"):
        window = ("--since", f"{since:.6f}", "--until", f"{until:.6f}")
        for line in stack.run("docker", "logs", *window, proxy.id).stdout.splitlines():
            status = _status(line) if '"handled request"' in line else 0
            total += Count(int(status > 0), int(status >= 500))
    return total


def _status(line: str) -> int:
    try:
        return int(json.loads(line)["status"])
    except (ValueError, KeyError, TypeError):
        return 0
