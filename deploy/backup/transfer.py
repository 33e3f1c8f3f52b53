"""A backup as one file: a tar of a restic repository that contains only that backup."""

import tarfile
from typing import IO

from . import legacy, manifest
from .report import Failure
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


def import_file(store: Store, source: IO[bytes]) -> dict[str, str]:
    """Read what `export` wrote, also what it wrote in format 1, as the repository of imported backups."""
    store.forget_imported()
    with store.temporary("import") as folder:
        try:
            with tarfile.open(fileobj=source, mode="r|") as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError) as error:
            raise Failure(f"the file is not a backup, or not all of it: {error}", _WRITTEN) from None
        if any(folder.glob("repository/snapshots/*")):
            (folder / "repository").rename(store.root / IMPORTED)
        elif old := next(folder.glob(f"*/{manifest.FILE}"), None):
            legacy.convert(old.parent, folder, store.imported, store.settings.identity)
        else:  # a tar that ends within a header looks complete
            raise Failure("the file is not a backup, or not all of it", _WRITTEN)
    return {"name": IMPORTED}
