"""Start the processes that are measured, read their processor time from /proc, and stop them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

PROC = Path("/proc")
# Below the ephemeral ports (ip_local_port_range), so that no other process is assigned one between its choice and
# its use.
PORTS = range(20_000, 32_000)
_TICKS = os.sysconf("SC_CLK_TCK")


class ToolMissing(Exception):
    """The machine lacks something; the message says how to get it."""


def end_by_signal(number: int, frame: FrameType | None) -> NoReturn:
    """Handle SIGTERM like Ctrl-C, so that everything that was started ends."""
    raise KeyboardInterrupt


def _ports() -> Iterator[int]:
    # each pytest worker has its own share
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    ports = list(PORTS[share::8])
    random.SystemRandom().shuffle(ports)  # pytest-randomly seeds the default generator alike in every process
    yield from ports


_ports_left = _ports()


def free_port() -> int:
    """Return a port that nobody listens on, and that was not returned before."""
    for port in _ports_left:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # closed connections in TIME_WAIT do not count
            probe.bind(("", port))
            return port
    raise RuntimeError("no port is free")


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    user: str | None = None,
    stop_with: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command for as long as the block lasts, in its own session so that Ctrl-C reaches only this process.

    Its output goes to `log`. If it has not ended ten seconds after `stop_with`, it is killed with all its children.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=None if environment is None else dict(environment),
            cwd=directory,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
    try:
        yield process
    finally:
        _stop(process, stop_with)


def _stop(process: subprocess.Popen[bytes], stop_with: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(stop_with)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
    with contextlib.suppress(ProcessLookupError):  # the group may outlive its leader
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def cpu_seconds(root: int) -> float:
    """Return the processor time of a process and all its descendants, including those that have ended."""
    stats = _stats()
    tree, waiting = set(), [root]
    while waiting:
        pid = waiting.pop()
        tree.add(pid)
        waiting += [child for child, (parent, _) in stats.items() if parent == pid]
    return sum(stats[pid][1] for pid in tree if pid in stats) / _TICKS


def _stats() -> dict[int, tuple[int, int]]:
    """Return each process's parent, and the ticks that it and its ended children have used."""
    stats = {}
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                stats[int(entry.name)] = parse_stat((entry / "stat").read_text())
    return stats


def parse_stat(text: str) -> tuple[int, int]:
    """Read parent and ticks from a line of /proc/<pid>/stat; the command in it may hold spaces and brackets."""
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15])
