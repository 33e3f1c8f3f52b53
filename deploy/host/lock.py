"""Let one command at a time work on a stack, whichever checkout of this host it is started from.

The lock is a container named after the stack, because Docker creates a name only once. It reads from a pipe that
this process and its docker commands hold open. When the last of them has ended, however it did, the container ends,
too, and Docker removes it, also after a reboot. It mounts the stack's records (records.py).
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .console import Console, Failure
from .conversation import Conversation
from .records import mounting
from .stack import Stack

WAIT_SECONDS = 600.0  # what a killed command's docker commands may need to end


@contextmanager
def exclusive(stack: Stack, command: str, console: Console) -> Iterator[None]:
    """Hold the stack's lock. Raises Failure while another command holds it.

    If this process is killed, the next one waits until the docker commands that it ran have ended too. A command
    that the holder starts (deploy starts backup) works under the holder's lock.
    """
    lock = _acquire(stack, command, console)
    if lock is None:
        yield
        return
    stack.inherited = (lock.descriptor,)
    try:
        yield
    finally:
        stack.inherited = ()
        lock.end()


def holder(stack: Stack) -> dict[str, Any] | None:
    """Return the command that works on the stack at the moment, with its process and host.

    `is_killed` says that only the docker commands that it left are still running.
    """
    container = _inspect(stack)
    if container is None or container["State"]["Status"] in {"exited", "dead"}:
        return None
    labels = container["Config"]["Labels"]
    found = {"command": labels["todo.command"], "pid": int(labels["todo.pid"]), "host": labels["todo.host"]}
    return {**found, "is_killed": _is_here(found) and not _is_alive(found["pid"])}


def _acquire(stack: Stack, command: str, console: Console) -> Conversation | None:
    """Take the lock and return it, or None if this process's parent holds the lock."""
    deadline = time.monotonic() + WAIT_SECONDS
    is_noted = False
    while True:
        lock = _start(stack, command)
        if lock is not None:
            return lock
        found = holder(stack)
        if found and _is_here(found) and found["pid"] == os.getppid():
            return None
        if found and (not found["is_killed"] or time.monotonic() > deadline):
            raise Failure(
                f"{found['command']} is running for this environment (process {found['pid']} on {found['host']})",
                "wait until it has finished, then run the command again",
            )
        if found and not is_noted:
            console.note(f"waiting for processes that {found['command']} left running")
            is_noted = True
        # one that has ended, or whose command was killed before it started; Docker refuses to remove a running one
        stack.run("docker", "rm", stack.lock, check=False)
        time.sleep(0.2)


def _start(stack: Stack, command: str) -> Conversation | None:
    """Start the container, or return None if there is one already."""
    labels = {"todo.command": command, "todo.pid": str(os.getpid()), "todo.host": socket.gethostname()}
    lock = Conversation(
        "docker", "run", "--rm", "--interactive", "--name", stack.lock,
        *(word for name, value in labels.items() for word in ("--label", f"{name}={value}")),
        *mounting(stack), "-c", "echo held && exec cat",
    )  # fmt: skip
    if lock.hear() == "held":
        return lock
    said = lock.end()
    if "already in use" in said:
        return None
    raise Failure(
        f"the lock of {stack.project} cannot be taken:\n{said}", "fix the cause, then run the command again"
    )


def _inspect(stack: Stack) -> dict[str, Any] | None:
    done = stack.run("docker", "container", "inspect", stack.lock, check=False)
    return None if done.returncode else dict(json.loads(done.stdout)[0])


def _is_here(found: dict[str, Any]) -> bool:
    return bool(found["host"] == socket.gethostname())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
