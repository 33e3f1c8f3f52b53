"""Read backups of format 1, which releases before restic made: a folder with a dump, an archive of the media and a
manifest with their checksums, perhaps encrypted with age or gpg.

Each becomes a snapshot in the repository of imported backups, and is from there on a backup like any other.
"""

import hashlib
import shutil
import tarfile
from pathlib import Path

from . import manifest
from .report import Failure, run_program
from .repository import DAMAGED, Repository


def convert(folder: Path, work: Path, repository: Repository, identity: str | None) -> None:
    """Store the backup in a folder as a snapshot."""
    made = manifest.parse((folder / manifest.FILE).read_bytes())
    new, files = work / "new", work / "media"
    new.mkdir()
    files.mkdir()
    for part, expected in made["parts"].items():
        if not (folder / part).is_file() or _checksum(folder / part) != expected["sha256"]:
            raise Failure(f"the checksum of {made['name']}/{part} differs from the manifest", DAMAGED)
        target = new / manifest.DUMP if part.startswith(manifest.DUMP) else work / "media.tar"
        _decrypt(folder / part, target, identity)
    shutil.copyfile(folder / manifest.FILE, new / manifest.FILE)
    with tarfile.open(work / "media.tar", errors="surrogateescape") as archive:
        archive.extractall(files, filter="data")
    repository.backup((new, files), [made["name"]], host=str(made["environment"]))


def is_key(text: str) -> bool:
    """Return whether this is a secret key of age or gpg, and not a password."""
    return "AGE-SECRET-KEY" in text or "PRIVATE KEY" in text


def _checksum(path: Path) -> str:
    with open(path, "rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _decrypt(source: Path, target: Path, identity: str | None) -> None:
    if source.suffix not in (".age", ".gpg"):
        shutil.copyfile(source, target)
        return
    if not identity:
        raise Failure("the backup is encrypted", "give the secret key: --identity FILE")
    home = target.with_name("keys")
    home.mkdir(mode=0o700)
    (home / "key").write_text(identity, encoding="utf-8")
    if source.suffix == ".age":
        run_program("age", "--decrypt", "--identity", f"{home}/key", "--output", str(target), str(source))
    else:
        gpg = ("gpg", "--batch", "--quiet", "--homedir", str(home))
        run_program(*gpg, "--import", f"{home}/key")
        run_program(*gpg, "--trust-model", "always", "--output", str(target), "--decrypt", str(source))
    shutil.rmtree(home)  # what stays in this folder is part of the snapshot
