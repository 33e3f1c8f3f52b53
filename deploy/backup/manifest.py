"""The name of a backup, and the manifest that describes its parts."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .failures import Failure
from .report import UTC

FORMAT = 1
FILE = "manifest.json"
VERIFIED = "verified.json"
NAME = re.compile(r"(\d{8}T\d{6}Z)(?:-([A-Za-z0-9][A-Za-z0-9._-]{0,63}))?")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,139}")  # `before-` and the longest tag of an image fit
_PART = re.compile(r"(?:database\.dump|media\.tar)(?:\.age|\.gpg)?")
_MOMENT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Part:
    """Size and checksum of a file of the backup."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Database:
    """The content of the database in the dumped snapshot."""

    name: str
    bytes: int
    tables: dict[str, int]
    migrations: dict[str, list[str]]


@dataclass(frozen=True)
class Media:
    """The content of the media folder; `checksum` covers all names and contents."""

    files: int
    bytes: int
    checksum: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Manifest:
    """What is known about a backup without opening its parts."""

    name: str
    created_at: str
    environment: str
    version: str
    revision: str
    postgresql: str
    database: Database
    media: Media
    parts: dict[str, Part]
    encrypted_for: str | None = None
    format: int = FORMAT

    def part(self, stem: str) -> str:
        """Return the file name of a part: `database.dump` may be `database.dump.age`."""
        return next(name for name in self.parts if name.startswith(stem))

    @property
    def bytes(self) -> int:
        """The size of all parts."""
        return sum(part.bytes for part in self.parts.values())

    def text(self) -> str:
        """Return the manifest as JSON."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def new_name(moment: datetime.datetime, label: str | None) -> str:
    """Return the name of a backup made at a moment."""
    if label is not None and not _LABEL.fullmatch(label):
        raise Failure(
            f"the label {label!r} cannot be part of a name",
            "use at most 140 letters, digits, dots, dashes and underscores; start with a letter or digit",
        )
    stamp = moment.astimezone(UTC).strftime(_MOMENT)
    return f"{stamp}-{label}" if label else stamp


def moment_of(name: str) -> datetime.datetime:
    """Return when a backup was made, from its name."""
    match = NAME.fullmatch(name)
    if not match:
        raise Failure(f"{name!r} is not the name of a backup", "choose one from `deploy/backup/backup ENV --list`")
    return datetime.datetime.strptime(match[1], _MOMENT).replace(tzinfo=UTC)


def load(folder: Path, name: str) -> Manifest:
    """Read the manifest in a backup's folder, or raise Failure if it is missing or damaged."""
    try:
        return parse(json.loads((folder / FILE).read_text(encoding="utf-8")), name)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Failure(
            f"the manifest of {name} cannot be read: {error}", "this backup is damaged; use another one"
        ) from None


def parse(content: Mapping[str, Any], name: str) -> Manifest:
    """Return a manifest from untrusted JSON; raise ValueError, KeyError or TypeError if it is malformed."""
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']!r}, but this release reads format {FORMAT}")
    if content["name"] != name:
        raise ValueError(f"it is the manifest of {content['name']!r}")
    parts = {part: Part(int(each["bytes"]), str(each["sha256"])) for part, each in content["parts"].items()}
    stems = sorted(part.split(".")[0] for part in parts)
    if stems != ["database", "media"] or not all(_PART.fullmatch(part) for part in parts):
        raise ValueError(f"it lists other parts than a database and media: {sorted(parts)}")
    database, media = content["database"], content["media"]
    return Manifest(
        name=name,
        created_at=str(content["created_at"]),
        environment=str(content["environment"]),
        version=str(content["version"]),
        revision=str(content["revision"]),
        postgresql=str(content["postgresql"]),
        database=Database(
            name=str(database["name"]),
            bytes=int(database["bytes"]),
            tables={str(table): int(count) for table, count in database["tables"].items()},
            migrations={str(app): [str(each) for each in done] for app, done in database["migrations"].items()},
        ),
        media=Media(
            int(media["files"]), int(media["bytes"]), str(media["checksum"]), [str(note) for note in media["notes"]]
        ),
        parts=parts,
        encrypted_for=content["encrypted_for"] and str(content["encrypted_for"]),
    )
