"""What follows a daily backup, and copying to the repository elsewhere."""

from __future__ import annotations

import shutil
from typing import Any

from . import archive, manifest
from .database import Server
from .environment import Keep
from .failures import Failure
from .report import log, now
from .repository import DAMAGED, Repository
from .store import Store

_PARTS = 7  # the days in which all of the repository is read


def after_backup(store: Store, server: Server) -> None:
    """Read a part of the repository, copy the server's files, and remove what is past its retention."""
    keep = store.settings.keep
    try:
        store.local.run("check", "--no-lock", f"--read-data-subset={now().toordinal() % _PARTS + 1}/{_PARTS}")
    except Failure as failure:
        raise Failure(f"the repository is damaged: {failure.cause}", DAMAGED) from None
    archive.copy_server(store, server)
    _forget(store.local, keep)
    archive.remove_lines(store, server)
    _remove_old_format(store)


def _forget(place: Repository, keep: Keep) -> None:
    forget = ("forget", "--retry-lock", "5m", "--group-by", "")
    days = ("--keep-daily", str(keep.daily), "--keep-weekly", str(keep.weekly), "--keep-monthly", str(keep.monthly))
    names = [word for each in place.backups() for word in ("--tag", each.name)]
    if names:
        place.run(*forget, *days, "--keep-within", "24h", *names)
        place.run(*forget, "--tag", "base", "--keep-within", f"{keep.daily + 1}d", "--keep-last", "2")
        place.run("prune", "--retry-lock", "5m")


def _remove_old_format(store: Store) -> None:
    """Remove backups of format 1 that a monthly backup would not outlive."""
    for path in store.root.glob("2*Z*/manifest.json"):
        name = path.parent.name
        if (
            manifest.NAME.fullmatch(name)
            and (now() - manifest.moment_of(name)).days > 31 * store.settings.keep.monthly
        ):
            log("removed", name=name)
            shutil.rmtree(path.parent)


def ship(store: Store, server: Server) -> dict[str, Any]:
    """Copy to the other repository what it lacks: backups, copies of the server's files, and the log."""
    if store.remote is None:
        return {"copied": 0}
    there = {each.tags.get("at") or each.name for each in store.remote.snapshots()}
    missing = [each for each in store.local.snapshots() if (each.tags.get("at") or each.name) not in there]
    if missing:
        store.local.copy_to(store.remote, *(each.id for each in missing))
    line = archive.current(store, server)
    if line is not None:
        wal = store.root / "wal" / line
        store.remote.backup([wal], ["wal", f"line={line}"], host=store.settings.environment)
        store.remote.run("forget", "--group-by", "", "--tag", "wal", "--keep-last", "1")
    if any("base" in each.tags for each in missing):
        _forget(store.remote, store.settings.keep)
    log("copied", snapshots=len(missing))
    return {"copied": len(missing)}
