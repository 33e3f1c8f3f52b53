"""This will let one command at a time work on an environment."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .console import Console, Refused
from .stack import Stack

WAIT_SECONDS = 600.0  # what a killed command's docker commands may need to end


@contextmanager
def exclusive(stack: Stack, command: str, console: Console) -> Iterator[None]:
    """This will hold the environment's lock; raises Refused while another command is at work.

    The lock is inherited by every docker command that runs meanwhile: when this process is killed, the next
    one waits until those have ended too. A command that a holder starts (deploy, backup) works under its lock.
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
    """Return who works on the environment at the moment: a command's name and process."""
    path = stack.state / "lock"
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _told(path)
    return None


def _acquire(descriptor: int, path: Path, console: Console) -> bool:
    """This will take the lock and say so, or say that this process's parent has it."""
    deadline = time.monotonic() + WAIT_SECONDS
    is_told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = _told(path)
        else:
            return True
        if told.get("pid") == os.getppid():
            return False
        if _lives(told.get("pid")) or time.monotonic() > deadline:
            raise Refused(
                f"{told.get('command', 'another command')} is at work here (process {told.get('pid', 'unknown')})",
                "wait until it has ended, then repeat",
            )
        if not is_told:
            console.note(f"waiting for what {told.get('command', 'a killed command')} has left running")
        is_told = True
        time.sleep(0.2)


def _told(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError:
        return {}


def _lives(pid: Any) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, TypeError, ValueError):
        return False
    return True
