"""Let one command at a time work on an environment."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .console import Console, Failure
from .stack import Stack

WAIT_SECONDS = 600.0  # what a killed command's docker commands may need to end


@contextmanager
def exclusive(stack: Stack, command: str, console: Console) -> Iterator[None]:
    """Hold the environment's lock. Raises Failure while another command holds it.

    Every docker command that runs meanwhile inherits the lock: if this process is killed, the next one waits until
    those have ended too. A command that the holder starts (deploy starts backup) works under the holder's lock.
    """
    path = stack.state / "lock"
    descriptor = os.open(str(path), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _acquire(descriptor, path, console):
            yield
            return
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "command": command}).encode(), 0)
        stack.inherited = (descriptor,)
        try:
            yield
        finally:
            stack.inherited = ()
    finally:
        os.close(descriptor)


def holder(stack: Stack) -> dict[str, Any] | None:
    """Return the command that works on the environment at the moment: its name and process."""
    path = stack.state / "lock"
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _recorded(path)
    return None


def _acquire(descriptor: int, path: Path, console: Console) -> bool:
    """Take the lock and return True, or return False if this process's parent holds it."""
    deadline = time.monotonic() + WAIT_SECONDS
    is_noted = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            recorded = _recorded(path)
        else:
            return True
        if recorded.get("pid") == os.getppid():
            return False
        if _is_alive(recorded.get("pid")) or time.monotonic() > deadline:
            raise Failure(
                f"{recorded.get('command', 'another command')} is running for this environment "
                f"(process {recorded.get('pid', 'unknown')})",
                "wait until it has finished, then run the command again",
            )
        if not is_noted:
            console.note(f"waiting for processes that {recorded.get('command', 'a killed command')} left running")
        is_noted = True
        time.sleep(0.2)


def _recorded(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError:
        return {}


def _is_alive(pid: Any) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, TypeError, ValueError):
        return False
    return True
