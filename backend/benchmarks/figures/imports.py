"""How long the import of a calendar of 10,000 tasks takes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.contenders import BACKEND, inherited, production
from benchmarks.figures.figure import Figure
from benchmarks.figures.lab import Lab
from benchmarks.load import WrongAnswers
from benchmarks.stack import Stack, stack

TASKS = 10_000


def figures(lab: Lab) -> list[Figure]:
    """Import one file into as many accounts as there are rounds, each by a command of its own."""
    file = lab.directory / "tasks.ics"
    file.write_bytes(calendar(TASKS))
    with stack([], users=lab.pairs, tasks=0, say=lab.say) as ran:
        seconds = []
        for number in range(lab.pairs):
            seconds.append(_import(ran, file, user=number))
            lab.say(f"import, round {number + 1} of {lab.pairs}: {seconds[-1]:.1f} s")
    return [Figure(title=f"import of {TASKS:,} tasks (`manage.py import_ics`)", unit="s", values=seconds, goal=30)]


def _import(ran: Stack, file: Path, *, user: int) -> float:
    command = [
        sys.executable,
        "manage.py",
        "import_ics",
        "--json",
        "--user",
        f"user{user}@bench.example",
        str(file),
    ]
    environment = inherited() | production(ran.cluster.url)
    began = time.monotonic()
    done = subprocess.run(command, cwd=BACKEND, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode or json.loads(done.stdout)[0]["created"] != TASKS:
        raise WrongAnswers(f"the import did not bring {TASKS:,} tasks:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds


def calendar(count: int) -> bytes:
    """Make a file of tasks as other programs write them: with notes, dates, labels, alarms, rules and subtasks."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//figures//EN"]
    tasks = (line for number in range(count) for line in _task(number))
    return "\r\n".join([*head, *tasks, "END:VCALENDAR", ""]).encode()


def _task(number: int) -> list[str]:
    day = f"2027{1 + number % 12:02}{1 + number % 28:02}"
    lines = ["BEGIN:VTODO", f"UID:task-{number}@bench.example", "DTSTAMP:20261101T080000Z"]
    lines += [f"CREATED:2026{1 + number % 10:02}01T080000Z", f"SUMMARY:Küche streichen · {number}"]
    lines += [f"PRIORITY:{number % 10}"]
    if number % 5 < 2:
        lines.append("DESCRIPTION:Some notes\\, written down\\nin a hurry.")
    if number % 2:
        lines.append(f"CATEGORIES:label {number % 10},label {number % 7}")
    if number % 3 == 0:
        lines.append(f"DUE;VALUE=DATE:{day}")
    if number % 3 == 1:
        lines += [
            f"DUE:{day}T090000Z",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "DESCRIPTION:Soon",
            "TRIGGER:-PT15M",
            "END:VALARM",
        ]
    if number % 3 == 0 and number % 20 == 0:
        lines.append("RRULE:FREQ=WEEKLY")
    if number % 20 == 7:
        lines.append(f"RELATED-TO:task-{number - 1}@bench.example")
    if number % 10 >= 8:
        lines += ["STATUS:COMPLETED", "COMPLETED:20261102T080000Z"]
    return [*lines, "END:VTODO"]
