"""Runs steps of the start and says what they say as log lines: python steps.py STEP…

    python steps.py check                                           the configuration
    python steps.py check migrate_locked 'collectstatic --noinput'  it, then commands of manage.py

All of them run in this one process, so that Django is imported once, or not at all where nothing is to be done
(todo_project/ops/startup/quick.py). Where LOG_FORMAT is json, each line that a
step writes becomes one JSON object (those that are one already stay), so that nothing in a container's log is of
another shape. All of it goes to stderr. A step that fails is named and ends this program with its exit status.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import manage
from todo_project.config import ConfigurationError, load
from todo_project.config.__main__ import main as configuration
from todo_project.ops.observability.scrub import scrub_text

Say = Callable[[str, str], None]
CHECK = "check"
NAMES = {CHECK: "the configuration check", "migrate_locked": "the database migration"}


def log_format() -> str:
    """Return what LOG_FORMAT says; while the configuration cannot be read, what its environment would."""
    try:
        return str(load().LOG_FORMAT)
    except ConfigurationError:
        return "json" if os.environ.get("DJANGO_ENV") in {"staging", "prod"} else "console"


def say_json(level: str, text: str) -> None:
    """Write one line as one JSON object."""
    if text.startswith("{") and text.endswith("}"):
        say_text(level, text)
        return
    line = {
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "level": level,
        "logger": "entrypoint",
        "event": scrub_text(text),
        "environment": os.environ.get("DJANGO_ENV", ""),
        "release": f"{os.environ.get('APP_VERSION', '')}+{os.environ.get('APP_REVISION', '')[:12]}",
    }
    say_text(level, json.dumps(line))


def say_text(_level: str, text: str) -> None:
    """Write one line as it is."""
    if sys.__stderr__:
        sys.__stderr__.write(text + "\n")
        sys.__stderr__.flush()


class Lines(io.TextIOBase):
    """Stands for stdout or stderr while a step runs, and says each line as it is finished."""

    def __init__(self, say: Say, level: str) -> None:
        self._say = say
        self._level = level
        self._begun = ""

    def write(self, text: str) -> int:
        """Take some text, which may be a part of a line or several."""
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            if line.strip():
                self._say(self._level, line)
        return len(text)

    def finish(self) -> None:
        """Say what has no end of line."""
        if self._begun:
            self.write("\n")


def run(step: Callable[[], int | None], out: Lines, err: Lines) -> int:
    """Run one step, pass its lines on as they come, return its exit status."""
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            return step() or 0
    except SystemExit as end:
        if isinstance(end.code, str):
            out.finish()
            err.write(end.code)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:  # noqa: BLE001 - whatever it is, the step has failed
        out.finish()
        err.write(traceback.format_exc())
        return 1
    finally:
        out.finish()
        err.finish()


def command_of(step: str) -> Callable[[], int | None]:
    """Return what runs the step of this name."""
    if step == CHECK:
        return lambda: configuration([CHECK])
    return lambda: None if quickly(step) else manage.main(["manage.py", *shlex.split(step)])


def quickly(step: str) -> bool:
    """Do the step without Django, if that is possible."""
    from todo_project.ops.startup import quick  # noqa: PLC0415 - the database's driver, for which a check alone has no use

    line = quick.STEPS[step]() if step in quick.STEPS else None
    if line:
        sys.stdout.write(f"{line}\n")
    return bool(line)


def main(*steps: str) -> int:
    """Run the steps in turn; a failure is told last, and that nothing follows it."""
    say = say_json if log_format() == "json" else say_text
    # the same for all steps: Django's logging keeps the stderr that it was set up with
    out, err = Lines(say, "info"), Lines(say, "warning")
    for step in steps:
        status = run(command_of(step), out, err)
        if status:
            name = NAMES.get(step, step.split()[0])
            say(
                "error",
                f"entrypoint: {name} failed (exit status {status}): not started, the later steps did not run",
            )
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
