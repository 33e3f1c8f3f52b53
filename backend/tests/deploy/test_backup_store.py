"""deploy/backup: names, manifests, the volume, which archive a restore to a moment takes, and format 1."""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from backup import archive, environment, legacy, manifest, repository, transfer, verification
from backup.database import Server
from backup.report import Failure, of_program
from backup.repository import Repository, Snapshot
from backup.store import IMPORTED, Store

from tests.architecture.source import DEPLOY

UTC = datetime.UTC
NOON = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAME = "20261124T120000Z"
MADE = {
    "name": NAME,
    "environment": "prod",
    "database": {"bytes": 10, "tables": {"todos_task": 3}, "migrations": {"todos": ["0001_initial"]}},
}


@dataclass(frozen=True)
class Kept(Repository):
    """A repository that has these snapshots."""

    held: list[Snapshot] = field(default_factory=list)

    def snapshots(self) -> list[Snapshot]:
        return self.held


def snapshot(*tags: str, paths: tuple[str, ...] = ("/backups/.making-backup/new", "/app/media")) -> Snapshot:
    return Snapshot(Repository("/x", None), {"id": tags[-1], "tags": tags, "paths": paths})


def base(line: str, at: str) -> Snapshot:
    return snapshot("base", f"line={line}", f"at={at}", paths=("/backups/.making/base", f"/backups/wal/{line}"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(environment.read({"BACKUP_ROOT": str(tmp_path)}))


@pytest.fixture
def keeping(store: Store) -> Callable[..., Store]:
    def keep(*snapshots: Snapshot, elsewhere: list[Snapshot] | None = None) -> Store:
        store.places = {"volume": Kept("local", None, held=list(snapshots))}
        if elsewhere is not None:
            store.places["remote"] = Kept("remote", None, held=elsewhere)
        return store

    return keep


class TestNames:
    @pytest.mark.parametrize("label", ["../x", "a/b", "", ".hidden", "a b", "a\n", "x" * 141, "é", "-x", "a\0"])
    def test_a_label_that_is_no_part_of_a_name_is_refused(self, label: str) -> None:
        with pytest.raises(Failure, match="cannot be part of a name"):
            manifest.new_name(NOON, label)

    @pytest.mark.parametrize("label", [None, "before-1.4.2", "v2_rc.1"])
    def test_a_name_says_when_it_was_made(self, label: str | None) -> None:
        name = manifest.new_name(NOON, label)
        assert manifest.moment_of(name) == NOON
        assert manifest.NAME.fullmatch(name)


class TestManifest:
    def test_is_read_as_it_was_written(self) -> None:
        assert manifest.parse(json.dumps(MADE).encode()) == MADE

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"{", b"\xff", b"[]", b"null"),
            *(
                json.dumps(MADE | change).encode()
                for change in ({"name": "../x"}, {"database": None}, {"database": {"bytes": 1, "tables": []}})
            ),
        ],
    )
    def test_of_another_shape_is_a_damaged_backup(self, content: bytes) -> None:
        with pytest.raises(Failure) as failed:
            manifest.parse(content)
        assert failed.value.hint == "this backup is damaged; use another one"


