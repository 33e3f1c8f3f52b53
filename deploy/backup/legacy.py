"""Read backups of format 1, which releases before restic made: a folder with a dump, an archive of the media and a
manifest with their checksums, perhaps encrypted with age or gpg.

Each becomes a snapshot in the repository of imported backups, and is from there on a backup like any other.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import IO

from . import manifest
from .failures import Failure, of_program
from .repository import DAMAGED, Repository

_FILE = re.compile(r"(?:database\.dump|media\.tar)(?:\.age|\.gpg)?|manifest\.json|verified\.json")


def convert(folder: Path, work: Path, repository: Repository, identity: str | None) -> None:
    """Store the backup in a folder as a snapshot."""
    text = (folder / manifest.FILE).read_bytes()
    made = manifest.parse(text)
    new, files = work / "new", work / "media"
    new.mkdir()
    files.mkdir()
    for part, expected in made["parts"].items():
        if not _FILE.fullmatch(part) or _checksum(folder / part) != expected["sha256"]:
            raise Failure(f"the checksum of {made['name']}/{part} differs from the manifest", DAMAGED)
        target = new / manifest.DUMP if part.startswith(manifest.DUMP) else work / "media.tar"
        _decrypt(folder / part, target, identity)
    (new / manifest.FILE).write_bytes(text)
    with tarfile.open(work / "media.tar", errors="surrogateescape") as archive:
        archive.extractall(files, filter="data")
    repository.backup((new, files), [made["name"]], host=str(made["environment"]))


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Unpack an exported backup of format 1; raise Failure for anything else."""
    for entry in archive:
        if entry.isdir():
            continue
        file = Path(entry.name).name
        content = archive.extractfile(entry) if entry.isreg() else None
        if content is None or not _FILE.fullmatch(file):
            raise Failure(f"the file contains {entry.name!a}, which is not part of a backup", DAMAGED)
        with open(folder / file, "xb") as target:
            shutil.copyfileobj(content, target)


def is_key(text: str) -> bool:
    """Return whether this is a secret key of age or gpg, and not a password."""
    return "AGE-SECRET-KEY" in text or "PRIVATE KEY" in text


def _checksum(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as source:
            while block := source.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        return "missing"
    return digest.hexdigest()


def _decrypt(source: Path, target: Path, identity: str | None) -> None:
    if source.suffix not in (".age", ".gpg"):
        shutil.copyfile(source, target)
        return
    if not identity:
        raise Failure("the backup is encrypted", "give the secret key: --identity FILE")
    key = target.with_suffix(".key")
    key.touch(mode=0o600)
    key.write_text(identity, encoding="utf-8")
    with open(target, "wb") as sink:
        if source.suffix == ".age":
            _run("age", "--decrypt", "--identity", str(key), str(source), output=sink)
        else:
            home = target.parent / "gpg"
            home.mkdir(mode=0o700, exist_ok=True)
            gpg = ("gpg", "--batch", "--quiet", "--homedir", str(home))
            _run(*gpg, "--import", str(key))
            _run(*gpg, "--trust-model", "always", "--decrypt", str(source), output=sink)
            subprocess.run(("gpgconf", "--homedir", str(home), "--kill", "all"), check=False)
            shutil.rmtree(home, ignore_errors=True)
    key.unlink()


def _run(*command: str, output: IO[bytes] | None = None) -> None:
    done = subprocess.run(command, stdout=output or subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise of_program(command[0], done.returncode, done.stderr.decode("utf-8", "replace"))
