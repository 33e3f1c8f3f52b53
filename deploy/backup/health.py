"""Check that the scheduler runs and its last backup succeeded. Imports nothing slow."""

import os
import sys
import time
from pathlib import Path

BEAT = ".scheduler"  # touched every few seconds
FAILED = ".scheduler.failed"  # says when, until a backup succeeds
STALE_SECONDS = 120


def problem(root: Path) -> str | None:
    """Return what is wrong with the scheduler or its last backup, or None."""
    beat, failed = root / BEAT, root / FAILED
    if not beat.exists() or time.time() - beat.stat().st_mtime > STALE_SECONDS:
        return "the scheduler is not running: it has shown no sign of life for two minutes"
    if failed.exists():
        return f"the last backup failed at {failed.read_text(encoding='utf-8')}; see this container's log"
    return None


if __name__ == "__main__":
    sys.exit(problem(Path(os.environ.get("BACKUP_ROOT", "/backups"))))
