"""deploy/backup: writes any media folder to a stream and reads it back, and refuses hostile streams."""

from __future__ import annotations

import io
import os
import random
import tarfile
from pathlib import Path

import pytest
from backup import media
from backup.failures import Failure
from hypothesis import given, settings
from hypothesis import strategies as st

HOSTILE = [
    b"two\nlines",
    b"\xff\xfe.bin",
    b"-rf",
    "Größe 日本.txt".encode(),
    b" spaces ",
    b"quote'\"`$(id)",
    b"x" * 200,
    b"back\\slash",
]


def packed(folder: Path) -> tuple[bytes, media.Media]:
    sink = io.BytesIO()
    written = media.write(folder, sink)
    return sink.getvalue(), written


def contents(folder: Path) -> dict[bytes, bytes]:
    root = os.fsencode(folder)
    return {
        os.path.relpath(os.path.join(path, name), root): Path(os.fsdecode(os.path.join(path, name))).read_bytes()
        for path, _, files in os.walk(root)
        for name in files
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "media/a/b").mkdir(parents=True)
    (tmp_path / "media/a/b/one.bin").write_bytes(random.Random(1).randbytes(100_000))
    (tmp_path / "media/empty").write_bytes(b"")
    return tmp_path / "media"


def test_names_and_contents_come_back_as_they_were(folder: Path, tmp_path: Path) -> None:
    for name in HOSTILE:
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(name)
    stream, written = packed(folder)

    read = media.read(io.BytesIO(stream), tmp_path / "restored")

    assert contents(tmp_path / "restored") == contents(folder)
    assert (read.files, read.bytes, read.checksum) == (written.files, written.bytes, written.checksum)
    assert written.files == len(HOSTILE) + 2
    assert written.notes == []


@settings(max_examples=30)
@given(
    st.dictionaries(st.binary(min_size=1, max_size=40).filter(lambda name: not {0, 47} & set(name)), st.binary())
)
def test_any_file_name_survives(tmp_path_factory: pytest.TempPathFactory, files: dict[bytes, bytes]) -> None:
    root = tmp_path_factory.mktemp("any")
    (root / "media").mkdir()
    files = {name: body for name, body in files.items() if name not in {b".", b".."}}
    for name, body in files.items():
        Path(os.fsdecode(os.fsencode(root / "media") + b"/" + name)).write_bytes(body)
    stream, written = packed(root / "media")

    assert media.read(io.BytesIO(stream), root / "restored").checksum == written.checksum
    assert contents(root / "restored") == files


def test_the_checksum_is_of_names_and_contents(folder: Path) -> None:
    before = packed(folder)[1].checksum
    assert packed(folder)[1].checksum == before

    (folder / "empty").rename(folder / "void")
    renamed = packed(folder)[1].checksum
    (folder / "void").write_bytes(b"x")

    assert len({before, renamed, packed(folder)[1].checksum}) == 3


def test_a_file_that_goes_meanwhile_is_left_out_and_noted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = os.walk

    def vanish(*arguments: object, **options: object) -> object:
        found = list(walk(*arguments, **options))  # type: ignore[arg-type]
        (folder / "empty").unlink()
        return found

    monkeypatch.setattr("backup.media.os.walk", vanish)
    stream, written = packed(folder)

    assert written.notes == ["empty: deleted meanwhile"]
    assert written.files == media.read(io.BytesIO(stream)).files == 1


def test_a_file_that_shrinks_meanwhile_is_noted_and_the_stream_stays_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fstat = os.fstat

    def longer(descriptor: int) -> os.stat_result:
        state = list(fstat(descriptor))
        state[6] += 10
        return os.stat_result(state)

    monkeypatch.setattr("backup.media.os.fstat", longer)
    stream, written = packed(folder)

    assert "empty: shrank while it was read" in written.notes
    assert media.read(io.BytesIO(stream)).checksum == written.checksum


def test_links_and_pipes_are_left_out_and_noted(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    stream, written = packed(folder)

    assert sorted(written.notes) == ["link: a link, skipped", "pipe: not a regular file, skipped"]
    assert b"root:" not in stream


def test_what_a_restore_keeps_beside_is_no_part_of_a_backup(folder: Path) -> None:
    before = packed(folder)[1]
    (folder / ".todo-restore-before").mkdir()
    (folder / ".todo-restore-before/old").write_text("old")
    (folder / ".todo-restore-note.json").write_text("{}")

    assert packed(folder)[1] == before


@pytest.mark.parametrize(
    "entry",
    ["../escaped", "/tmp/absolute", "a/../../escaped", ".todo-restore-note.json", "a//b", "./a", ".."],  # noqa: S108 - of a hostile archive
)
def test_a_stream_that_would_leave_the_folder_is_refused(tmp_path: Path, entry: str) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(entry), io.BytesIO())

    with pytest.raises(Failure, match="which is not a regular file"):
        media.read(io.BytesIO(stream.getvalue()), tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_a_stream_with_anything_but_files_is_refused(tmp_path: Path, kind: bytes) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("innocent")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)

    with pytest.raises(Failure, match="which is not a regular file"):
        media.read(io.BytesIO(stream.getvalue()), tmp_path / "target")


def test_a_stream_that_ends_too_early_is_damaged(folder: Path, tmp_path: Path) -> None:
    stream, written = packed(folder)
    for end in (600, len(stream) // 2):
        assert checksum_of(stream[:end], tmp_path / f"target-{end}") != written.checksum


def checksum_of(stream: bytes, target: Path) -> str | None:
    try:
        return media.read(io.BytesIO(stream), target).checksum
    except Failure:
        return None
