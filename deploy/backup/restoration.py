"""Replace the data in use with a backup, so that a crash at any point loses neither.

The new database and media are prepared beside the old ones. Then one transaction swaps the names of the databases;
its commit is the point of no return. Before it, a note in the media folder records the plan, so that `settle` can
finish the swap of the media, or undo the preparation, if the process was killed. The old database and media are
kept under other names until they are dropped.
"""

import json
import os
import shutil
from dataclasses import replace
from typing import Any

from . import database, verification
from .database import MAINTENANCE
from .report import Failure, now
from .store import Store

PREPARED = "todo_db_restoring"
BEFORE = "todo_db_before_"
_OURS = ".todo-restore-"  # of what a restore prepares and keeps in the media folder; never in a backup


class Target:
    """The database and the media folder that a restore replaces."""

    def __init__(self, store: Store, server: database.Server) -> None:
        self._store = store
        self._server = server
        self._media = store.settings.media
        self._new = self._media / f"{_OURS}new"
        self._note = self._media / f"{_OURS}note.json"

    def state(self) -> dict[str, Any]:
        """Return the connected clients, and the data that would be replaced."""
        with self._server.connected() as connection:
            clients = database.clients(connection, self._server.name)
            accounts = database.contents(connection)["tables"].get("accounts_user", 0)
        rows = {"accounts_user": accounts} if accounts else {}  # all other data belongs to an account
        return {"connected": clients, "rows": rows, "media": len(self._in_use())}

    def prepare(self, name: str) -> dict[str, Any]:
        """Restore a backup beside the data in use, and compare it with its manifest. `settle` comes before."""
        kept = self._store.find(name)
        made = kept.manifest()
        database.create(self._server, PREPARED)
        verification.load(self._store, replace(self._server, name=PREPARED), kept, made)
        kept.restore(kept.other, self._new)
        for before in kept.place.backups():
            if before.name == made.get("also"):  # it has the files that were deleted after the moment
                before.restore(before.other, self._new, "--overwrite", "never")
        return {"prepared": kept.name}

    def swap(self) -> dict[str, Any]:
        """Swap the data in use with the prepared data."""
        if not self._new.is_dir():  # the media would go, and none would come
            raise Failure("no restored data is prepared", "run the whole restore again")
        return self._swap(PREPARED, self._new.name)

    def undo(self) -> dict[str, Any]:
        """Swap the data in use with the data that the last restore replaced."""
        last = self._replaced()[-1]
        return self._swap(last, f"{_OURS}{last}")

    def settle(self) -> dict[str, Any]:
        """Finish a killed restore that had swapped the databases, or undo one that had not.

        Return which, and the replaced databases that are kept.
        """
        note = json.loads(self._note.read_text(encoding="utf-8")) if self._note.exists() else None
        replaced = self._replaced()
        if note and note["before"] in replaced:
            self._swap_media(note)
            return {"outcome": "finished", "kept": note["before"], "replaced": replaced}
        database.drop(self._server, PREPARED)
        shutil.rmtree(self._new, ignore_errors=True)
        self._note.unlink(missing_ok=True)
        return {"outcome": "undone" if note else "nothing", "replaced": replaced}

    def drop_old(self) -> dict[str, Any]:
        """Remove every database and media folder that restores have kept."""
        kept = self._replaced()
        for name in kept:
            database.drop(self._server, name)
        for folder in self._media.glob(f"{_OURS}{BEFORE}*"):
            shutil.rmtree(folder)
        return {"dropped": kept}

    def _replaced(self) -> list[str]:
        with self._server.connected(MAINTENANCE) as connection:
            query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY datname"
            return [name for (name,) in connection.execute(query, [BEFORE])]

    def _in_use(self) -> list[str]:
        """Return the names in the media folder that are not ours."""
        return sorted(name for name in os.listdir(self._media) if not name.startswith(_OURS))

    def _swap(self, new: str, folder: str) -> dict[str, Any]:
        before = f"{BEFORE}{now():%Y%m%dt%H%M%Sz}"
        note = {"before": before, "folder": folder, "old": self._in_use()}
        with self._server.connected(MAINTENANCE) as connection:
            clients = database.clients(connection, self._server.name)
            if clients:
                cause = f"others are connected to the database: {'; '.join(clients)}"
                raise Failure(cause, "close these connections, then run the command again")
            draft = self._note.with_suffix(".tmp")
            draft.write_text(json.dumps(note), encoding="utf-8")
            draft.replace(self._note)
            os.sync()
            with connection.transaction():
                database.rename(connection, self._server.name, before)
                database.rename(connection, new, self._server.name)
        self._swap_media(note)
        self._store.forget_imported()
        return {"kept": before}

    def _swap_media(self, note: dict[str, Any]) -> None:
        """Swap the media. Each move is atomic and skipped if done, so this can be repeated at any point."""
        kept, new = self._media / f"{_OURS}{note['before']}", self._media / note["folder"]
        kept.mkdir(exist_ok=True)
        for name in note["old"]:
            if os.path.lexists(self._media / name) and not os.path.lexists(kept / name):
                (self._media / name).rename(kept / name)
        for path in sorted(new.iterdir()) if new.is_dir() else []:
            path.rename(self._media / path.name)
        shutil.rmtree(new, ignore_errors=True)
        os.sync()
        self._note.unlink()
