"""The account with which a release is tested. Its password exists in this process's memory only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from host.console import Console, Failure
from host.stack import Stack

from .replicas import Container

ADDRESS = "2001:db8::1"  # if the image does not say


@dataclass
class Account:
    """What it logs in with, and its token once it has."""

    email: str
    password: str = field(repr=False)
    address: str = ADDRESS
    token: str = field(default="", repr=False)


@contextmanager
def borrowed(stack: Stack, console: Console, replicas: Sequence[Container]) -> Iterator[Account | None]:
    """Give an account that is removed at the end, with all that it has made.

    The command runs in the first of the replicas whose image has it. Give None if no image does: all are older.
    """
    for replica in replicas:
        made = _command(stack, replica, "create")
        if made is not None:
            break
    else:
        console.note("  these images have no account for tests: nothing is tested that needs a login")
        yield None
        return
    try:
        yield Account(**json.loads(made))
    finally:
        try:
            _command(stack, replica, "remove")
        except Failure as error:
            console.note(f"  the account of the test stays until the next release: {error}")


def _command(stack: Stack, replica: Container, action: str) -> str | None:
    """Run the command in a replica; return what it printed, or None if the image does not know it."""
    done = stack.run("docker", "exec", replica.id, "python", "manage.py", "release_account", action, check=False)
    if done.returncode == 0:
        return done.stdout
    if "Unknown command" in done.stderr:
        return None
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    raise Failure(
        f"the account that tests the release could not be {action}d in {replica.name}: {last}",
        f"see `docker logs {replica.name}`",
    )
