"""Read the variables that Compose passes to the service: BACKUP_* and the database's password.

`config check` has checked the values. An empty text counts as unset, because Compose passes one for each variable
that the env file lacks.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .failures import Failure

_SOCKETS = Path("/var/run/postgresql")


@dataclass(frozen=True)
class Keep:
    """For how many days, weeks and months the last backup is kept."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 6


@dataclass(frozen=True)
class Remote:
    """The restic repository for copies, and the variables with which restic may write there."""

    url: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Settings:
    """The configuration of the service."""

    root: Path
    media: Path
    environment: str
    version: str
    revision: str
    at: datetime.time
    keep: Keep
    password: str | None
    identity: str | None
    remote: Remote | None


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings from the environment, or raise Failure."""
    text = _Texts(environ)
    hour, minute = (text("BACKUP_AT") or "03:15").split(":")
    return Settings(
        root=Path(text("BACKUP_ROOT") or "/backups"),
        media=Path(text("MEDIA_ROOT") or "/app/media"),
        environment=text("DJANGO_ENV") or "unknown",
        version=text("APP_VERSION") or "unknown",
        revision=text("APP_REVISION") or "unknown",
        at=datetime.time(int(hour), int(minute)),
        keep=Keep(
            daily=int(text("BACKUP_KEEP_DAILY") or Keep.daily),
            weekly=int(text("BACKUP_KEEP_WEEKLY") or Keep.weekly),
            monthly=int(text("BACKUP_KEEP_MONTHLY") or Keep.monthly),
        ),
        password=text("BACKUP_PASSWORD"),
        identity=text("BACKUP_IDENTITY"),
        remote=_remote(text),
    )


def database_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment variables with which libpq finds the database.

    Only the socket, which the service db shares, accepts replication. A container of the db that an older release
    has created does not share it.
    """
    text = _Texts(environ)
    return {
        **environ,
        "PGHOST": text("PGHOST") or (str(_SOCKETS) if (_SOCKETS / ".s.PGSQL.5432").exists() else "db"),
        "PGUSER": text("POSTGRES_ROLE") or "todo_user",
        "PGDATABASE": "todo_db",
        "PGPASSWORD": text("POSTGRES_PASSWORD") or "",
        "PGCONNECT_TIMEOUT": "10",
        "PGAPPNAME": "todo-backup",
    }


class _Texts:
    """Look up NAME, or the content of the file that NAME_FILE names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __call__(self, name: str) -> str | None:
        plain = self._environ.get(name, "").strip()
        path = self._environ.get(f"{name}_FILE", "").strip()
        if plain or not path:
            return plain or None
        try:
            return Path(path).read_text(encoding="utf-8").strip() or None
        except (OSError, ValueError) as error:
            raise Failure(
                f"{name}_FILE cannot be read: {error}", "mount that file into the service backup"
            ) from None


def _remote(text: _Texts) -> Remote | None:
    keys = {
        "AWS_ACCESS_KEY_ID": text("BACKUP_S3_ACCESS_KEY_ID"),
        "AWS_SECRET_ACCESS_KEY": text("BACKUP_S3_SECRET_ACCESS_KEY"),
        "AWS_DEFAULT_REGION": text("BACKUP_S3_REGION"),
    }
    url, bucket = text("BACKUP_REPOSITORY"), text("BACKUP_S3_URL")
    if not url and bucket:
        endpoint = text("BACKUP_S3_ENDPOINT") or "https://s3.amazonaws.com"
        url = f"s3:{endpoint.rstrip('/')}/{bucket[len('s3://') :].strip('/')}"
    return Remote(url, {name: value for name, value in keys.items() if value}) if url else None
