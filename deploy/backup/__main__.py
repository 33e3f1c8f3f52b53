"""Run one command in the image: the scheduler, a backup, a verification, or a step of a restore.

The log goes to stderr. The result goes to stdout as one JSON object, which the commands on the host read.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any

from . import archive, creation, database, environment, manifest, transfer, verification
from .database import Server
from .report import REPEAT, Failure, log
from .restoration import Target
from .schedule import Scheduler
from .store import IMPORTED, Store


def _daily(store: Store, server: Server) -> None:
    creation.create(store, server, label=None, verify=True)
    creation.after_backup(store, server)


def _verify(store: Store, name: str) -> dict[str, Any]:
    kept = store.find(name)
    try:
        return verification.verify(store, kept, read_media=True)
    finally:
        if kept.place is store.imported:
            store.forget_imported()


def _inspect(store: Store, server: Server, name: str) -> dict[str, Any]:
    kept = store.find(name)
    source = IMPORTED if kept.place is store.imported else kept.name
    return {**kept.manifest(), "source": source, "target": Target(store, server).state()}


def _recover(store: Store, server: Server, text: str) -> dict[str, Any]:
    moment = archive.parse_moment(text)
    names = [each.name for each in store.local.backups() if moment and manifest.moment_of(each.name) <= moment]
    label = f"at-{manifest.new_name(moment, None)}" if moment else "at-the-end"
    with archive.recovered(store, server, moment) as recovered:
        return creation.make(store, recovered, label=label, verify=False, also=max(names, default=""))


_UNLOCKED = ("schedule", "receive", "ship", "list")  # these may run beside others, for long
_COMMANDS: dict[str, Callable[[Store, Server, argparse.Namespace], Any]] = {
    "schedule": lambda store, server, _: Scheduler(store, server).run(),
    "receive": lambda store, server, _: archive.receive(store, server),
    "ship": lambda store, server, _: creation.ship(store, server),
    "list": lambda store, _, __: store.listing(),
    "backup": lambda store, server, given: creation.create(store, server, label=given.label, verify=given.verify),
    "daily": lambda store, server, _: _daily(store, server),
    "verify": lambda store, _, given: _verify(store, given.name),
    "inspect": lambda store, server, given: _inspect(store, server, given.name),
    "recover": lambda store, server, given: _recover(store, server, given.name),
    "prepare": lambda store, server, given: Target(store, server).prepare(given.name),
    "swap": lambda store, server, _: Target(store, server).swap(),
    "undo": lambda store, server, _: Target(store, server).undo(),
    "settle": lambda store, server, _: Target(store, server).settle(),
    "drop-old": lambda store, server, _: Target(store, server).drop_old(),
    "export": lambda store, _, given: transfer.export(store, given.name, sys.stdout.buffer),
    "import": lambda store, _, __: transfer.import_file(store, sys.stdin.buffer),
}


def main() -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="backup", description=__doc__)
    parser.add_argument("command", choices=_COMMANDS)
    parser.add_argument("name", nargs="?", default="latest")
    parser.add_argument("--label")
    parser.add_argument("--verify", action="store_true")
    given = parser.parse_args()
    try:
        store = Store(environment.read())
        with contextlib.nullcontext() if given.command in _UNLOCKED else store.locked():
            result = _COMMANDS[given.command](store, database.in_use(), given)
    except (OSError, Failure) as error:
        failure = error if isinstance(error, Failure) else Failure(str(error), REPEAT)
        log("failed", level="error", command=given.command, cause=failure.cause, hint=failure.hint)
        sys.stdout.write(json.dumps({"error": failure.cause, "hint": failure.hint}) + "\n")
        return 1
    if result is not None:
        sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
