"""This will write the service's log: one JSON object a line, on stderr."""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any

UTC = datetime.timezone.utc


def now() -> datetime.datetime:
    """Return the moment, in UTC and in whole seconds, as names of backups have it."""
    return datetime.datetime.now(UTC).replace(microsecond=0)


def stamp(moment: datetime.datetime) -> str:
    """Return a moment as RFC 3339 has it, with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def log(event: str, *, level: str = "info", **facts: Any) -> None:
    """Write one event."""
    line = {"timestamp": stamp(now()), "level": level, "event": f"backup.{event}", **facts}
    sys.stderr.write(json.dumps(line, default=str) + "\n")
    sys.stderr.flush()
