"""The name of a backup, and the manifest that says what its dump contains: JSON, as in format 1."""

import datetime
import json
import re
from contextlib import suppress
from typing import Any

from .report import Failure

FILE = "manifest.json"
DUMP = "database.dump"
_LABEL = r"[A-Za-z0-9][A-Za-z0-9._-]{0,139}"  # `before-` and the longest tag of an image fit
NAME = re.compile(rf"\d{{8}}T\d{{6}}Z(?:-{_LABEL})?")
_MOMENT = "%Y%m%dT%H%M%SZ"


def new_name(moment: datetime.datetime, label: str | None) -> str:
    """Return the name of a backup made at a moment."""
    if label is not None and not re.fullmatch(_LABEL, label):
        raise Failure(
            f"the label {label!r} cannot be part of a name",
            "use at most 140 letters, digits, dots, dashes and underscores; start with a letter or digit",
        )
    return "-".join(filter(None, (moment.astimezone(datetime.UTC).strftime(_MOMENT), label)))


def moment_of(name: str) -> datetime.datetime:
    """Return when a backup was made, from its name."""
    return datetime.datetime.strptime(name.partition("-")[0], _MOMENT).replace(tzinfo=datetime.UTC)


def parse(text: str | bytes) -> dict[str, Any]:
    """Return a manifest, or raise Failure if it lacks what a restore relies on."""
    with suppress(ValueError, TypeError, KeyError):
        made: dict[str, Any] = json.loads(text)
        held = made["database"]
        is_usable = NAME.fullmatch(made["name"]) and held["bytes"] >= 0 and isinstance(held["tables"], dict)
        if is_usable and isinstance(held["migrations"], dict):
            return made
    raise Failure("the manifest is not that of a backup", "this backup is damaged; use another one")