class TestStore:
    def test_what_a_killed_run_left_is_swept_by_the_next(self, store: Store) -> None:
        killed = (
            "import os, sys; sys.path.insert(0, sys.argv[1])\n"
            "from backup import environment\n"
            "from backup.store import Store\n"
            "store = Store(environment.read({'BACKUP_ROOT': sys.argv[2]}))\n"
            "with store.locked(), store.temporary('backup') as folder:\n"
            "    (folder / 'database.dump').write_text('half')\n"
            "    os._exit(9)\n"
        )
        command = [sys.executable, "-c", killed, str(DEPLOY), str(store.root)]
        assert subprocess.run(command, check=False).returncode == 9
        assert (store.root / ".making-backup/database.dump").exists()
        with store.locked():
            assert [path.name for path in store.root.iterdir()] == [".lock"]

    def test_two_never_work_at_once(self, store: Store) -> None:
        with store.locked(), open(store.root / ".lock", "w") as second, pytest.raises(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_the_newest_is_the_latest(self, keeping: Callable[..., Store]) -> None:
        store = keeping(snapshot(NAME), snapshot("20261125T120000Z-label"), base("1.x", "2026-11-26T00:00:00Z"))
        assert store.find("latest").name == "20261125T120000Z-label"
        assert store.find(NAME).name == NAME

    def test_an_unknown_name_is_refused_with_the_last_ones(self, keeping: Callable[..., Store]) -> None:
        with pytest.raises(Failure) as failed:
            keeping(snapshot(NAME), elsewhere=[snapshot("20261125T120000Z")]).find("20200101T000000Z")
        assert NAME in failed.value.hint
        assert "20261125T120000Z" in failed.value.hint

    def test_a_repository_that_is_away_is_asked_only_for_what_is_not_here(
        self, keeping: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = keeping(snapshot(NAME))

        class Away(Kept):
            def snapshots(self) -> list[Snapshot]:
                raise Failure("away", "wait")

        store.places["remote"] = Away("remote", None)
        assert store.find(NAME).name == store.find("latest").name == NAME
        listed = store.listing()
        assert [each["name"] for each in listed["backups"]] == [NAME]
        assert listed["notes"] == ["remote: away"]
        with pytest.raises(Failure, match="away"):
            store.find("20200101T000000Z")

    def test_proof_is_noted(self, store: Store) -> None:
        assert store.verified(NAME) is None
        store.proof(NAME).write_text('{"verified_at": "2026-11-24T12:01:00Z"}')
        assert store.verified(NAME) == "2026-11-24T12:01:00Z"

    def test_a_failed_verification_takes_the_proof_back_but_not_that_of_a_file(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> str:
            raise Failure("differs", repository.DAMAGED)

        monkeypatch.setattr(Snapshot, "manifest", lambda _: MADE)
        monkeypatch.setattr(verification, "_database", fail)
        store.proof(NAME).write_text('{"verified_at": "2026-11-24T12:01:00Z"}')
        told = {"id": "1", "tags": [NAME], "paths": ["/backups/.making-backup/new", "/app/media"]}
        with pytest.raises(Failure, match="differs"):
            verification.verify(store, Snapshot(store.imported, told))
        assert store.verified(NAME)
        with pytest.raises(Failure, match="differs"):
            verification.verify(store, Snapshot(store.local, told))
        assert store.verified(NAME) is None


class TestMoments:
    @pytest.mark.parametrize("text", ["2026-11-24 13:00:00+01", "2026-11-24T12:00:00Z", "2026-11-24 12:00+00:00"])
    def test_are_read_with_their_offset(self, text: str) -> None:
        assert archive.parse_moment(text) == NOON

    @pytest.mark.parametrize("text", ["", "yesterday", "2026-11-24 13:00:00", "13:00+01", "20261124T120000Z-x"])
    def test_without_one_are_refused(self, text: str) -> None:
        with pytest.raises(Failure, match="is not a moment"):
            archive.parse_moment(text)

    @pytest.mark.parametrize(
        ("moment", "chosen", "log"),
        [
            ("2026-11-24T12:00:00Z", "at=2026-11-24T03:00:00Z", "at=2026-11-25T03:00:00Z"),
            ("2026-11-25T12:00:00Z", "at=2026-11-25T03:00:00Z", None),  # the log is still on the volume
            ("2026-11-27T12:00:00Z", "at=2026-11-26T03:00:00Z", None),
            ("latest", "at=2026-11-25T03:00:00Z", None),  # not of the server that runs now
        ],
    )
    def test_come_from_the_last_copy_before_them(
        self,
        keeping: Callable[..., Store],
        monkeypatch: pytest.MonkeyPatch,
        moment: str,
        chosen: str,
        log: str | None,
    ) -> None:
        store = keeping(
            base("1.x", "2026-11-24T03:00:00Z"),
            snapshot("20261124T040000Z"),
            base("1.x", "2026-11-25T03:00:00Z"),
            base("2.x", "2026-11-26T03:00:00Z"),
        )
        monkeypatch.setattr(archive, "current", lambda *_: "2.x")
        found, following = archive._choose(store, Server(""), archive.parse_moment(moment))
        assert found.id == chosen
        assert (following.id if following else None) == log

    def test_before_the_archive_are_refused(
        self, keeping: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive, "current", lambda *_: None)
        with pytest.raises(Failure, match="does not reach back"):
            archive._choose(keeping(base("1.x", "2026-11-24T13:00:00Z")), Server(""), NOON)


@dataclass(frozen=True)
class Noting(Repository):
    """A repository that notes what is stored in it."""

    stored: dict[str, bytes] = field(default_factory=dict)

    def prepare(self, *_: str) -> None:
        Path(self.url).mkdir()

    def backup(self, folders: Any, tags: Any, *, host: str) -> tuple[Snapshot, list[str]]:
        for folder in folders:
            for path in folder.rglob("*"):
                self.stored[str(path.relative_to(folder))] = path.read_bytes() if path.is_file() else b""
        return snapshot(*tags), []


class TestFormat1:
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        (tmp_path / "volume").mkdir()
        store = Store(environment.read({"BACKUP_ROOT": str(tmp_path / "volume")}))
        store.imported = Noting(str(store.root / IMPORTED), None)
        return store

    @staticmethod
    def exported(**changed: bytes) -> io.BytesIO:
        media, file = io.BytesIO(), io.BytesIO()
        with tarfile.open(fileobj=media, mode="w") as archive:
            entry = tarfile.TarInfo("a/one")
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"one"))
        parts = {"database.dump": b"dump", "media.tar": media.getvalue()}
        sums = {
            name: {"bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()} for name, part in parts.items()
        }
        files = {**parts, "manifest.json": json.dumps(MADE | {"parts": sums, "format": 1}).encode(), **changed}
        with tarfile.open(fileobj=file, mode="w|") as archive:
            top = tarfile.TarInfo(NAME)
            top.type = tarfile.DIRTYPE
            archive.addfile(top)
            for name, content in files.items():
                entry = tarfile.TarInfo(f"{NAME}/{name}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        file.seek(0)
        return file

    def test_becomes_a_snapshot(self, store: Store) -> None:
        transfer.import_file(store, self.exported())
        assert isinstance(store.imported, Noting)
        assert store.imported.stored["database.dump"] == b"dump"
        assert store.imported.stored["a/one"] == b"one"
        assert json.loads(store.imported.stored["manifest.json"])["name"] == NAME

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"database.dump": b"dumq"}, "differs from the manifest"),
            ({"manifest.json": b"{}"}, "is not that of a backup"),
            ({"../../escape": b""}, "outside the destination"),
        ],
    )
    def test_that_is_damaged_is_refused_and_leaves_nothing(
        self, store: Store, changed: dict[str, bytes], said: str
    ) -> None:
        with pytest.raises(Failure, match=said):
            transfer.import_file(store, self.exported(**changed))
        assert list(store.root.iterdir()) == []

    def test_that_is_encrypted_needs_its_key(self, tmp_path: Path) -> None:
        (tmp_path / "database.dump.age").write_bytes(b"secret")
        with pytest.raises(Failure) as failed:
            legacy._decrypt(tmp_path / "database.dump.age", tmp_path / "database.dump", None)
        assert failed.value.hint == "give the secret key: --identity FILE"

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("# created: today\nAGE-SECRET-KEY-1QQQ\n", True),
            ("-----BEGIN PGP PRIVATE KEY BLOCK-----", True),
            ("a password", False),
        ],
    )
    def test_a_key_is_no_password(self, text: str, found: bool) -> None:
        assert legacy.is_key(text) is found

    @pytest.mark.parametrize("content", [b"", b"no archive", b"x" * 10_000])
    def test_another_file_is_no_backup(self, store: Store, content: bytes) -> None:
        with pytest.raises(Failure, match=r"is not a backup|does not contain a backup"):
            transfer.import_file(store, io.BytesIO(content))

    def test_a_file_is_refused_wherever_it_was_cut(self, store: Store, tmp_path: Path) -> None:
        folder = tmp_path / "repository"
        for name in ("config", "keys/one", "snapshots/one"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(name.encode() * 100)
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w|") as tar:
            tar.add(folder, arcname="repository")
        whole = file.getvalue()
        end = whole.index(b"snapshots/onesnapshots/one")
        for size in range(512, end, 100):
            with pytest.raises(Failure, match="not all of it"):
                transfer.import_file(store, io.BytesIO(whole[:size]))
        transfer.import_file(store, io.BytesIO(whole))
        assert (store.root / IMPORTED / "snapshots" / "one").is_file()


@pytest.mark.parametrize(
    ("code", "cause", "hint"),
    [
        (12, "does not open with BACKUP_PASSWORD", "--identity FILE"),
        (1, "restic copy exited with 1: write: no space left on device", "fix the cause"),
    ],
)
def test_a_failure_of_restic_says_what_to_do(code: int, cause: str, hint: str) -> None:
    said = (
        '{"message_type":"exit_error","code":1,"message":"write: no space left on device"}' if code == 1 else "no"
    )
    failure = repository.failure("copy", code, said)
    assert cause in failure.cause
    assert hint in failure.hint


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


def test_a_full_disk_is_named_although_much_follows_from_it() -> None:
    full = 'FATAL:  could not write to file "base/4/1255": No space left on device'
    said = (
        f"{full}\nSTATEMENT:  CREATE DATABASE\n\t\n"
        'child process exited with exit code 1\ninitdb: removing data directory "data"\n'
    )
    assert of_program("initdb", 1, said).cause == f"initdb exited with 1: {full}"
