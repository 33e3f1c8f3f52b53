"""Report what happens: errors with a cause and a hint, and the log to stderr, one JSON object per line."""

import datetime
import json
import re
import subprocess
import sys
from typing import Any

# What PostgreSQL's errors quote: the values of rows, which are personal data.
_VALUES = re.compile(
    r"(?s)\n(?:DETAIL|CONTEXT|LINE 1|Command was): .*|(?<=: )\".*|(?<=\bvalue )\"[^\n]*?\"(?= is out of range)"
)
REPEAT = "fix the cause, then run the command again"


class Failure(Exception):
    """An error with its `cause` and a `hint` what to do. Neither holds a secret."""

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint


def run_program(*command: str, **options: Any) -> str:
    """Run a program and return its output, or raise Failure with its last lines."""
    done = subprocess.run(command, capture_output=True, errors="replace", check=False, input="", **options)
    if done.returncode:
        raise of_program(command[0], done.returncode, done.stderr)
    return str(done.stdout)


def of_program(program: str, code: int, output: str) -> Failure:
    """Return the failure of a program from its exit status and its output."""
    lines = without_values(output).strip().splitlines()
    full = [line.strip() for line in lines if "no space left on device" in line.lower()]
    words = " / ".join(full[-1:] or lines[-4:]) or "no output"  # what follows from a full disk comes after it
    return Failure(f"{program} exited with {code}: {words}", REPEAT)


def without_values(text: str) -> str:
    """Return an error of PostgreSQL without the values of rows that it quotes."""
    return _VALUES.sub("", text)


def now() -> datetime.datetime:
    """Return the time in UTC and whole seconds, as in the names of backups."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def stamp(moment: datetime.datetime) -> str:
    """Return a time in RFC 3339, with a Z."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def log(event: str, *, level: str = "info", **fields: Any) -> None:
    """Write one event."""
    line = {"timestamp": stamp(now()), "level": level, "event": f"backup.{event}", **fields}
    print(json.dumps(line, default=str), file=sys.stderr, flush=True)  # noqa: T201 - this is the log
