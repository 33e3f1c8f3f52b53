"""Record the rotations of a stack's secrets, but not the secrets."""

from __future__ import annotations

import getpass
import hashlib
import json
import time
from typing import Any

from host.console import Failure
from host.records import Records
from host.stack import Stack

from .journal import Store

NAME = "rotations.jsonl"
KEY, PASSWORD = "secret-key", "database-password"
VARIABLES = {KEY: ("SECRET_KEY", "SECRET_KEY_FALLBACKS"), PASSWORD: ("POSTGRES_PASSWORD",)}
BEGAN, SWITCHED, DONE, RETIRED = "began", "switched", "done", "retired"


def mark(secret: str) -> str:
    """Return a short digest that identifies a long random secret without revealing it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


class Rotations:
    """The file `rotations.jsonl` in the stack's records: one line per step, synced before the next."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def of(cls, stack: Stack) -> Rotations:
        """Return the rotations of a stack."""
        return cls(Records(stack, NAME))

    def add(self, secret: str, step: str, **details: Any) -> dict[str, Any]:
        """Append one line and return it."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = {"at": at, "secret": secret, "step": step, "by": getpass.getuser(), **details}
        self._store.append(json.dumps(line))
        return line

    def unfinished(self, secret: str) -> dict[str, Any] | None:
        """Return the first line of a rotation that never ended, if there is one."""
        started = None
        for line in self._lines(secret):
            if line["step"] == BEGAN:
                started = line
            elif line["step"] in {DONE, RETIRED}:
                started = None
        return started

    def newer_than(self, secret: str, old: str) -> dict[str, Any] | None:
        """Return the first line of the last rotation, if any rotation has replaced the secret with this mark."""
        begun = [line for line in self._lines(secret) if line["step"] == BEGAN]
        return begun[-1] if any(line.get("old") == old for line in begun) else None

    def _lines(self, secret: str) -> list[dict[str, Any]]:
        found = []
        for text in self._store.read().splitlines():
            try:
                line = json.loads(text)
            except ValueError:  # cut short by a crash
                continue
            if isinstance(line, dict) and line.get("secret") == secret:
                found.append(line)
        return found


def require_current(stack: Stack, secret: str) -> None:
    """Raise Failure if the secret was replaced from another checkout, whose env file has the new one."""
    texts = (stack.values.get(name, "") for name in VARIABLES[secret])
    known = [mark(each.strip()) for text in texts for each in text.split(",") if each.strip()]
    last = Rotations.of(stack).newer_than(secret, known[0]) if known else None
    if last and last["new"] not in known and last["new"] in _in_use(stack, secret):
        raise Failure(
            f"{stack.env_file} is out of date: {last['by']} replaced the {secret} in another checkout at "
            f"{last['at']}, and the containers have the new one",
            "copy the env file of that checkout into this one, then run the command again",
        )


def _in_use(stack: Stack, secret: str) -> list[str]:
    """Return the marks of what the running backends have."""
    ids = stack.compose("ps", "--quiet", "backend").stdout.split()
    listed = "{{range .Config.Env}}{{println .}}{{end}}"
    printed = stack.run("docker", "inspect", "--format", listed, *ids, check=False).stdout if ids else ""
    pairs = (line.partition("=") for line in printed.splitlines())
    return [mark(each.strip()) for name, _, text in pairs if name in VARIABLES[secret] for each in text.split(",")]
