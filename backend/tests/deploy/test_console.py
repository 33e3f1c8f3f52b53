"""deploy/host/console.py: what is printed while a command works, and when it fails or is interrupted."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator

import pytest
from host import console
from host.console import Console, Failure


class Seen(Console):
    """Keeps the lines of progress."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.reminded = threading.Event()

    def note(self, text: str) -> None:
        self.lines.append(text)
        if "still running" in text:
            self.reminded.set()


def test_a_long_step_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_REMIND_SECONDS", 0.001)
    seen = Seen()
    with seen.step("copying"):
        assert seen.reminded.wait(60)
    assert seen.lines[0] == "copying …"
    assert seen.lines[1].startswith("copying: still running after ")
    assert seen.lines[-1].startswith("copying: done in ")


def _wait_in_vain(reminded: threading.Event) -> None:
    assert reminded.wait(60)
    raise TimeoutError


def test_a_step_that_fails_says_so_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_REMIND_SECONDS", 0.001)
    seen = Seen()
    with pytest.raises(TimeoutError), seen.step("copying"):
        _wait_in_vain(seen.reminded)
    assert seen.lines[-1].startswith("copying: failed after ")


def test_a_short_step_is_two_lines() -> None:
    seen = Seen()
    with seen.step("copying"):
        pass
    assert [line.partition(" in ")[0] for line in seen.lines] == ["copying …", "copying: done"]


@pytest.fixture
def _signals() -> Iterator[None]:
    """Restore how this process handles signals."""
    caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(each) for each in caught]
    yield
    for number, handler in zip(caught, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_command_cleans_up_and_names_the_next_step(
    capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    done = []

    def work() -> None:
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)  # the second one stops nothing
            done.append("clean")

    with pytest.raises(SystemExit) as ended, Console().reporting(if_interrupted="run it again"):
        work()
    assert (ended.value.code, done) == (1, ["clean"])
    assert capsys.readouterr().err == "error: interrupted\n  next: run it again\n"


@pytest.mark.usefixtures("_signals")
def test_what_the_system_refuses_is_an_error_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, Console().reporting(if_interrupted="run it again"):
        raise OSError(30, "Read-only file system", "envs/prod.state")
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "error: [Errno 30] Read-only file system: 'envs/prod.state'\n"
        "  next: fix the cause, then run the command again\n"
    )


@pytest.mark.parametrize(("no_colour", "painted"), [("", "\x1b[31merror: full\x1b[0m"), ("1", "error: full")])
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_colour: str, painted: str
) -> None:
    monkeypatch.setenv("NO_COLOR", no_colour)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with pytest.raises(SystemExit):
        Console().give_up(Failure("full", "free 2 GB"))
    assert capsys.readouterr().err == f"{painted}\n  next: free 2 GB\n"
