"""This will keep backups in a folder: whole ones under their names, everything else under a dot.

One process at a time works here (a lock that ends with its process), so whatever lies under a dot when the lock
was just taken was left by somebody who was interrupted.
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
        """Work alone in here, and sweep up what an interrupted predecessor left."""
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
        """Give a folder to write a backup into; it gets its name when all of it is on the disk, or it goes."""
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
        """Give a folder for things that nobody misses."""
        folder = self.root / f"{SCRATCH}{kind}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def names(self) -> list[str]:
        """Return the names of all whole backups, the oldest first."""
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
            raise Failure(f"there is no backup {name!r} here", f"the last ones are: {known}")
        return self.root / name

    def manifest(self, name: str) -> Manifest:
        """Return the manifest of a backup."""
        folder = self.resolve(name)
        return manifest.load(folder, folder.name)

    def verified(self, name: str) -> str | None:
        """Return when a backup was last proved to be good, if ever."""
        try:
            facts = json.loads((self.root / name / manifest.VERIFIED).read_text(encoding="utf-8"))
            return str(facts["verified_at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def mark_verified(self, name: str, facts: dict[str, Any]) -> None:
        """Note beside a backup what was proved about it."""
        target = self.root / name / manifest.VERIFIED
        draft = target.with_suffix(".tmp")
        draft.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        _sync(draft)
        draft.replace(target)

    def unmark(self, name: str) -> None:
        """Forget that a backup was good, because it no longer is."""
        (self.root / name / manifest.VERIFIED).unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a backup; it stops being one before the first of its files goes."""
        doomed = self.root / f"{PARTIAL}removed-{name}"
        (self.root / name).rename(doomed)
        shutil.rmtree(doomed)


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
                    "wait for it, or see what it does: docker compose --env-file envs/….env logs backup",
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
