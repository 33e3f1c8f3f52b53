"""Record the rotations of an environment's secrets, but not the secrets."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

BEGAN, SWITCHED, DONE, RETIRED = "began", "switched", "done", "retired"


def mark(secret: str) -> str:
    """Return a short digest that identifies a long random secret without revealing it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


class Rotations:
    """The file `rotations.jsonl` in an environment's state folder: one line per step, synced before the next."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "rotations.jsonl"

    def add(self, secret: str, step: str, **details: Any) -> dict[str, Any]:
        """Append one line and return it."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = {"at": at, "secret": secret, "step": step, "by": getpass.getuser(), **details}
        descriptor = os.open(str(self.path), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return line

    def unfinished(self, secret: str) -> dict[str, Any] | None:
        """Return the first line of a rotation that never ended, if there is one."""
        started = None
        for line in self._lines():
            if line["secret"] == secret and line["step"] == BEGAN:
                started = line
            elif line["secret"] == secret and line["step"] in {DONE, RETIRED}:
                started = None
        return started

    def _lines(self) -> list[dict[str, Any]]:
        found = []
        for text in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []:
            try:
                found.append(dict(json.loads(text)))
            except ValueError:  # cut short by a crash
                continue
        return found
