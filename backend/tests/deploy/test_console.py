"""deploy/host/console.py: a step that takes long says that it goes on."""

from __future__ import annotations

import threading

import pytest
from host import console
from host.console import Console


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
