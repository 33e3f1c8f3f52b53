"""deploy/backup/{backup,restore}: what they print, and what they refuse before they stop a service."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from backup import commands
from host.stack import Stack

KEPT = "todo_db_before_20261129t163231z"


ANSWERS: dict[str, dict[str, Any]] = {
    "settle": {"outcome": "nothing", "replaced": []},
    "drop-old": {"dropped": [KEPT]},
    # as the image of the version before restic
    "backup": {"name": "20261129T163231Z", "bytes": 1000, "notes": [], "verified_at": None},
}


@pytest.fixture
def calls(repository: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that reach docker compose, which answers with ANSWERS."""
    made: list[str] = []

    def compose(_: Stack, *arguments: str, **__: Any) -> subprocess.CompletedProcess[str]:
        made.append(" ".join(arguments))
        return subprocess.CompletedProcess(arguments, 0, json.dumps(ANSWERS.get(arguments[-1], {})), "")

    monkeypatch.setattr(Stack, "compose", compose)
    monkeypatch.setattr(commands, "Stack", lambda env: Stack(env, repository=repository))
    return made


def test_an_undo_without_a_restore_stops_nothing(calls: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        commands.main("restore", ["prod", "--undo"])
    printed = capsys.readouterr().err
    assert "there is nothing to undo" in printed
    assert "next: restore a backup instead: deploy/backup/restore prod NAME --replace" in printed
    assert calls[-2].endswith("settle")
    assert calls[-1] == "stop db"  # which did not run before


def test_a_database_that_was_running_goes_on(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Stack.compose

    def compose(stack: Stack, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        done = answer(stack, *arguments, **options)
        return subprocess.CompletedProcess(arguments, 0, "backend\ndb\n", "") if arguments[0] == "ps" else done

    monkeypatch.setattr(Stack, "compose", compose)
    commands.main("restore", ["prod", "--drop-old"])
    assert [call for call in calls if call.startswith("stop")] == []


@pytest.mark.usefixtures("calls")
def test_what_was_removed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    commands.main("restore", ["prod", "--drop-old"])
    assert capsys.readouterr().out == f"removed: {KEPT}\n"


@pytest.mark.usefixtures("calls")
def test_a_backup_by_the_image_of_an_older_version_is_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.volumes, "keep", lambda *_: None)
    commands.main("backup", ["prod"])
    assert capsys.readouterr().out == "20261129T163231Z: 1000 bytes, not verified\n"


@pytest.mark.parametrize(
    ("facts", "printed"),
    [
        ({"restored": "one", "safety_backup": None, "kept": KEPT}, "restored: one\nthe replaced data is kept as"),
        ({"restored": "one", "safety_backup": "two", "kept": KEPT}, "backup of the replaced data: two"),
        ({"dropped": []}, "removed: nothing"),
    ],
)
@pytest.mark.usefixtures("calls")
def test_the_result_is_in_words(
    facts: dict[str, Any], printed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.Restore, "run", lambda _: facts)
    commands.main("restore", ["prod", "--drop-old"])
    out = capsys.readouterr().out
    assert printed in out
    assert "None" not in out
