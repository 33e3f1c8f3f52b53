"""A backup as one file: a tar of a restic repository that contains only that backup."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import IO

from . import legacy, manifest
from .failures import Failure
from .repository import Repository
from .store import IMPORTED, Store

_WRITTEN = "use a file that `deploy/backup/backup ENV --to FILE` wrote"


def export(store: Store, name: str, sink: IO[bytes]) -> None:
    """Write a backup to a stream."""
    found = store.find(name)
    with store.temporary("export") as folder:
        found.place.copy_to(Repository(str(folder / "repository"), found.place.password), found.id)
        with tarfile.open(fileobj=sink, mode="w|") as archive:
            archive.add(folder / "repository", arcname="repository")


def import_file(store: Store, source: IO[bytes], identity: str | None) -> None:
    """Read what `export` wrote, also what it wrote in format 1, as the repository of imported backups."""
    forget(store)
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive, store.temporary("import") as folder:
            top = archive.next()
            if top and top.isdir() and top.name == "repository":
                archive.extractall(folder, filter="data")
                _check_is_whole(folder / "repository")
                (folder / "repository").rename(store.root / IMPORTED)
            elif top and top.isdir() and manifest.NAME.fullmatch(top.name):
                (folder / "old").mkdir()
                legacy.unpack(archive, folder / "old")
                _convert(store, folder / "old", folder, identity)
            else:
                raise Failure("the file does not contain a backup", _WRITTEN)
    except (tarfile.TarError, EOFError) as error:
        raise Failure(f"the file is not a backup, or not all of it: {error}", _WRITTEN) from None


def _check_is_whole(folder: Path) -> None:
    """Raise EOFError if the snapshot is missing, which is the last file.

    A tar that ends within the header of a file looks to tarfile as if it were complete.
    """
    if not any((folder / "snapshots").glob("*")):
        raise EOFError("its end is missing")


def adopt(store: Store, name: str, identity: str | None) -> str:
    """Return the name under which to find a backup: that of format 1 on the volume is imported first."""
    folder = store.root / name
    if not manifest.NAME.fullmatch(name) or not (folder / manifest.FILE).is_file():
        return name
    forget(store)
    with store.temporary("import") as work:
        _convert(store, folder, work, identity)
    return IMPORTED


def _convert(store: Store, folder: Path, work: Path, identity: str | None) -> None:
    store.imported.prepare()
    try:
        legacy.convert(folder, work, store.imported, identity)
    except BaseException:
        forget(store)
        raise


def forget(store: Store) -> None:
    """Remove the imported backup."""
    shutil.rmtree(store.root / IMPORTED, ignore_errors=True)
