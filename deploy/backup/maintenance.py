"""What follows a daily backup, and copying to the repository elsewhere."""

import shutil
from typing import Any

from . import archive, manifest
from .database import Server
from .environment import Settings
from .report import log, now
from .repository import DAMAGED, Repository
from .store import Store

_PARTS = 7  # the days in which all of the repository is read


def after_backup(store: Store, server: Server) -> None:
    """Read a part of the repository, copy the server's files, and remove what is past its retention."""
    part = f"--read-data-subset={now().toordinal() % _PARTS + 1}/{_PARTS}"
    store.local.run("check", "--no-lock", part, hint=DAMAGED)
    archive.copy_server(store, server)
    _forget(store.local, store.settings)
    archive.remove_lines(store, server)
    for name in store.old():
        if (now() - manifest.moment_of(name)).days > 31 * store.settings.keep_monthly:
            log("removed", name=name)
            shutil.rmtree(store.root / name)


def _forget(place: Repository, keep: Settings) -> None:
    forget = ("forget", "--retry-lock", "5m", "--group-by", "", "--keep-within")
    days = (f"--keep-daily={keep.keep_daily}", f"--keep-weekly={keep.keep_weekly}")
    names = [word for each in place.backups() for word in ("--tag", each.name)]
    if names:
        place.run(*forget, "24h", *days, f"--keep-monthly={keep.keep_monthly}", *names)
        place.run(*forget, f"{keep.keep_daily + 1}d", "--keep-last", "2", "--tag", "base")
        place.run("prune", "--retry-lock", "5m")


def ship(store: Store, server: Server) -> dict[str, Any]:
    """Copy to the other repository what it lacks: backups, copies of the server's files, and the log."""
    remote = store.places["remote"]
    there = {each.tags.get("at") or each.name for each in remote.snapshots()}
    missing = [each for each in store.local.snapshots() if (each.tags.get("at") or each.name) not in there]
    if missing:
        store.local.copy_to(remote, *(each.id for each in missing))
    line = archive.current(store, server)
    if line is not None:
        wal = store.root / "wal" / line
        remote.backup([wal], ["wal", f"line={line}"], host=store.settings.environment)
        remote.run("forget", "--group-by", "", "--tag", "wal", "--keep-last", "1")
    if any("base" in each.tags for each in missing):
        _forget(remote, store.settings)
    log("copied", snapshots=len(missing))
    return {"copied": len(missing)}
