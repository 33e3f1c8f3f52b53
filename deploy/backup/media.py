"""This will put the media folder into a tar stream and back, with one checksum over all names and contents."""

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

# Our own folders inside the media folder: what a restore keeps and prepares. Never part of a backup.
OWN = ".todo-restore-"
_NOTES_MAX = 50


class Tally:
    """Counts files and digests their names and contents, in the order in which they pass."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self._lines: list[tuple[bytes, bytes]] = []

    def add(self, name: str, size: int, digest: bytes) -> None:
        """Note one file."""
        self.files += 1
        self.bytes += size
        self._lines.append((os.fsencode(name), digest))

    def media(self, notes: list[str]) -> Media:
        """Return what was counted."""
        whole = hashlib.sha256()
        for name, digest in sorted(self._lines):
            whole.update(b"%s\0%s" % (name, digest))  # no name holds a NUL
        return Media(self.files, self.bytes, whole.hexdigest(), notes)


class _Reader:
    """A file as it was when its size was taken: never longer, and filled with zeros when it has shrunk."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source = source
        self._left = size
        self.digest = hashlib.sha256()
        self.has_shrunk = False

    def read(self, wanted: int) -> bytes:
        """Return exactly what tarfile asks for."""
        wanted = min(wanted, self._left)
        block = self._source.read(wanted)
        if len(block) < wanted:
            self.has_shrunk = True
            block += bytes(wanted - len(block))
        self._left -= wanted
        self.digest.update(block)
        return block


def write(folder: Path, sink: IO[bytes]) -> Media:
    """Write all files of a folder into a stream; files that go meanwhile are noted and left out."""
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
    """Give the names of all files, relative to the folder, in one order."""

    def complain(error: OSError) -> None:
        notes.append(f"{_shown(str(error.filename))}: {error.strerror}")

    for path, folders, files in os.walk(folder, onerror=complain):
        if path == str(folder):
            folders[:] = [each for each in folders if not each.startswith(OWN)]
        folders.sort()
        for name in sorted(files):
            if path == str(folder) and name.startswith(OWN):
                continue
            yield os.path.relpath(os.path.join(path, name), folder)


def _add(archive: tarfile.TarFile, folder: Path, name: str, tally: Tally) -> str | None:
    """Add one file; return what is to be noted about it."""
    try:
        # neither a link that leads out of the folder nor a pipe that nobody writes to
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return f"{_shown(name)}: deleted meanwhile"
    except OSError as error:
        what = "a link, left out" if error.errno == errno.ELOOP else error.strerror
        return f"{_shown(name)}: {what}"
    with open(descriptor, "rb") as source:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            return f"{_shown(name)}: not a file"
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = state.st_size, 0o644, int(state.st_mtime)
        reader = _Reader(source, state.st_size)
        archive.addfile(entry, reader)  # type: ignore[arg-type]  # read() is all that it uses
    tally.add(name, state.st_size, reader.digest.digest())
    return f"{_shown(name)}: became shorter while it was read" if reader.has_shrunk else None


def read(source: IO[bytes], target: Path | None = None) -> Media:
    """Read a stream; with a target, write its files there. Whatever would leave the target is refused."""
    tally = Tally()
    try:
        with tarfile.open(fileobj=source, mode="r|", errors="surrogateescape") as archive:
            for entry in archive:
                content = _content(archive, entry)
                size, digest = _copy(content, target / entry.name if target else None)
                tally.add(entry.name, size, digest)
    except tarfile.TarError as error:
        raise Failure(f"the media cannot be read: {error}", _DAMAGED) from None
    return tally.media([])


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(entry) if entry.isreg() and _is_inside(entry.name) else None
    if content is None:
        raise Failure(f"the media hold {_shown(entry.name)}, which is no plain file", _DAMAGED)
    return content


_DAMAGED = "this backup is damaged; take another"


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    return not name.startswith("/") and not {"", ".", ".."} & set(parts) and not parts[0].startswith(OWN)


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
    """Return a name on one line, whatever it holds."""
    return ascii(name)[1:-1][:200]
