"""Run one command in the image: the scheduler, a backup, a verification, or a step of a restore.

The log goes to stderr. The result goes to stdout as one JSON object, which the commands on the host read.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any

from . import archive, creation, database, environment, legacy, maintenance, manifest, transfer, verification
from .failures import Failure, of_system
from .report import UTC, log
from .restoration import Target
from .schedule import Scheduler
from .store import IMPORTED, Store


class Session:
    """What the commands work on."""

    def __init__(self, options: argparse.Namespace) -> None:
        settings = environment.read()
        identity = settings.identity
        # a file may come with the password of another environment, or an old one with a secret key
        self.store = Store(settings, None if identity and legacy.is_key(identity) else identity)
        self.server = database.in_use()
        self.target = Target(self.store, self.server)
        self.options = options
        self.identity = identity


def _backup(session: Session) -> dict[str, Any]:
    options = session.options
    return creation.create(session.store, session.server, label=options.label, verify=options.verify)


def _daily(session: Session) -> None:
    creation.create(session.store, session.server, label=None, verify=True)
    maintenance.after_backup(session.store, session.server)


def _verify(session: Session) -> dict[str, Any]:
    name = transfer.adopt(session.store, session.options.name, session.identity)
    try:
        return verification.verify(session.store, session.store.find(name), read_media=True)
    finally:
        if name == IMPORTED:
            transfer.forget(session.store)


def _inspect(session: Session) -> dict[str, Any]:
    name = transfer.adopt(session.store, session.options.name, session.identity)
    kept = session.store.find(name)
    return {**kept.manifest(), "source": name if name == IMPORTED else kept.name, "target": session.target.state()}


def _recover(session: Session) -> dict[str, Any]:
    moment = archive.parse_moment(session.options.name)
    names = [each.name for each in session.store.local.backups()]
    before = [name for name in names if moment and manifest.moment_of(name) <= moment]
    label = f"at-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" if moment else "at-the-end"
    with archive.recovered(session.store, session.server, moment) as server:
        return creation.make(session.store, server, label=label, verify=False, also=before[-1] if before else "")


# these may run beside others, for long
_UNLOCKED: dict[str, Callable[[Session], Any]] = {
    "schedule": lambda session: Scheduler(session.store, session.server).run(),
    "receive": lambda session: archive.receive(session.store, session.server),
    "ship": lambda session: maintenance.ship(session.store, session.server),
    "list": lambda session: session.store.listing(),
}
_LOCKED: dict[str, Callable[[Session], Any]] = {
    "backup": _backup,
    "daily": _daily,
    "verify": _verify,
    "inspect": _inspect,
    "recover": _recover,
    "prepare": lambda session: session.target.prepare(session.options.name),
    "swap": lambda session: session.target.swap(),
    "undo": lambda session: session.target.undo(),
    "settle": lambda session: session.target.settle(),
    "drop-old": lambda session: session.target.drop_old(),
    "export": lambda session: transfer.export(session.store, session.options.name, sys.stdout.buffer),
    "import": lambda session: transfer.import_file(session.store, sys.stdin.buffer, session.identity),
}


def main() -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="backup", description=__doc__)
    parser.add_argument("command", choices=[*_UNLOCKED, *_LOCKED])
    parser.add_argument("name", nargs="?", default="latest")
    parser.add_argument("--label")
    parser.add_argument("--verify", action="store_true")
    options = parser.parse_args()
    try:
        session = Session(options)
        with session.store.locked() if options.command in _LOCKED else contextlib.nullcontext():
            result = {**_UNLOCKED, **_LOCKED}[options.command](session)
    except (OSError, Failure) as error:
        failure = of_system(error) if isinstance(error, OSError) else error
        log("failed", level="error", command=options.command, cause=failure.cause, hint=failure.hint)
        sys.stdout.write(json.dumps({"error": failure.cause, "hint": failure.hint}) + "\n")
        return 1
    if result is not None:
        sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
