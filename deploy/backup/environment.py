"""Read the variables that Compose passes to the service: BACKUP_* and the database's password.

`config check` has checked the values. An empty text counts as unset, because Compose passes one for each variable
that the env file lacks.
"""

import datetime
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .report import Failure


@dataclass(frozen=True)
class Settings:
    """The configuration of the service. `keys` are the variables with which restic writes to the `remote`."""

    root: Path
    media: Path
    project: str
    at: datetime.time
    keep_daily: int
    keep_weekly: int
    keep_monthly: int
    password: str | None
    identity: str | None
    remote: str | None
    keys: Mapping[str, str]


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings from the environment, or raise Failure."""
    given = _given(environ)
    keys = {
        "AWS_ACCESS_KEY_ID": given.get("BACKUP_S3_ACCESS_KEY_ID"),
        "AWS_SECRET_ACCESS_KEY": given.get("BACKUP_S3_SECRET_ACCESS_KEY"),
        "AWS_DEFAULT_REGION": given.get("BACKUP_S3_REGION"),
    }
    return Settings(
        root=Path(given.get("BACKUP_ROOT", "/backups")),
        media=Path(given.get("MEDIA_ROOT", "/app/media")),
        project=given.get("COMPOSE_PROJECT_NAME", "unknown"),
        at=datetime.time.fromisoformat(given.get("BACKUP_AT", "03:15")),
        keep_daily=int(given.get("BACKUP_KEEP_DAILY", "7")),
        keep_weekly=int(given.get("BACKUP_KEEP_WEEKLY", "4")),
        keep_monthly=int(given.get("BACKUP_KEEP_MONTHLY", "6")),
        password=given.get("BACKUP_PASSWORD"),
        identity=given.get("BACKUP_IDENTITY"),
        remote=given.get("BACKUP_REPOSITORY") or _bucket(given),
        keys={name: value for name, value in keys.items() if value},
    )


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are set; one whose name ends with _FILE names a file with the value."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    for variable in [name for name in given if name.startswith("BACKUP_") and name.endswith("_FILE")]:
        try:
            content = Path(given[variable]).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            hint = "mount that file into the service backup"
            raise Failure(f"{variable} cannot be read: {error}", hint) from None
        if content:
            given.setdefault(variable.removesuffix("_FILE"), content)
    return given


def _bucket(given: Mapping[str, str]) -> str | None:
    """Return the bucket as restic names it."""
    if "BACKUP_S3_URL" not in given:
        return None
    endpoint = given.get("BACKUP_S3_ENDPOINT", "https://s3.amazonaws.com").rstrip("/")
    return f"s3:{endpoint}/{given['BACKUP_S3_URL'].removeprefix('s3://').strip('/')}"
