"""Fetch backups from the bucket, and import and export them as one file."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import IO, Any

from . import manifest, objects, verification
from .environment import Settings
from .failures import Failure
from .store import Store

_WRITTEN = "use a file that `deploy/backup/backup ENV --to FILE` wrote"
_FILES = {manifest.FILE, manifest.VERIFIED} | {
    f"{part}{suffix}" for part in ("database.dump", "media.tar") for suffix in ("", ".age", ".gpg")
}


def listing(settings: Settings) -> list[dict[str, Any]]:
    """Return all backups on the volume and in the bucket, oldest first."""
    store = Store(settings.root)
    here = set(store.names())
    there = set(objects.copies(settings.bucket).names()) if settings.bucket else set()
    return [
        {
            "name": name,
            "bytes": store.manifest(name).bytes if name in here else None,
            "verified_at": store.verified(name) if name in here else None,
            "places": [place for place, names in (("volume", here), ("s3", there)) if name in names],
        }
        for name in sorted(here | there)
    ]


def fetch(settings: Settings, store: Store, name: str) -> str:
    """Return the name of a backup on the volume; download it first if only the bucket has it."""
    if settings.bucket:
        copies = objects.copies(settings.bucket)
        there = copies.names()
        wanted = max([*there, *store.names()], default=name) if name == "latest" else name
        if wanted in there and wanted not in store.names():
            with store.partial(wanted) as folder:
                copies.download(wanted, folder)
            return wanted
    return store.resolve(name).name


def export(store: Store, name: str, sink: IO[bytes]) -> None:
    """Write a backup to a stream as a tar archive of its folder."""
    folder = store.resolve(name)
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, arcname=folder.name)


def import_backup(store: Store, source: IO[bytes]) -> str:
    """Import what `export` wrote, check its checksums, and return its name."""
    try:
        return _import(store, source)
    except tarfile.TarError as error:
        raise Failure(f"the file is not a backup: {error}", _WRITTEN) from None


def _import(store: Store, source: IO[bytes]) -> str:
    with tarfile.open(fileobj=source, mode="r|") as archive:
        entries = iter(archive)
        top = next(entries, None)
        if top is None or not top.isdir() or not manifest.NAME.fullmatch(top.name):
            raise Failure("the file does not contain a backup", _WRITTEN)
        if top.name in store.names():
            return top.name
        with store.partial(top.name) as folder:
            for entry in entries:
                _unpack(archive, entry, folder, top.name)
            verification.checksums(manifest.load(folder, top.name), folder)
    return top.name


def _unpack(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path, name: str) -> None:
    """Write one entry of an untrusted archive; raise Failure unless it is one of a backup's files."""
    file = entry.name[len(name) + 1 :]
    content = archive.extractfile(entry) if entry.isreg() else None
    if content is None or entry.name != f"{name}/{file}" or file not in _FILES:
        raise Failure(f"the file contains {entry.name!a}, which is not part of a backup", _WRITTEN)
    with open(folder / file, "xb") as target:
        shutil.copyfileobj(content, target)
