"""deploy/host/lock.py: one command at a time, also after one was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from host.console import Console, Refused
from host.lock import exclusive, holder
from host.stack import Stack

from tests.architecture.source import DEPLOY

HOLD = """
import sys, pathlib
sys.path.insert(0, sys.argv[1])
from host.console import Console
from host.lock import exclusive
from host.stack import Stack
stack = Stack("prod", repository=pathlib.Path(sys.argv[2]))
with exclusive(stack, "deploy prod", Console()):
    print("held", flush=True)
    stack.run("sleep", sys.argv[3])
"""


def hold(repository: Path, seconds: float) -> subprocess.Popen[str]:
    """Start a process that holds the lock while a command of its own runs."""
    command = [sys.executable, "-c", HOLD, str(DEPLOY), str(repository), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_command_is_refused_and_told_who_is_at_work(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    other = hold(repository, 30)
    try:
        refused = pytest.raises(Refused, match=f"deploy prod is at work here .process {other.pid}.")
        with refused, exclusive(stack, "rollback prod", Console()):
            pytest.fail("two at work")
        told = holder(stack)
        assert told is not None
        assert told["command"] == "deploy prod"
    finally:
        other.kill()
        other.communicate()


def test_after_a_killed_command_the_next_waits_for_what_it_had_started(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    other = hold(repository, 2)
    time.sleep(0.3)
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    start = time.monotonic()

    with exclusive(stack, "rollback prod", Console()):
        waited = time.monotonic() - start

    assert 0.5 < waited < 20
    assert holder(stack) is None


def test_what_a_holder_starts_works_under_its_lock(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    child = "import sys; " + HOLD.replace('stack.run("sleep", sys.argv[3])', "pass")
    with exclusive(stack, "deploy prod", Console()):
        done = stack.run(sys.executable, "-c", child, str(DEPLOY), str(repository), "0")

    assert done.stdout == "held\n"


def test_the_state_is_its_owners(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    with exclusive(stack, "deploy prod", Console()):
        pass

    assert stack.state == repository / "envs/prod.state"
    assert stack.state.stat().st_mode & 0o777 == 0o700
