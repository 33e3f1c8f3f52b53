"""Replace the data in use with a backup, so that a crash at any point loses neither.

The new database and media are prepared beside the old ones. Then one transaction swaps the names of the databases;
its commit is the point of no return. Before it, a note in the media folder records the plan, so that `settle` can
finish the swap of the media, or undo the preparation, if the process was killed. The old database and media are
kept under other names until they are dropped.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from . import database, manifest, verification
from .failures import Failure
from .report import log, now
from .store import Store

PREPARED = "todo_db_restoring"
BEFORE = "todo_db_before_"
RESTORE_PREFIX = ".todo-restore-"  # of what a restore prepares and keeps in the media folder; never in a backup
_NEW = f"{RESTORE_PREFIX}new"
_NOTE = f"{RESTORE_PREFIX}note.json"
_MAINTENANCE = "postgres"


class Target:
    """The database and the media folder that a restore replaces."""

    def __init__(self, store: Store, server: database.Server) -> None:
        self._store = store
        self._media = store.settings.media
        self._server = server

    def state(self) -> dict[str, Any]:
        """Return the connected clients, the data that would be replaced, and what earlier restores kept."""
        with self._server.connected() as connection:
            clients = database.clients(connection, self._server.name)
            data = database.user_rows(database.count_rows(connection))
            kept = database.databases(connection, BEFORE)
        files = [each for each in self._media.iterdir() if not each.name.startswith(RESTORE_PREFIX)]
        return {"connected": clients, "rows": data, "media": len(files), "kept": kept, "unfinished": self._note()}

    def prepare(self, name: str) -> dict[str, Any]:
        """Restore a backup beside the data in use, and compare it with its manifest."""
        kept = self._store.find(name)
        made = manifest.parse(kept.read(manifest.FILE))
        with self._server.connected() as connection:
            database.drop(connection, PREPARED)
            database.create(connection, PREPARED)
        verification.load(self._server, PREPARED, kept, made)
        shutil.rmtree(self._media / _NEW, ignore_errors=True)
        kept.restore(kept.other, self._media / _NEW)
        for before in kept.place.backups():
            if before.name == made.get("also"):  # it has the files that were deleted after the moment
                before.restore(before.other, self._media / _NEW, "--overwrite", "never")
        log("prepared", name=kept.name)
        return {"prepared": kept.name}

    def swap(self) -> dict[str, Any]:
        """Swap the data in use with the prepared data."""
        if not (self._media / _NEW).is_dir():
            raise Failure("no restored data is prepared", "run the whole restore again")
        return self._swap(PREPARED, _NEW)

    def undo(self) -> dict[str, Any]:
        """Swap the data in use with the data that the last restore replaced."""
        with self._server.connected() as connection:
            kept = database.databases(connection, BEFORE)
        if not kept:
            raise Failure("there is nothing to undo: no replaced database is kept", "restore a backup instead")
        return self._swap(kept[-1], f"{RESTORE_PREFIX}{kept[-1]}")

    def settle(self) -> dict[str, Any]:
        """Finish a killed restore that had swapped the databases, or undo one that had not.

        Return which, and the replaced databases that are kept.
        """
        note = self._note()
        with self._server.connected(_MAINTENANCE) as connection:
            replaced = database.databases(connection, BEFORE)
            is_decided = note is not None and note["before"] in replaced
            if not is_decided:
                database.drop(connection, PREPARED)
        if note and is_decided:
            self._swap_media(note)
            log("settled", outcome="finished", **note)
            return {"outcome": "finished", "kept": note["before"], "replaced": replaced}
        shutil.rmtree(self._media / _NEW, ignore_errors=True)
        self._forget()
        return {"outcome": "undone" if note else "nothing", "replaced": replaced}

    def drop_old(self) -> dict[str, Any]:
        """Remove every database and media folder that restores have kept."""
        with self._server.connected() as connection:
            kept = database.databases(connection, BEFORE)
            for name in kept:
                database.drop(connection, name)
        folders = [each for each in self._media.iterdir() if each.name.startswith(f"{RESTORE_PREFIX}{BEFORE}")]
        for folder in folders:
            shutil.rmtree(folder)
        log("dropped", databases=kept)
        return {"dropped": kept}

    def _swap(self, new: str, folder: str) -> dict[str, Any]:
        before = f"{BEFORE}{now():%Y%m%dt%H%M%Sz}"
        old = [each.name for each in self._media.iterdir() if not each.name.startswith(RESTORE_PREFIX)]
        note = {"before": before, "folder": folder, "old": sorted(old)}
        with self._server.connected(_MAINTENANCE) as connection:
            clients = database.clients(connection, self._server.name)
            if clients:
                raise Failure(
                    f"others are connected to the database: {'; '.join(clients)}",
                    "close these connections, then run the command again",
                )
            self._write(note)
            with connection.transaction():
                database.rename(connection, self._server.name, before)
                database.rename(connection, new, self._server.name)
        self._swap_media(note)
        log("swapped", kept=before)
        return {"kept": before}

    def _swap_media(self, note: dict[str, Any]) -> None:
        """Swap the media. Each move is atomic and skipped if done, so this can be repeated at any point."""
        kept, new = self._media / f"{RESTORE_PREFIX}{note['before']}", self._media / note["folder"]
        kept.mkdir(exist_ok=True)
        for name in note["old"]:
            if os.path.lexists(self._media / name) and not os.path.lexists(kept / name):
                (self._media / name).rename(kept / name)
        for path in sorted(new.iterdir()) if new.is_dir() else []:
            path.rename(self._media / path.name)
        shutil.rmtree(new, ignore_errors=True)
        self._forget()

    def _note(self) -> dict[str, Any] | None:
        try:
            note = json.loads((self._media / _NOTE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return dict(note)

    def _write(self, note: dict[str, Any]) -> None:
        draft = self._media / f"{_NOTE}.tmp"
        with open(draft, "w", encoding="utf-8") as target:
            json.dump(note, target)
            target.flush()
            os.fsync(target.fileno())
        draft.replace(self._media / _NOTE)
        _sync_folder(self._media)

    def _forget(self) -> None:
        _sync_folder(self._media)
        (self._media / _NOTE).unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(str(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
