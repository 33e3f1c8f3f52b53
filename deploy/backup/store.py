"""Keep backups in a folder: complete ones under their names, everything else under names with a leading dot.

A lock lets one process at a time work here. So whatever has a leading dot when the lock is taken is left over from
an interrupted process.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import manifest
from .failures import Failure, of_system
from .manifest import Manifest
from .report import log

PARTIAL = ".partial-"
SCRATCH = ".scratch-"
_BLOCK = 1 << 20


class Store:
    """The backups on a volume."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def locked(self, *, wait: float = 3600) -> Iterator[None]:
        """Hold the lock, and remove what an interrupted process left."""
        try:
            descriptor = os.open(str(self.root / ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise of_system(error) from None
        try:
            _flock(descriptor, wait)
            self._sweep()
            yield
        finally:
            os.close(descriptor)

    def _sweep(self) -> None:
        for path in self.root.iterdir():
            if path.name.startswith((PARTIAL, SCRATCH)):
                log("leftover_removed", level="warning", leftover=path.name)
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def partial(self, name: str) -> Iterator[Path]:
        """Yield a folder to write a backup into; rename it once all is on the disk, or remove it on an error."""
        folder = self.root / f"{PARTIAL}{name}"
        try:
            folder.mkdir(mode=0o700)
            yield folder
            for path in folder.iterdir():
                _sync(path)
            _sync(folder)
            folder.rename(self.root / name)
            _sync(self.root)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @contextmanager
    def scratch(self, kind: str) -> Iterator[Path]:
        """Yield a temporary folder."""
        folder = self.root / f"{SCRATCH}{kind}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def names(self) -> list[str]:
        """Return the names of all complete backups, oldest first."""
        return sorted(
            path.name
            for path in self.root.iterdir()
            if manifest.NAME.fullmatch(path.name) and (path / manifest.FILE).is_file()
        )

    def resolve(self, name: str) -> Path:
        """Return the folder of a backup; `latest` is the newest one."""
        names = self.names()
        if name == "latest" and names:
            return self.root / names[-1]
        if name not in names:
            known = ", ".join(names[-5:]) or "none"
            raise Failure(
                f"there is no backup {name!r}",
                f"choose one of the last ones ({known}), or see deploy/backup/backup ENV --list",
            )
        return self.root / name

    def manifest(self, name: str) -> Manifest:
        """Return the manifest of a backup."""
        folder = self.resolve(name)
        return manifest.load(folder, folder.name)

    def verified(self, name: str) -> str | None:
        """Return when a backup was last verified, or None."""
        try:
            record = json.loads((self.root / name / manifest.VERIFIED).read_text(encoding="utf-8"))
            return str(record["verified_at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def mark_verified(self, name: str, result: dict[str, Any]) -> None:
        """Record the result of a verification beside the backup."""
        target = self.root / name / manifest.VERIFIED
        draft = target.with_suffix(".tmp")
        draft.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        _sync(draft)
        draft.replace(target)

    def unmark(self, name: str) -> None:
        """Remove the record of a verification, because the backup is damaged."""
        (self.root / name / manifest.VERIFIED).unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a backup. It is renamed first, so an interruption leaves no half backup."""
        removed = self.root / f"{PARTIAL}removed-{name}"
        (self.root / name).rename(removed)
        shutil.rmtree(removed)


def checksum(path: Path) -> manifest.Part:
    """Return the size and the SHA-256 of a file, read back from the disk."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as source:
        while block := source.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return manifest.Part(size, digest.hexdigest())


def _flock(descriptor: int, wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Failure(
                    f"another backup, verification or restore has been running for more than {wait:g} s",
                    "wait for it, or see what it does: make logs ENV=prod SERVICE=backup",
                ) from None
            time.sleep(0.5)
        else:
            return


def _sync(path: Path) -> None:
    descriptor = os.open(str(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
