"""The backup volume: its lock, temporary folders, which backups were verified, and where a backup is found."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import repository
from .environment import Settings
from .failures import Failure, of_system
from .report import log
from .repository import Repository, Snapshot

_TEMPORARY = ".making-"
IMPORTED = "imported"  # the repository that came as a file


class Store:
    """The volume, and the repositories that can be reached from it."""

    def __init__(self, settings: Settings, password: str | None = None) -> None:
        self.settings = settings
        self.root = settings.root
        self.local = repository.local(settings)
        self.remote = repository.remote(settings)
        self.imported = Repository(str(self.root / IMPORTED), password or settings.password)

    @contextmanager
    def locked(self, *, wait: float = 3600) -> Iterator[None]:
        """Hold the lock, and remove what an interrupted process left."""
        try:
            descriptor = os.open(str(self.root / ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise of_system(error) from None
        try:
            _flock(descriptor, wait)
            for path in self.root.glob(f"{_TEMPORARY}*"):
                log("leftover_removed", level="warning", leftover=path.name)
                shutil.rmtree(path, ignore_errors=True)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def temporary(self, kind: str) -> Iterator[Path]:
        """Yield a new folder that is removed at the end."""
        folder = self.root / f"{_TEMPORARY}{kind}"
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def find(self, name: str) -> Snapshot:
        """Return a backup: what was imported, then the volume, then the other repository.

        `latest` is the newest one. The other repository is asked only for what the volume does not have.
        """
        places = [self.imported] if name == IMPORTED else [self.local, *([self.remote] if self.remote else [])]
        known: list[str] = []
        for place in places:
            found = place.backups()
            known += [each.name for each in found]
            wanted = found[-1].name if found and name in ("latest", IMPORTED) else name
            for each in found:
                if each.name == wanted:
                    return each
        raise Failure(
            f"there is no backup {name!r}",
            f"choose one of the last ones ({', '.join(known[-5:]) or 'none'}), or see backup ENV --list",
        )

    def listing(self) -> dict[str, Any]:
        """Return all backups, oldest first, and what kept a place from being read."""
        old = [path.parent.name for path in self.root.glob("2*Z*/manifest.json")]
        new: dict[str, Any]
        found: dict[str, dict[str, Any]] = {
            name: {"name": name, "bytes": None, "added_bytes": None, "places": ["volume, format 1"]} for name in old
        }
        notes = []
        places = {"volume": self.local, **({"remote": self.remote} if self.remote else {})}
        for place, kept in places.items():
            try:
                for each in kept.backups():
                    new = {"name": each.name, "bytes": each.bytes, "added_bytes": each.added, "places": []}
                    found.setdefault(each.name, new)["places"].append(place)
            except Failure as failure:
                notes.append(f"{place}: {failure.cause}")
        listed = [{**found[name], "verified_at": self.verified(name)} for name in sorted(found)]
        return {"backups": listed, "notes": notes}

    def verified(self, name: str) -> str | None:
        """Return when a backup was last verified, or None."""
        try:
            return str(json.loads(self._mark(name).read_text(encoding="utf-8"))["verified_at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def mark_verified(self, name: str, result: dict[str, Any]) -> None:
        """Record the result of a verification."""
        self._mark(name).parent.mkdir(exist_ok=True)
        self._mark(name).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")

    def unmark(self, name: str) -> None:
        """Remove the record of a verification, because the backup is damaged."""
        self._mark(name).unlink(missing_ok=True)

    def _mark(self, name: str) -> Path:
        return self.root / "verified" / f"{name}.json"


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
