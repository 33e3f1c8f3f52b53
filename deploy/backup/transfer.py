"""A backup as one file: a tar of a restic repository that contains only that backup."""

import shutil
import tarfile
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


def import_file(store: Store, source: IO[bytes], identity: str | None) -> dict[str, str]:
    """Read what `export` wrote, also what it wrote in format 1, as the repository of imported backups."""
    forget(store)
    with store.temporary("import") as folder:
        try:
            with tarfile.open(fileobj=source, mode="r|") as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError) as error:
            raise Failure(f"the file is not a backup, or not all of it: {error}", _WRITTEN) from None
        tops = [path.name for path in folder.iterdir()]
        if tops == ["repository"]:
            if not any(folder.glob("repository/snapshots/*")):  # a tar that ends within a header looks complete
                raise Failure("the file is not a backup, or not all of it: its end is missing", _WRITTEN)
            (folder / "repository").rename(store.root / IMPORTED)
        elif len(tops) == 1 and manifest.NAME.fullmatch(tops[0]):
            legacy.convert(folder / tops[0], folder, store.imported, identity)
        else:
            raise Failure("the file does not contain a backup", _WRITTEN)
    return {"name": IMPORTED}


def adopt(store: Store, name: str, identity: str | None) -> str:
    """Return the name under which to find a backup: one of format 1 on the volume is imported first."""
    if name not in store.old():
        return name
    forget(store)
    with store.temporary("import") as work:
        legacy.convert(store.root / name, work, store.imported, identity)
    return IMPORTED


def forget(store: Store) -> None:
    """Remove the imported backup."""
    shutil.rmtree(store.root / IMPORTED, ignore_errors=True)
