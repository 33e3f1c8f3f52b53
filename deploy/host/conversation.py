"""Run a docker command that stays, and exchange lines with it."""

from __future__ import annotations

import subprocess
from typing import IO, cast

from .stack import clean_environment


class Conversation:
    """A running command. Its input ends when `end` is called, or when this process and its commands have ended."""

    def __init__(self, *command: str, inherited: tuple[int, ...] = ()) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment({}),
            pass_fds=inherited,
            start_new_session=True,  # ctrl-c ends our command, whose undo may still need this one
        )
        self._input = cast("IO[str]", self._process.stdin)
        self._output = cast("IO[str]", self._process.stdout)

    @property
    def descriptor(self) -> int:
        """The end of its input that is open here; a command that inherits it keeps the conversation going."""
        return self._input.fileno()

    def say(self, line: str) -> None:
        """Send one line."""
        self._input.write(line + "\n")
        self._input.flush()

    def hear(self) -> str:
        """Wait for one line and return it; an empty text if the command has ended."""
        return self._output.readline().rstrip("\n")

    def end(self) -> str:
        """End the input, wait for the command, and return its error output."""
        return self._process.communicate()[1].strip()
