"""deploy/host/records.py: lines are added and moved in whole. The scripts run here as they do in the container."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from host.console import Console, Failure
from host.records import Records
from host.stack import Stack


@pytest.fixture
def records(repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Records:
    """Return the records of a stack whose volume is a folder, while the lock is held."""
    folder = tmp_path_factory.mktemp("volume")

    def run(self: Stack, *command: str, check: bool = True, given: str = "", **options: Any) -> Any:
        script, path = command[-2:]
        local = str(folder / Path(path).name)
        done = subprocess.run(["sh", "-c", script, local], input=given, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise Failure(done.stderr, "fix it")
        return done

    monkeypatch.setattr(Stack, "run", run)
    records = Records(Stack("prod", repository=repository), "lines")
    monkeypatch.setattr(records, "file", folder / "lines", raising=False)
    return records


def test_lines_are_added_to_what_is_there(records: Records) -> None:
    assert records.read() == ""
    records.append("one")
    records.append("two")
    assert records.read() == "one\ntwo\n"
    assert not records.former.parent.exists()  # `status` works in a checkout that may only be read


def test_a_line_that_a_crash_cut_short_spoils_no_other(records: Any) -> None:
    records.append("one")
    with records.file.open("a") as file:
        file.write("cut sh")

    records.append("two")

    assert records.read() == "one\ncut sh\ntwo\n"


def test_what_an_earlier_version_kept_in_the_checkout_comes_first_and_is_moved_once(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    records.append("new")
    records.former.parent.mkdir()
    records.former.write_text("old\ncut sh")
    assert records.read() == "old\ncut sh\nnew\n"

    records.adopt(Console())

    moved = records.former.with_name("lines.moved")
    assert f"lines of this checkout is now in the volume todo-prod_records; the old file is {moved}" in (
        capsys.readouterr().err
    )
    assert moved.read_text() == "old\ncut sh"
    records.adopt(Console())
    assert capsys.readouterr().err == ""
    assert records.read() == "old\ncut sh\nnew\n"


def test_a_line_that_cannot_be_written_is_an_error(records: Any) -> None:
    records.file.mkdir()

    with pytest.raises(Failure):
        records.append("one")
