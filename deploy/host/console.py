"""Report what a command does: steps with their times, errors with a next step, JSON for machines."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

EXIT_FAILED = 1
EXIT_USAGE = 2
_REMIND_SECONDS = 30


class Failure(Exception):
    """An error for the operator: `cause` says what is wrong, `hint` what to do."""

    def __init__(self, cause: str, hint: str, *, code: int = EXIT_FAILED) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint
        self.code = code


class Console:
    """Progress goes to stderr, the result to stdout: text for people, or one JSON object with `as_json`."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step, say every 30 s that it goes on, and report how long it took, or that it failed.

        Errors pass through.
        """
        start = time.monotonic()
        self.note(f"{name} …")
        try:
            with self._reminding(name, start):
                yield
        except BaseException:
            self.note(self._painted(f"{name}: failed after {time.monotonic() - start:.1f} s", "31"))
            raise
        self.note(self._painted(f"{name}: done in {time.monotonic() - start:.1f} s", "32"))

    @contextmanager
    def _reminding(self, name: str, start: float) -> Iterator[None]:
        over = threading.Event()

        def remind() -> None:
            while not over.wait(_REMIND_SECONDS):
                self.note(f"{name}: still running after {time.monotonic() - start:.0f} s")

        reminder = threading.Thread(target=remind, daemon=True)
        reminder.start()
        try:
            yield
        finally:
            over.set()
            reminder.join()

    def note(self, text: str) -> None:
        """Print one line of progress; a closed terminal stops nothing."""
        with suppress(OSError):
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def result(self, text: str, data: Mapping[str, Any]) -> None:
        """Print the result: `text` for people, `data` as JSON for machines."""
        sys.stdout.write((json.dumps(data, indent=2) if self.as_json else text) + "\n")
        sys.stdout.flush()

    @contextmanager
    def reporting(self, *, if_interrupted: str) -> Iterator[None]:
        """Print a Failure, what the system refused, or that a signal came as an error, and exit with its code."""
        catch_signals()
        try:
            yield
        except Failure as error:
            self.give_up(error)
        except OSError as error:  # such as a full disk, or a checkout that may only be read
            self.give_up(Failure(str(error), "fix the cause, then run the command again"))
        except KeyboardInterrupt:
            self.give_up(Failure("interrupted", if_interrupted))

    def give_up(self, error: Failure) -> NoReturn:
        """Print an error with its next step and exit with the error's code."""
        self.note(self._painted(f"error: {error.cause}", "31") + f"\n  next: {error.hint}")
        if self.as_json:
            self.result("", {"ok": False, "error": error.cause, "next": error.hint})
        raise SystemExit(error.code)

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text


def catch_signals() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt, once: the undo that follows is not interrupted."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, frame: object) -> None:
        for each in wanted:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in wanted:
        signal.signal(each, interrupt)
