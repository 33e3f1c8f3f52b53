"""deploy/host/lock.py: one command runs at a time, even after one was killed (tests/e2e has it in containers)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from host.console import Console, Failure
from host.lock import exclusive, holder
from host.stack import Stack

from tests.architecture.source import DEPLOY

# Stands in for docker: a folder is a container, of whose name there can be only one.
DOCKER = """#!/bin/sh
cd "$(dirname "$0")/containers" || exit 1
case "$1 $2" in
  "run --rm")
    mkdir "$5" 2>/dev/null || { echo "Conflict. The name $5 is already in use" >&2; exit 125; }
    for word; do case "$word" in todo.*=*) echo "$word" ;; esac; done >"$5/new"
    mv "$5/new" "$5/labels"
    echo held; cat; rm -r "$5" ;;
  "container inspect")
    labels=$(cat "$3/labels" 2>/dev/null) || exit 1  # at once, because the container may end meanwhile
    echo "$labels" | sed 's/\\([^=]*\\)=\\(.*\\)/"\\1": "\\2"/' | paste -sd, |
      sed 's/.*/[{"State": {"Status": "running"}, "Config": {"Labels": {&}}}]/' ;;
  "ps --all") echo db ;;
  "inspect --format") echo image-of-db ;;
esac
"""
HOLD = """
import sys, pathlib
sys.path.insert(0, sys.argv[1])
from host.console import Console
from host.lock import exclusive
from host.stack import Stack
stack = Stack("prod", repository=pathlib.Path(sys.argv[2]))
with exclusive(stack, "deploy prod", Console()):
    print("held", flush=True)
    stack.run("sh", "-c", 'touch "$0.begun"; until [ -e "$0" ]; do sleep 0.1; done', sys.argv[3])
"""


@pytest.fixture(autouse=True)
def _docker(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "containers").mkdir()
    program = repository / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{repository}:{os.environ['PATH']}")


def hold(repository: Path, end: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock while its child runs, until a file exists."""
    command = [sys.executable, "-c", HOLD, str(DEPLOY), str(repository), str(end)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    while not Path(f"{end}.begun").exists():
        assert process.poll() is None
        time.sleep(0.01)
    return process


def test_a_second_command_is_refused_with_the_name_of_the_first(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    other = hold(repository, end := repository / "end")
    try:
        refused = pytest.raises(
            Failure, match=f"deploy prod is running for this environment .process {other.pid} on "
        )
        with refused, exclusive(stack, "rollback prod", Console()):
            pytest.fail("two at work")
        running = holder(stack)
        assert running is not None
        assert (running["command"], running["is_killed"]) == ("deploy prod", False)
    finally:
        other.kill()
        other.communicate()
        end.touch()


def test_after_a_killed_command_the_next_waits_for_what_it_had_started(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    other = hold(repository, end := repository / "end")
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    left = holder(stack)
    assert left is not None
    assert left["is_killed"]
    ending = threading.Timer(0.5, end.touch)
    ending.start()

    with exclusive(stack, "rollback prod", Console()):
        assert end.exists()

    ending.join()
    assert holder(stack) is None


def test_what_a_holder_starts_works_under_its_lock(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    child = "import sys; " + HOLD.partition("    stack.run(")[0]
    with exclusive(stack, "deploy prod", Console()):
        done = stack.run(sys.executable, "-c", child, str(DEPLOY), str(repository), "0")

    assert done.stdout == "held\n"


def test_two_checkouts_have_one_lock(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    clone = tmp_path_factory.mktemp("clone")
    shutil.copytree(repository / "envs", clone / "envs")
    with exclusive(Stack("prod", repository=repository), "deploy prod", Console()):
        other = holder(Stack("prod", repository=clone))

    assert other is not None
    assert (other["command"], other["pid"]) == ("deploy prod", os.getpid())


def test_a_lock_that_cannot_be_taken_says_why(repository: Path) -> None:
    (repository / "docker").write_text(
        "#!/bin/sh\n[ \"$1\" = run ] || exec echo x; echo 'no space left' >&2; exit 125\n"
    )
    stack = Stack("prod", repository=repository)
    refused = pytest.raises(Failure, match="no space left")

    with refused, exclusive(stack, "deploy prod", Console()):
        pytest.fail("held")
