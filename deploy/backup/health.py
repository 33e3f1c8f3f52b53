"""Check that the scheduler runs and its last backup succeeded. Imports nothing slow."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

STATE = ".scheduler.json"
STALE_SECONDS = 120


def read(root: Path) -> dict[str, Any]:
    """Return the state that the scheduler last wrote."""
    try:
        return dict(json.loads((root / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def problem(root: Path) -> str | None:
    """Return what is wrong with the scheduler or its last backup, or None."""
    state = read(root)
    if time.time() - float(state.get("beat", 0)) > STALE_SECONDS:
        return "the scheduler is not running: it has not written its state for two minutes"
    if state.get("outcome") == "failed":
        return f"the last backup failed at {state.get('finished_at')}; see this container's log"
    return None


if __name__ == "__main__":
    found = problem(Path(os.environ.get("BACKUP_ROOT", "/backups")))
    sys.exit(found)
