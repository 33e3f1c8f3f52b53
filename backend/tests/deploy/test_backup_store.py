"""deploy/backup: backups on a volume are complete or absent, and retention keeps the right ones."""

from __future__ import annotations

import datetime
import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from backup import manifest, retention
from backup.environment import Keep
from backup.failures import Failure, of_program, of_system
from backup.manifest import Manifest, Media, Part
from backup.store import Store, checksum
from hypothesis import given
from hypothesis import strategies as st

from tests.architecture.source import DEPLOY

UTC = datetime.UTC
NOON = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def made(name: str, **changes: Any) -> Manifest:
    return Manifest(
        **{
            "name": name,
            "created_at": "2026-11-24T12:00:00Z",
            "environment": "prod",
            "version": "1.0",
            "revision": "abc",
            "postgresql": "17.1",
            "database": manifest.Database(
                "todo_db", 10, {"todos_task": 3}, {"todos": ["0001_initial", "0002_more"]}
            ),
            "media": Media(1, 5, "00", ["a: deleted meanwhile"]),
            "parts": {"database.dump": Part(3, "aa"), "media.tar": Part(4, "bb")},
            **changes,
        }
    )


def write(folder: Path, name: str) -> None:
    (folder / "database.dump").write_text("dump")
    (folder / "media.tar").write_text("media")
    (folder / manifest.FILE).write_text(made(name).text())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def keep(store: Store, name: str) -> None:
    with store.partial(name) as folder:
        write(folder, name)


class TestNames:
    @pytest.mark.parametrize("label", ["../x", "a/b", "", ".hidden", "a b", "a\n", "x" * 141, "é", "-x", "a\0"])
    def test_a_label_that_is_no_part_of_a_file_name_is_refused(self, label: str) -> None:
        with pytest.raises(Failure, match="cannot be part of a name"):
            manifest.new_name(NOON, label)

    @pytest.mark.parametrize("label", [None, "before-1.4.2", "v2_rc.1"])
    def test_a_name_says_when_it_was_made(self, label: str | None) -> None:
        assert manifest.moment_of(manifest.new_name(NOON, label)) == NOON

    @pytest.mark.parametrize("name", ["..", ".partial-20261124T120000Z", "20261124T120000Z/..", "20261124", "x\n"])
    def test_anything_else_is_no_name(self, store: Store, name: str) -> None:
        with pytest.raises(Failure):
            manifest.moment_of(name)
        with pytest.raises(Failure, match="no backup"):
            store.resolve(name)


class TestManifest:
    def test_is_read_as_it_was_written(self) -> None:
        written = made("20261124T120000Z", encrypted_for="age1x")
        assert manifest.parse(json.loads(written.text()), written.name) == written

    @pytest.mark.parametrize(
        "change",
        [
            {"format": 2},
            {"name": "20260101T000000Z"},
            {"parts": {"database.dump": {"bytes": 1, "sha256": "a"}}},
            {"parts": {"../../etc/passwd": {"bytes": 1, "sha256": "a"}, "media.tar": {"bytes": 1, "sha256": "a"}}},
            {"parts": []},
            {"database": None},
            {"media": {"files": "many"}},
        ],
    )
    def test_of_another_shape_is_a_damaged_backup(self, store: Store, change: dict[str, Any]) -> None:
        keep(store, "20261124T120000Z")
        path = store.root / "20261124T120000Z" / manifest.FILE
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        with pytest.raises(Failure, match="manifest of 20261124T120000Z cannot be read"):
            store.manifest("20261124T120000Z")

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"null"])
    def test_that_is_no_json_is_a_damaged_backup(self, store: Store, content: bytes) -> None:
        keep(store, "20261124T120000Z")
        (store.root / "20261124T120000Z" / manifest.FILE).write_bytes(content)
        with pytest.raises(Failure, match="cannot be read"):
            store.manifest("20261124T120000Z")


