"""This will name what a person can do something about, and keep a full disk recognisable."""

from __future__ import annotations

import errno
import re

_FULL = re.compile(r"no space left on device|could not extend file|disk quota exceeded", re.IGNORECASE)


class Failure(Exception):
    """`cause` says what is wrong, `hint` what to do; neither ever holds a secret."""

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint


def of_program(program: str, code: int, said: str) -> Failure:
    """Return the failure of a program that ended with `code` and these last words."""
    words = " / ".join(said.strip().splitlines()[-4:]) or "it said nothing"
    if _FULL.search(said):
        return full(f"{program}: {words}")
    return Failure(f"{program} exited with {code}: {words}", "mend what it says, then repeat")


def of_system(error: OSError) -> Failure:
    """Return what the operating system refused, a full disk by its name."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(str(error))
    return Failure(str(error), "see that the volume can be read and written by user 10001")


def full(detail: str) -> Failure:
    """Return the failure that a full disk is."""
    return Failure(
        f"the disk is full ({detail}); what was being written is gone, earlier backups are untouched",
        "free space for the backup volume, or keep fewer backups (BACKUP_KEEP_DAILY …), then repeat",
    )
