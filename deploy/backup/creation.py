"""Make a backup, verify it, copy it to the bucket, and remove the backups past their retention."""

from __future__ import annotations

import datetime
import time
from typing import Any

from . import database, encryption, manifest, media, objects, retention, verification
from .encryption import Encryption
from .environment import Settings, database_environment
from .failures import Failure, of_system
from .report import log, now, stamp
from .store import Store, checksum


def create(settings: Settings, *, label: str | None, verify: bool) -> dict[str, Any]:
    """Make a backup and return a summary of it. Record the run in the database, failed or not."""
    manifest.new_name(now(), label)  # a bad label is refused before anything starts
    server, started = database.Server(database_environment()), now()
    store = Store(settings.root)
    with store.locked():
        try:
            result = _create(settings, store, server, label=label, verify=verify)
        except OSError as error:
            failure = of_system(error)
            _record(server, started, outcome="failed", detail=failure.cause)
            raise failure from None
        except Failure as failure:
            _record(server, started, outcome="failed", detail=failure.cause)
            raise
        _record(server, started, name=result["name"], size=result["bytes"], verified=result["verified_at"])
    return result


def _create(
    settings: Settings, store: Store, server: database.Server, *, label: str | None, verify: bool
) -> dict[str, Any]:
    clock = time.monotonic()
    with encryption.for_new(settings) as cipher:
        made = _write(settings, store, server, label=label, cipher=cipher)
        proof = verification.verify(store, made.name, cipher) if verify else None
    verified = {name for name in store.names() if store.verified(name)}
    removed = _retire(settings, store, store.names(), verified)
    if settings.bucket:
        copies = objects.copies(settings.bucket)
        copies.upload(store.root / made.name)
        removed += [f"s3:{name}" for name in _retire(settings, copies, copies.names(), verified)]
    result = {
        "name": made.name,
        "created_at": made.created_at,
        "bytes": made.bytes,
        "tables": len(made.database.tables),
        "rows": sum(made.database.tables.values()),
        "media_files": made.media.files,
        "notes": made.media.notes,
        "encrypted_for": made.encrypted_for,
        "verified_at": proof["verified_at"] if proof else None,
        "proved": proof["proved"] if proof else [],
        "copied_to_s3": bool(settings.bucket),
        "removed": removed,
        "seconds": round(time.monotonic() - clock, 1),
    }
    log("created", **result)
    return result


def _write(
    settings: Settings, store: Store, server: database.Server, *, label: str | None, cipher: Encryption
) -> manifest.Manifest:
    moment, name = _free_name(store, label)
    dump_part, media_part = f"database.dump{cipher.suffix}", f"media.tar{cipher.suffix}"
    with store.partial(name) as folder:
        with database.snapshot(server) as (snapshot_id, version, held), cipher.writing(folder / dump_part) as sink:
            database.dump(server, snapshot_id, sink)
        # after the database: a file uploaded meanwhile is then an extra one, and none is missing
        with cipher.writing(folder / media_part) as sink:
            files = media.write(settings.media, sink)
        made = manifest.Manifest(
            name=name,
            created_at=stamp(moment),
            environment=settings.environment,
            version=settings.version,
            revision=settings.revision,
            postgresql=version,
            database=held,
            media=files,
            parts={part: checksum(folder / part) for part in (dump_part, media_part)},
            encrypted_for=cipher.encrypted_for,
        )
        (folder / manifest.FILE).write_text(made.text(), encoding="utf-8")
    return made


def _free_name(store: Store, label: str | None) -> tuple[datetime.datetime, str]:
    while True:
        moment = now()
        name = manifest.new_name(moment, label)
        if not (store.root / name).exists():
            return moment, name
        time.sleep(0.2)


def _retire(settings: Settings, place: Any, names: list[str], verified: set[str]) -> list[str]:
    removed = retention.removable(names, verified, now(), settings.keep)
    for name in removed:
        place.remove(name)
    return removed


def _record(
    server: database.Server,
    started: datetime.datetime,
    *,
    outcome: str = "ok",
    name: str = "",
    size: int = 0,
    verified: str | None = None,
    detail: str = "",
) -> None:
    """Record the run in the database, for the backend's metrics. An old release may lack the table."""
    try:
        with server.connected() as connection:
            if database.exists(connection, database.RECORDS):
                connection.execute(
                    f"INSERT INTO {database.RECORDS}"  # noqa: S608 - our own constant
                    " (name, outcome, started_at, finished_at, bytes, verified_at, detail)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    [name, outcome, started, now(), size, verified, detail[:1000]],
                )
    except Failure as failure:
        log("not_recorded", level="warning", cause=failure.cause)
