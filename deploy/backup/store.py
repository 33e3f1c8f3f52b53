"""The backup volume: its lock, temporary folders, which backups were verified, and where a backup is found."""

import fcntl
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .environment import Settings
from .failures import Failure
from .report import log
from .repository import Repository, Snapshot

_TEMPORARY = ".making-"
IMPORTED = "imported"  # the repository that came as a file


class Store:
    """The volume, and the repositories that can be reached from it."""

    def __init__(self, settings: Settings, password: str | None = None) -> None:
        self.settings = settings
        self.root = settings.root
        self.local = Repository(str(self.root / "repository"), settings.password)
        self.imported = Repository(str(self.root / IMPORTED), password or settings.password)
        self.places = {"volume": self.local}
        if settings.remote:
            remote = Repository(settings.remote, settings.password, settings.keys, self.root / ".cache")
            self.places["remote"] = remote

    @contextmanager
    def locked(self, *, wait: int = 3600) -> Iterator[None]:
        """Hold the lock, and remove what an interrupted process left."""
        with open(self.root / ".lock", "w", encoding="utf-8") as file:
            _flock(file, wait)
            for path in self.root.glob(f"{_TEMPORARY}*"):
                log("leftover_removed", level="warning", leftover=path.name)
                shutil.rmtree(path, ignore_errors=True)
            yield

    @contextmanager
    def temporary(self, kind: str) -> Iterator[Path]:
        """Yield a new folder that is removed at the end."""
        folder = self.root / f"{_TEMPORARY}{kind}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def old(self) -> list[str]:
        """Return the names of the backups of format 1 on the volume."""
        return [path.parent.name for path in self.root.glob("2*Z*/manifest.json")]

    def find(self, name: str) -> Snapshot:
        """Return a backup: what was imported, then the volume, then the other repository.

        `latest` is the newest one. The other repository is asked only for what the volume does not have.
        """
        known: dict[str, Snapshot] = {}
        for place in [self.imported] if name == IMPORTED else self.places.values():
            known |= {each.name: each for each in place.backups()}
            wanted = max(known, default="") if name in ("latest", IMPORTED) else name
            if wanted in known:
                return known[wanted]
        raise Failure(
            f"there is no backup {name!r}",
            f"choose one of the last ones ({', '.join(sorted(known)[-5:]) or 'none'}), or see backup ENV --list",
        )

    def listing(self) -> dict[str, Any]:
        """Return all backups, oldest first, and what kept a place from being read."""
        old: dict[str, Any] = {"bytes": None, "added_bytes": None, "places": ["volume, format 1"]}
        found: dict[str, dict[str, Any]] = {name: {"name": name, **old} for name in self.old()}
        notes = []
        for place, repository in self.places.items():
            try:
                for each in repository.backups():
                    sizes = {"bytes": each.bytes, "added_bytes": each.added}
                    found.setdefault(each.name, {"name": each.name, **sizes, "places": []})["places"].append(place)
            except Failure as failure:
                notes.append(f"{place}: {failure.cause}")
        backups = [{**found[name], "verified_at": self.verified(name)} for name in sorted(found)]
        return {"backups": backups, "notes": notes}

    def verified(self, name: str) -> str | None:
        """Return when a backup was last verified, or None."""
        mark = self._mark(name)
        return str(json.loads(mark.read_text(encoding="utf-8"))["verified_at"]) if mark.exists() else None

    def mark_verified(self, name: str, result: dict[str, Any]) -> None:
        """Record the result of a verification."""
        self._mark(name).parent.mkdir(exist_ok=True)
        self._mark(name).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")

    def unmark(self, name: str) -> None:
        """Remove the record of a verification."""
        self._mark(name).unlink(missing_ok=True)

    def _mark(self, name: str) -> Path:
        return self.root / "verified" / f"{name}.json"


def _flock(file: IO[str], wait: int) -> None:
    deadline = time.monotonic() + wait
    while True:
        with suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if time.monotonic() >= deadline:
            raise Failure(
                f"another backup, verification or restore has been running for more than {wait} s",
                "wait for it, or see what it does: make logs ENV=prod SERVICE=backup",
            )
        time.sleep(0.5)
