"""Write the media folder to a tar stream and read it back, with one checksum over names and contents."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .failures import Failure
from .manifest import Media

# Prefix of the folders in which a restore keeps and prepares media. Never part of a backup.
RESTORE_PREFIX = ".todo-restore-"
_NOTES_MAX = 50


class Tally:
    """Count files and compute the checksum over their names and contents."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self._lines: list[tuple[bytes, bytes]] = []

    def add(self, name: str, size: int, digest: bytes) -> None:
        """Add a file."""
        self.files += 1
        self.bytes += size
        self._lines.append((os.fsencode(name), digest))

    def media(self, notes: list[str]) -> Media:
        """Return the totals."""
        whole = hashlib.sha256()
        for name, digest in sorted(self._lines):
            whole.update(b"%s\0%s" % (name, digest))  # no name holds a NUL
        return Media(self.files, self.bytes, whole.hexdigest(), notes)


class _Reader:
    """Read a file at exactly its announced size: cut off if it grew, padded with zeros if it shrank."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source = source
        self._left = size
        self.digest = hashlib.sha256()
        self.has_shrunk = False

    def read(self, wanted: int) -> bytes:
        """Return exactly as many bytes as asked for."""
        wanted = min(wanted, self._left)
        block = self._source.read(wanted)
        if len(block) < wanted:
            self.has_shrunk = True
            block += bytes(wanted - len(block))
        self._left -= wanted
        self.digest.update(block)
        return block


def write(folder: Path, sink: IO[bytes]) -> Media:
    """Write all files of a folder to a stream; skip and note files that disappear meanwhile."""
    tally = Tally()
    notes: list[str] = []
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for name in _walk(folder, notes):
            note = _add(archive, folder, name, tally)
            if note:
                notes.append(note)
    if len(notes) > _NOTES_MAX:
        notes = [*notes[:_NOTES_MAX], f"and {len(notes) - _NOTES_MAX} more"]
    return tally.media(notes)


def _walk(folder: Path, notes: list[str]) -> Iterator[str]:
    """Yield the names of all files, relative to the folder and sorted."""

    def complain(error: OSError) -> None:
        notes.append(f"{_shown(str(error.filename))}: {error.strerror}")

    for path, folders, files in os.walk(folder, onerror=complain):
        if path == str(folder):
            folders[:] = [each for each in folders if not each.startswith(RESTORE_PREFIX)]
        folders.sort()
        for name in sorted(files):
            if path == str(folder) and name.startswith(RESTORE_PREFIX):
                continue
            yield os.path.relpath(os.path.join(path, name), folder)


def _add(archive: tarfile.TarFile, folder: Path, name: str, tally: Tally) -> str | None:
    """Add a file; return a note if something was odd about it."""
    try:
        # follow no link out of the folder, and wait for no pipe
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return f"{_shown(name)}: deleted meanwhile"
    except OSError as error:
        what = "a link, skipped" if error.errno == errno.ELOOP else error.strerror
        return f"{_shown(name)}: {what}"
    with open(descriptor, "rb") as source:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            return f"{_shown(name)}: not a regular file, skipped"
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = state.st_size, 0o644, int(state.st_mtime)
        reader = _Reader(source, state.st_size)
        archive.addfile(entry, reader)  # type: ignore[arg-type]  # tarfile only calls read()
    tally.add(name, state.st_size, reader.digest.digest())
    return f"{_shown(name)}: shrank while it was read" if reader.has_shrunk else None


def read(source: IO[bytes], target: Path | None = None) -> Media:
    """Read a stream; with a target, write its files there. Raise Failure for a path outside the target."""
    tally = Tally()
    try:
        with tarfile.open(fileobj=source, mode="r|", errors="surrogateescape") as archive:
            for entry in archive:
                content = _content(archive, entry)
                size, digest = _copy(content, target / entry.name if target else None)
                tally.add(entry.name, size, digest)
    except tarfile.TarError as error:
        raise Failure(f"the media archive cannot be read: {error}", _DAMAGED) from None
    return tally.media([])


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(entry) if entry.isreg() and _is_inside(entry.name) else None
    if content is None:
        raise Failure(
            f"the media archive contains {_shown(entry.name)}, which is not a regular file with a safe path",
            _DAMAGED,
        )
    return content


_DAMAGED = "this backup is damaged; use another one"


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    return not name.startswith("/") and not {"", ".", ".."} & set(parts) and not parts[0].startswith(RESTORE_PREFIX)


def _copy(content: IO[bytes], path: Path | None) -> tuple[int, bytes]:
    digest, size = hashlib.sha256(), 0
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
    with open(path or os.devnull, "xb" if path else "wb") as target:
        while block := content.read(1 << 16):
            digest.update(block)
            size += target.write(block)
    return size, digest.digest()


def _shown(name: str) -> str:
    """Return a name as one line of ASCII, shortened."""
    return ascii(name)[1:-1][:200]
