"""Checks that the volumes are writable and the disks have space."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings

from todo_project.ops.health.diagnosis import Diagnosis, failure, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

SCARCE: Final = 0.15  # of the whole: there is time to do something
FULL: Final = 0.05
_PROBE: Final = b"doctor"


def volumes() -> Iterator[Diagnosis]:
    """Write a file to each volume and read it back."""
    for root in _roots():
        try:
            with tempfile.NamedTemporaryFile(dir=root, prefix=".doctor-") as file:
                file.write(_PROBE)
                file.flush()
                os.fsync(file.fileno())
                read = Path(file.name).read_bytes()
        except OSError as error:
            if error.errno == errno.EROFS and root == Path(str(settings.STATIC_ROOT)) and not root.is_mount():
                yield ok(f"{root} is not a volume of this container")  # the worker serves no static files
                continue
            yield failure(
                f"{root} cannot be written: {error.strerror}",
                f"give it to user {os.getuid()} (chown -R): another image or a person may have created the volume",
            )
            continue
        yield (
            ok(f"{root} can be written")
            if read == _PROBE
            else failure(f"{root} returns other bytes than were written", "check the disk first")
        )


def disk() -> Iterator[Diagnosis]:
    """Compare the free space and inodes with the total, once for each file system."""
    seen = set()
    for root in (*_roots(), Path(tempfile.gettempdir())):
        if not root.is_dir() or (device := root.stat().st_dev) in seen:
            continue
        seen.add(device)
        yield free_space(root, os.statvfs(root))


def _roots() -> tuple[Path, ...]:
    return Path(str(settings.MEDIA_ROOT)), Path(str(settings.STATIC_ROOT))


def free_space(root: Path, found: os.statvfs_result) -> Diagnosis:
    shares = {"space": found.f_bavail / found.f_blocks if found.f_blocks else 1}
    if found.f_files:  # some file systems count none
        shares["inodes"] = found.f_favail / found.f_files
    what, least = min(shares.items(), key=lambda item: item[1])
    amount = f"{found.f_bavail * found.f_frsize / 2**30:.1f} GiB" if what == "space" else str(found.f_favail)
    message = f"{root} has {least:.0%} of its {what} free ({amount})"
    if least < FULL:
        return failure(message, "free some at once: a full disk stops uploads, and the database if it is the same")
    if least < SCARCE:
        return warning(message, "free some or enlarge the disk: `docker system df` shows what images and logs take")
    return ok(message)