class TestStore:
    def test_a_backup_gets_its_name_when_it_is_whole(self, store: Store) -> None:
        with store.partial("20261124T120000Z") as folder:
            write(folder, "20261124T120000Z")
            assert store.names() == []
        assert store.names() == ["20261124T120000Z"]
        assert store.resolve("latest").name == "20261124T120000Z"

    def test_what_fails_while_it_is_written_leaves_nothing(self, store: Store) -> None:
        keep(store, "20261123T120000Z")

        def interrupted() -> None:
            with store.partial("20261124T120000Z") as folder:
                write(folder, "20261124T120000Z")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert [path.name for path in store.root.iterdir()] == ["20261123T120000Z"]

    def test_what_a_killed_run_left_is_no_backup_and_is_swept_by_the_next(self, store: Store) -> None:
        killed = (
            "import os, pathlib, sys; sys.path.insert(0, sys.argv[1])\n"
            "from backup.store import Store\n"
            "store = Store(pathlib.Path(sys.argv[2]))\n"
            "with store.locked(), store.partial('20261124T120000Z') as folder:\n"
            "    (folder / sys.argv[3]).write_text('{}')\n"
            "    os._exit(9)\n"
        )
        command = [sys.executable, "-c", killed, str(DEPLOY), str(store.root), manifest.FILE]
        assert subprocess.run(command, check=False).returncode == 9
        assert (store.root / ".partial-20261124T120000Z" / manifest.FILE).exists()
        assert store.names() == []
        with store.locked():
            assert [path.name for path in store.root.iterdir()] == [".lock"]

    def test_two_never_work_at_once(self, store: Store) -> None:
        with store.locked(), pytest.raises(Failure, match="has been running"), store.locked(wait=0):
            pytest.fail("the second one was let in")

    def test_a_half_removed_backup_is_none(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        keep(store, "20261124T120000Z")
        monkeypatch.setattr("backup.store.shutil.rmtree", lambda *_, **__: None)
        store.remove("20261124T120000Z")
        assert store.names() == []

    def test_an_unknown_name_is_refused_with_the_last_ones(self, store: Store) -> None:
        keep(store, "20261124T120000Z")
        with pytest.raises(Failure) as failed:
            store.resolve("20200101T000000Z")
        assert "20261124T120000Z" in failed.value.hint

    def test_proof_is_noted_beside_a_backup_and_taken_back(self, store: Store) -> None:
        keep(store, "20261124T120000Z")
        assert store.verified("20261124T120000Z") is None
        store.mark_verified("20261124T120000Z", {"verified_at": "2026-11-24T12:01:00Z"})
        assert store.verified("20261124T120000Z") == "2026-11-24T12:01:00Z"
        store.unmark("20261124T120000Z")
        assert store.verified("20261124T120000Z") is None

    def test_a_full_disk_is_named_and_leaves_the_earlier_backups_alone(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep(store, "20261123T120000Z")

        def full(_: Path) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("backup.store._sync", full)
        with pytest.raises(OSError, match="No space") as failed, store.partial("20261124T120000Z") as folder:
            write(folder, "20261124T120000Z")
        assert [path.name for path in store.root.iterdir()] == ["20261123T120000Z"]
        assert "the disk is full" in of_system(failed.value).cause

    def test_a_checksum_is_the_systems_own(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(os.urandom(3_000_000))
        expected = subprocess.run(
            ["sha256sum", tmp_path / "file"], capture_output=True, text=True, check=True
        ).stdout
        assert checksum(tmp_path / "file") == Part(3_000_000, expected.split()[0])


@pytest.mark.parametrize(
    "said",
    [
        "pg_dump: error: could not write to output file: No space left on device",
        'pg_restore: error: could not extend file "base/1": No space left on device',
        "age: error: write database.dump.age: no space left on device",
    ],
)
def test_a_program_that_fails_on_a_full_disk_is_recognised(said: str) -> None:
    assert of_program("some", 1, said).cause.startswith("the disk is full")


@pytest.mark.parametrize(
    "said",
    [
        (
            'COPY failed for table "labels": ERROR:  duplicate key value violates unique constraint "one"\n'
            "DETAIL:  Key (name)=(hunter2) already exists.\nCONTEXT:  COPY labels, line 2\nand hunter2\n"
        ),
        (
            'could not execute query: ERROR:  value "hunter2" is out of range for type integer\n'
            "Command was: INSERT INTO labels VALUES ('hunter2');"
        ),
        'COPY failed for table "t": ERROR:  invalid input syntax for type uuid: "hunter2\nhunter2"',
    ],
    ids=["DETAIL", "Command was", "invalid input"],
)
def test_the_errors_of_a_restore_quote_no_row(said: str) -> None:
    cause = of_program("pg_restore", 1, f"pg_restore: error: {said}").cause
    assert "hunter2" not in cause
    assert "ERROR:  " in cause


class TestRetention:
    def names(self, count: int, *, hours: int = 24, label: str = "") -> list[str]:
        moments = [NOON - datetime.timedelta(hours=hours * number) for number in range(count)]
        return sorted(manifest.new_name(moment, label or None) for moment in moments)

    def test_days_weeks_and_months_keep_their_last_one(self) -> None:
        names = self.names(400)
        removed = retention.removable(names, set(names), NOON, Keep(daily=7, weekly=4, monthly=6))
        kept = sorted(set(names) - set(removed))
        assert kept[-7:] == names[-7:]
        # Sundays before those seven days, then the last days of months
        assert [name[:8] for name in kept[:-7]] == [
            "20260630", "20260731", "20260831", "20260930", "20261031", "20261108", "20261115",
        ]  # fmt: skip

    def test_the_newest_verified_one_stays_however_old_it_is(self) -> None:
        names = self.names(40)
        removed = retention.removable(names, {names[0], names[1]}, NOON, Keep(1, 0, 0))
        assert set(names) - set(removed) == {names[1], names[-1]}

    def test_all_of_the_last_day_stay(self) -> None:
        names = self.names(10, hours=2)
        assert retention.removable(names, set(), NOON, Keep(1, 0, 0)) == []

    def test_the_newest_one_stays_when_none_was_made_for_years(self) -> None:
        later = NOON + datetime.timedelta(days=3000)
        names = self.names(3)
        assert retention.removable(names, set(), later, Keep(1, 0, 0)) == names[:2]
        assert retention.removable([], set(), later, Keep()) == []

    @given(st.sets(st.integers(0, 200_000), max_size=60), st.integers(1, 9), st.integers(0, 9), st.integers(0, 9))
    def test_what_is_kept_covers_what_was_asked_for(
        self, ages: set[int], daily: int, weekly: int, monthly: int
    ) -> None:
        names = {manifest.new_name(NOON - datetime.timedelta(minutes=age), None) for age in ages}
        removed = retention.removable(names, set(), NOON, Keep(daily, weekly, monthly))
        kept = names - set(removed)
        days = {name[:8] for name in names}
        assert len({name[:8] for name in kept}) >= min(daily, len(days))
        assert not names or max(names) in kept
        # a second time there is nothing to do
        assert retention.removable(kept, set(), NOON, Keep(daily, weekly, monthly)) == []
