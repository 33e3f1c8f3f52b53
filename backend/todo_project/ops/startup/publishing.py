"""Publish the static files of an image into a volume that outlives it.

The volume may hold the files of older or newer releases. So the manifest, which maps names to hashed names, is
read from the image; files are compared by their bytes, not their dates; and the files of the last releases stay
for pages that are still open in a browser.
"""

from __future__ import annotations

import fcntl
import filecmp
import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST: Final = "staticfiles.json"
LOCK: Final = ".publishing"
KEPT_BUILDS: Final = 3


@dataclass(frozen=True)
class Published:
    """What was published, and how many files that changed."""

    build: str
    root: Path
    copied: int
    unchanged: int
    pruned: int

    def __str__(self) -> str:
        return (
            f"static files of build {self.build} published into {self.root}: "
            f"{self.copied} copied, {self.unchanged} unchanged, {self.pruned} pruned"
        )


def has_build(build: Path | None) -> bool:
    """Return whether the image has static files."""
    return build is not None and (build / MANIFEST).is_file()


def build_id(build: Path) -> str:
    """Return the manifest's own hash, which changes with the content of any file."""
    manifest = json.loads((build / MANIFEST).read_text())
    return str(manifest["hash"])


def is_published(*, build: Path | None, root: Path) -> bool:
    """Return whether the volume holds this build; true in development, where nothing is built."""
    if build is None or not has_build(build):
        return True
    return _marker(root, build_id(build)).is_file()


def publish(*, build: Path, root: Path) -> Published:
    """Copy the build's files into the volume, record the build, and remove files that only older builds had.

    Replicas that start together take turns. A file is never visible half-written.
    """
    root.mkdir(parents=True, exist_ok=True)
    names = sorted(
        path.relative_to(build).as_posix() for path in build.rglob("*") if path.is_file() and path.name != MANIFEST
    )
    with _locked(root):
        copied = sum(_copy_if_different(build / name, root / name) for name in names)
        identity = build_id(build)
        _write_marker(_marker(root, identity), names)
        pruned = _prune(root)
    return Published(identity, root, copied, len(names) - copied, pruned)


def _marker(root: Path, identity: str) -> Path:
    return root / f"build-{identity}.json"


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with (root / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy_if_different(source: Path, target: Path) -> bool:
    if target.is_file() and filecmp.cmp(source, target, shallow=False):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(target) as temporary:
        shutil.copyfile(source, temporary)
    return True


def _write_marker(marker: Path, names: list[str]) -> None:
    # newer than every other marker, even if the clock was set back or is too coarse
    latest = max((_date_of(other) for other in marker.parent.glob("build-*.json")), default=0)
    date = max(time.time_ns(), latest + 1)
    with _replacing(marker) as temporary:
        temporary.write_text(json.dumps({"files": names}))
        os.utime(temporary, ns=(date, date))


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Write a temporary file and move it to the target; mode 0644, because the proxy is another user."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _prune(root: Path) -> int:
    """Remove all markers but the newest, and the files that only the removed ones name."""
    markers = sorted(root.glob("build-*.json"), key=_date_of, reverse=True)
    kept = {name for marker in markers[:KEPT_BUILDS] for name in _files_of(marker)}
    pruned = 0
    for marker in markers[KEPT_BUILDS:]:
        for name in set(_files_of(marker)) - kept:
            pruned += (root / name).is_file()
            (root / name).unlink(missing_ok=True)
        marker.unlink()
    return pruned


def _date_of(marker: Path) -> int:
    return marker.stat().st_mtime_ns


def _files_of(marker: Path) -> list[str]:
    return list(json.loads(marker.read_text())["files"])
