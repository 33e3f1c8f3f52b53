"""Describe the machine and the versions of the running processes."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime

from benchmarks import load
from benchmarks.processes import PROC
from benchmarks.run import Plan
from benchmarks.stack import Served, Stack

_ASK = (
    "import importlib.metadata as m, platform, sys; "
    "print('Python', platform.python_version()); [print(n, m.version(n)) for n in sys.argv[1:]]"
)


def facts(stack: Stack, plan: Plan) -> dict[str, str]:
    """Return the circumstances that a reader needs to judge the figures."""
    versions = {served.contender.name: _versions(served) for served in stack.served.values()}
    return {
        **here(),
        "PostgreSQL": stack.cluster.version(),
        "wrk": load.version(),
        **versions,
        "data": f"{stack.data.users:,} users, {stack.data.tasks:,} tasks, labels",
        "load": f"{plan.rounds} rounds of {plan.seconds} s each, {plan.connections} connections from loopback",
    }


def here() -> dict[str, str]:
    """Return the date, the machine and its load."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} × {_processor()}, {_memory()}, shared by all that was measured",
        "load average at the end": f"{os.getloadavg()[0]:.1f} (this run and whatever else the machine did)",
    }


def _versions(served: Served) -> str:
    """Return the versions that the running process's interpreter has installed."""
    interpreter = (PROC / str(served.pid) / "cmdline").read_bytes().split(b"\0")[0].decode()
    command = [interpreter, "-c", _ASK, *served.contender.packages]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return ", ".join(done.stdout.splitlines())


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", (PROC / "cpuinfo").read_text(), re.MULTILINE)
    return " ".join(found[1].split()) if found else "processor"


def _memory() -> str:
    found = re.search(r"^MemTotal:\s*(\d+)", (PROC / "meminfo").read_text(), re.MULTILINE)
    return f"{round(int(found[1]) / 1024**2)} GB" if found else ""
