"""Run one of our own commands from another one, under its lock."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

from .console import Failure
from .stack import REPOSITORY, Stack


def result_of(stack: Stack, command: str, *arguments: str) -> dict[str, Any]:
    """Run a command of deploy/, such as "backup/backup", and return its JSON. Raise the Failure that it reports."""
    program = (sys.executable, str(REPOSITORY / "deploy" / command), stack.env)
    done = stack.run(*program, *arguments, "--json", check=False, timeout=None)
    with suppress(ValueError, KeyError):
        said = json.loads(done.stdout)
        if done.returncode == 0:
            return dict(said)
        raise Failure(said["error"], said["next"])
    raise Failure(
        f"deploy/{command} failed:\n{done.stderr.strip()}", "fix the error above, then run the command again"
    )
