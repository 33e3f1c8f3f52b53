"""Publishes a release's static files, built into the image, into a volume that outlives it. It needs no Django.

The volume may hold an older or a newer release's files. So the manifest (which page needs which file) is
read from the image, publishing compares bytes and not dates, and the files of the last releases stay for
the pages that are still open in somebody's browser.
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
    """What publishing did, for the line it prints."""

    build: str
    copied: int
    unchanged: int
    pruned: int

    def told(self, root: Path) -> str:
        """Return the line."""
        return (
            f"static files of build {self.build} published into {root}: "
            f"{self.copied} copied, {self.unchanged} unchanged, {self.pruned} pruned"
        )


def has_build(build: Path | None) -> bool:
    """Return whether this process runs from an image with built static files."""
    return build is not None and (build / MANIFEST).is_file()


def build_id(build: Path) -> str:
    """Return the manifest's own hash, which changes with the content of any file."""
    manifest = json.loads((build / MANIFEST).read_text())
    return str(manifest["hash"])


def is_published(*, build: Path | None, root: Path) -> bool:
    """Return whether the volume holds this build; true where nothing was built (development)."""
    if build is None or not has_build(build):
        return True
    return _marker(root, build_id(build)).is_file()


def publish(*, build: Path, root: Path) -> Published:
    """Bring the build's files into the volume, mark them, and remove what only dropped builds had.

    Replicas that start together take turns. Each file appears whole or not at all.
    """
    root.mkdir(parents=True, exist_ok=True)
    names = sorted(
        path.relative_to(build).as_posix() for path in build.rglob("*") if path.is_file() and path.name != MANIFEST
    )
    with _alone(root):
        copied = sum(_copy_if_different(build / name, root / name) for name in names)
        identity = build_id(build)
        _write_marker(_marker(root, identity), names)
        pruned = _prune(root)
    return Published(identity, copied, len(names) - copied, pruned)


def _marker(root: Path, identity: str) -> Path:
    return root / f"build-{identity}.json"


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    with (root / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy_if_different(source: Path, target: Path) -> bool:
    if target.is_file() and filecmp.cmp(source, target, shallow=False):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with _appearing(target) as temporary:
        shutil.copyfile(source, temporary)
    return True


def _write_marker(marker: Path, names: list[str]) -> None:
    # newer than every other one, also where files of one moment have one date, or the clock was set back
    latest = max((_date_of(other) for other in marker.parent.glob("build-*.json")), default=0)
    date = max(time.time_ns(), latest + 1)
    with _appearing(marker) as temporary:
        temporary.write_text(json.dumps({"files": names}))
        os.utime(temporary, ns=(date, date))


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Write beside the target and move into its place; 0644 because a proxy under another id reads it."""
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
    """Drop the markers beyond the newest few and the files that only those name."""
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
