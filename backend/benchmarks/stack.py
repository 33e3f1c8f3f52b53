"""Everything that runs during a measurement: the database and the contenders; all of it ends with the block."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import answers
from benchmarks.cluster import Cluster, cluster
from benchmarks.contenders import CONTENDERS, DATA, Contender, inherited
from benchmarks.data import Data
from benchmarks.load import Request
from benchmarks.processes import free_port, running

Say = Callable[[str], None]
_START_SECONDS = 30


@dataclass(frozen=True)
class Served:
    """A contender that runs, and the data that it serves."""

    contender: Contender
    data: Data
    pid: int
    port: int


@dataclass(frozen=True)
class Stack:
    """The database, its data, and the contenders, by name."""

    directory: Path
    cluster: Cluster
    data: Data
    served: dict[str, Served]


@contextlib.contextmanager
def stack(contenders: Sequence[Contender], *, users: int, tasks: int, say: Say) -> Iterator[Stack]:
    """Start everything in a temporary directory."""
    with contextlib.ExitStack() as block:
        root = Path(block.enter_context(tempfile.TemporaryDirectory(prefix="todo-bench-")))
        root.chmod(0o755)  # the database's user has to pass
        (root / "database").mkdir()
        say("starting PostgreSQL")
        server = block.enter_context(cluster(root / "database"))
        say(f"making {users:,} users with {tasks:,} tasks")
        data = Data(server, users=users, tasks=tasks)
        _fill(data, CONTENDERS[0])
        served = {}
        for contender in contenders:
            own = data
            if contender.is_older:
                say(f"making the same for {contender.name}")
                own = Data(server.create(contender.name), users=users, tasks=tasks)
                _fill(own, contender)
            say(f"starting {contender.name}")
            if contender.functions:
                own.execute(contender.functions)
            served[contender.name] = _serve(contender, own, root, block)
        yield Stack(root, server, data, served)


def _fill(data: Data, backend: Contender) -> None:
    """Migrate a database and fill it, both by the given backend's own files."""
    command = [backend.command[0], "manage.py", "migrate", "--verbosity", "0"]
    environment = inherited() | backend.environment(data.cluster)
    done = subprocess.run(
        command, cwd=backend.directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the migration failed:\n{done.stdout}{done.stderr}")
    data.seed(backend.directory / DATA)


def _serve(contender: Contender, data: Data, root: Path, block: contextlib.ExitStack) -> Served:
    port = free_port()
    log = root / f"{contender.name}.log"
    environment = inherited() | contender.environment(data.cluster)
    process = block.enter_context(
        running(contender.command_on(port), log=log, environment=environment, directory=contender.directory)
    )
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with contextlib.suppress(OSError):
            if answers.ask(port, [Request("GET", "/health/live")])[0].status == 200:
                return Served(contender, data, process.pid, port)
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{contender.name} did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.2)
