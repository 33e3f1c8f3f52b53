"""Write the log to stderr, one JSON object per line."""

import datetime
import json
import sys
from typing import Any

UTC = datetime.timezone.utc


def now() -> datetime.datetime:
    """Return the time in UTC and whole seconds, as in the names of backups."""
    return datetime.datetime.now(UTC).replace(microsecond=0)


def stamp(moment: datetime.datetime) -> str:
    """Return a time in RFC 3339, with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def log(event: str, *, level: str = "info", **fields: Any) -> None:
    """Write one event."""
    line = {"timestamp": stamp(now()), "level": level, "event": f"backup.{event}", **fields}
    print(json.dumps(line, default=str), file=sys.stderr, flush=True)  # noqa: T201 - this is the log
