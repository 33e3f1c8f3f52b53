"""How long a container takes until it is ready, and how much memory it then takes, beside an empty project."""

from __future__ import annotations

import contextlib
import http.client
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks import answers
from benchmarks.contenders import production
from benchmarks.figures.figure import Figure, ratio
from benchmarks.figures.lab import Lab
from benchmarks.load import Request
from benchmarks.processes import free_port

_PASSWORD = secrets.token_urlsafe(24)
_PATIENCE = 120
_PRELOADED = "empty project, preloaded"
_PLAIN = "empty project"
_STEPS = "empty project with the same steps of a start"
_OURS = "ours"
# The only page that both have; often enough to reach every worker.
_WARM_UP = [Request("GET", "/admin/login/")] * 50
_THREADS = 8
# The proportional set sizes of all processes in the container but this one, in MB.
_MEMORY = """
import os, pathlib, re
pids = [pid for pid in os.listdir("/proc") if pid.isdecimal() and int(pid) != os.getpid()]
texts = [pathlib.Path("/proc", pid, "smaps_rollup").read_text() for pid in pids]
print(sum(int(re.search(r"^Pss:\\s*(\\d+)", text, re.M)[1]) for text in texts) / 1000)
"""


@dataclass(frozen=True)
class _Contender:
    image: str
    path: str  # that answers 200 once the service is ready
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


def figures(lab: Lab) -> list[Figure]:
    """Start ours and the empty project in turns; each start is measured in seconds and then in memory."""
    network = lab.engine.make("network", "net")
    _database(lab, network)
    contenders = _contenders(lab)
    measures = {name: _measure(lab, network, contender) for name, contender in contenders.items()}
    results = lab.in_turns("start (s) and memory (MB)", measures)
    seconds, memory = (
        {name: [values[index] for values in rounds] for name, rounds in results.items()} for index in (0, 1)
    )
    return [
        ratio(f"start to ready, over an {_PLAIN}", seconds[_OURS], seconds[_PLAIN], unit="s", goal=3.0),
        ratio(f"start to ready, over an {_PRELOADED}", seconds[_OURS], seconds[_PRELOADED], unit="s"),
        ratio(f"start to ready, over an {_STEPS}", seconds[_OURS], seconds[_STEPS], unit="s"),
        ratio(
            f"memory of four workers, over an {_PRELOADED}", memory[_OURS], memory[_PRELOADED], unit="MB", goal=1.3
        ),
        ratio(f"memory of four workers, over an {_PLAIN}", memory[_OURS], memory[_PLAIN], unit="MB"),
    ]


def _database(lab: Lab, network: str) -> None:
    lab.say("starting PostgreSQL in a container")
    variables = (
        "--env",
        "POSTGRES_USER=todo_user",
        "--env",
        "POSTGRES_DB=todo_db",
        "--env",
        f"POSTGRES_PASSWORD={_PASSWORD}",
    )
    tmpfs = ("--tmpfs", "/var/lib/postgresql/data")
    name = lab.engine.run("db", "--network", network, "--network-alias", "db", *variables, *tmpfs, "postgres:17")
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            lab.engine.docker("exec", name, "pg_isready", "-h", "127.0.0.1", "-U", "todo_user", "-d", "todo_db")
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            break
    lab.engine.docker("exec", name, "createdb", "--username", "todo_user", "empty")


def _contenders(lab: Lab) -> dict[str, _Contender]:
    variables = production(f"postgres://todo_user:{_PASSWORD}@db:5432/todo_db")
    options = [f"--env={name}={value}" for name, value in variables.items()]
    # as in production, static files outlive the container
    volumes = {name: f"--volume={lab.engine.make('volume', name)}:/app/staticfiles" for name in ("ours", "theirs")}
    preloaded = ("gunicorn", "--bind", "0.0.0.0:8000", "--workers", "4", "--preload", "empty.wsgi")
    steps = ("check", "migrate --noinput", "collectstatic --noinput")
    each = " && ".join([*(f"python manage.py {step}" for step in steps), f"exec {' '.join(preloaded)}"])
    password = f"--env=DATABASE_PASSWORD={_PASSWORD}"
    return {
        _OURS: _Contender(lab.image, "/health/ready", (*options, volumes["ours"])),
        _PRELOADED: _Contender(lab.empty_image, "/admin/login/", command=preloaded),
        _PLAIN: _Contender(lab.empty_image, "/admin/login/"),
        _STEPS: _Contender(
            lab.empty_image, "/admin/login/", (volumes["theirs"], password), command=("sh", "-c", each)
        ),
    }


def _measure(lab: Lab, network: str, contender: _Contender) -> Callable[[], Sequence[float]]:
    def measure() -> Sequence[float]:
        port = free_port()
        publish = ("--network", network, "--publish", f"127.0.0.1:{port}:8000", "--no-healthcheck")
        began = time.monotonic()
        name = lab.engine.run("one", *publish, *contender.options, contender.image, *contender.command)
        try:
            _await(port, contender.path)
            seconds = time.monotonic() - began
            _warm_up(port)
            return seconds, float(lab.engine.docker("exec", name, "python", "-c", _MEMORY))
        except TimeoutError as error:
            raise RuntimeError(f"{error}\n{lab.engine.docker('logs', '--tail', '30', name)}") from error
        finally:
            lab.engine.docker("rm", "--force", name)

    return measure


def _await(port: int, path: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if answers.ask(port, [Request("GET", path)])[0].status == 200:
                return
        time.sleep(0.01)
    raise TimeoutError(f"{path} was not answered within {_PATIENCE} s")


def _warm_up(port: int) -> None:
    with ThreadPoolExecutor(_THREADS) as threads:
        for given in threads.map(lambda _: answers.ask(port, _WARM_UP), range(_THREADS)):
            wrong = {answer.status for answer in given} - {200}
            if wrong:
                raise RuntimeError(f"a page of the warm-up was answered with {wrong}")
