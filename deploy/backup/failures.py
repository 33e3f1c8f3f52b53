"""Failures with a cause and a hint; a full disk is recognised wherever it shows."""

import errno
import re
import subprocess
from typing import Any

# What PostgreSQL's errors quote: the values of rows, which are personal data.
_VALUES = re.compile(
    r"(?s)\n(?:DETAIL|CONTEXT|LINE 1|Command was): .*|(?<=: )\".*|(?<=\bvalue )\"[^\n]*?\"(?= is out of range)"
)
_FULL = re.compile(r"no space left on device|could not extend file|disk quota exceeded", re.IGNORECASE)
REPEAT = "fix the cause, then run the command again"


class Failure(Exception):
    """An error with its `cause` and a `hint` what to do. Neither holds a secret."""

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint


def run_program(*command: str, **options: Any) -> None:
    """Run a program, or raise Failure with its last lines."""
    done = subprocess.run(command, capture_output=True, errors="replace", check=False, **options)
    if done.returncode:
        raise of_program(command[0], done.returncode, done.stderr)


def of_program(program: str, code: int, output: str) -> Failure:
    """Return the failure of a program from its exit status and its output."""
    words = " / ".join(without_values(output).strip().splitlines()[-4:]) or "no output"
    if _FULL.search(output):
        return full(f"{program}: {words}")
    return Failure(f"{program} exited with {code}: {words}", REPEAT)


def without_values(text: str) -> str:
    """Return an error of PostgreSQL without the values of rows that it quotes."""
    return _VALUES.sub("", text)


def of_system(error: OSError) -> Failure:
    """Return the failure of a system call."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(str(error))
    return Failure(str(error), "check that user 10001 can read and write the volume")


def full(detail: str) -> Failure:
    """Return the failure for a full disk."""
    return Failure(
        f"the disk is full ({detail}); the unfinished file was removed, earlier backups are intact",
        "free some space, or keep fewer backups (BACKUP_KEEP_DAILY and others), then run the command again",
    )
