"""The backup volume: its lock, temporary folders, which backups were verified, and where a backup is found."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import legacy
from .environment import Settings
from .report import Failure, log
from .repository import Repository, Snapshot

_TEMPORARY = ".making-"
IMPORTED = "imported"  # the repository that came as a file


class Store:
    """The volume, and the repositories that can be reached from it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.root
        self.local = Repository(str(self.root / "repository"), settings.password)
        # a file may come with the password of another environment, or an old one with a secret key
        given = settings.identity
        password = given if given and not legacy.is_key(given) else settings.password
        self.imported = Repository(str(self.root / IMPORTED), password)
        self.places = {"volume": self.local}
        if settings.remote:
            elsewhere = {**settings.keys, "RESTIC_CACHE_DIR": f"{self.root}/.cache"}
            self.places["remote"] = Repository(settings.remote, settings.password, elsewhere)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait for the lock, hold it, and remove what an interrupted process left."""
        with open(self.root / ".lock", "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
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
        found: dict[str, dict[str, Any]] = {}
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
        proof = self.proof(name)
        return str(json.loads(proof.read_text(encoding="utf-8"))["verified_at"]) if proof.exists() else None

    def proof(self, name: str) -> Path:
        """Return the file with the result of a backup's last verification; a failed one removes it."""
        folder = self.root / "verified"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.json"

    def forget_imported(self) -> None:
        """Remove the imported backup."""
        shutil.rmtree(self.root / IMPORTED, ignore_errors=True)
