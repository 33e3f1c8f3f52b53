"""Run one command in the image: the scheduler, a backup, a verification, or a step of a restore.

The log goes to stderr. The result goes to stdout as one JSON object, which the commands on the host read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from . import (
    archive,
    creation,
    database,
    environment,
    legacy,
    maintenance,
    manifest,
    schedule,
    transfer,
    verification,
)
from .failures import Failure, of_system
from .report import UTC, log
from .restoration import Target
from .store import IMPORTED, Store

_UNLOCKED = ("schedule", "receive", "ship", "list")  # these may run beside others, for long


class Commands:
    """The image's commands; each returns its result."""

    def __init__(self, options: argparse.Namespace) -> None:
        settings = environment.read()
        given = sys.stdin.read().strip() if options.identity_stdin else None
        self.options = options
        self.identity = given or settings.identity
        # a file may come with the password of another environment, or an old one with a secret key
        self.store = Store(settings, None if given and legacy.is_key(given) else given)
        self.server = database.Server(environment.database_environment())
        self.target = Target(self.store, self.server)

    def run(self) -> Any:
        """Run the command that the options name."""
        command: Callable[[], Any] = getattr(self, self.options.command.replace("-", "_"))
        if self.options.command in _UNLOCKED:
            return command()
        with self.store.locked():
            return command()

    def backup(self) -> Any:
        return creation.create(self.store, self.server, label=self.options.label, verify=self.options.verify)

    def daily(self) -> None:
        creation.create(self.store, self.server, label=None, verify=True)
        maintenance.after_backup(self.store, self.server)

    def schedule(self) -> None:
        schedule.Scheduler(self.store.settings).run()

    def receive(self) -> None:
        archive.receive(self.store, self.server)

    def ship(self) -> Any:
        return maintenance.ship(self.store, self.server)

    def list(self) -> Any:
        return self.store.listing()

    def verify(self) -> Any:
        name = transfer.adopt(self.store, self.options.name, self.identity)
        try:
            return verification.verify(self.store, self.store.find(name), read_media=True)
        finally:
            if name == IMPORTED:
                transfer.forget(self.store)

    def inspect(self) -> Any:
        name = transfer.adopt(self.store, self.options.name, self.identity)
        kept = self.store.find(name)
        made = manifest.parse(kept.read(manifest.FILE))
        return {**made, "source": name if name == IMPORTED else kept.name, "target": self.target.state()}

    def recover(self) -> Any:
        moment = archive.parse_moment(self.options.name)
        before = [
            each.name for each in self.store.local.backups() if moment and manifest.moment_of(each.name) <= moment
        ]
        label = f"at-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" if moment else "at-the-end"
        with archive.recovered(self.store, self.server, moment) as server:
            also = before[-1] if before else ""
            return creation.make(self.store, server, label=label, verify=False, also=also)

    def prepare(self) -> Any:
        return self.target.prepare(self.options.name)

    def swap(self) -> Any:
        result = self.target.swap()
        transfer.forget(self.store)
        return result

    def undo(self) -> Any:
        return self.target.undo()

    def settle(self) -> Any:
        return self.target.settle()

    def drop_old(self) -> Any:
        return self.target.drop_old()

    def export(self) -> None:
        transfer.export(self.store, self.options.name, sys.stdout.buffer)

    def import_(self) -> Any:
        transfer.import_file(self.store, sys.stdin.buffer, self.identity)
        return {"name": IMPORTED}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="backup", description=__doc__)
    commands = [name.replace("_", "-") for name in vars(Commands) if not name.startswith("_") and name != "run"]
    parser.add_argument("command", choices=[*commands, "import"])
    parser.add_argument("name", nargs="?", default="latest")
    parser.add_argument("--label")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--identity-stdin", action="store_true")
    options = parser.parse_args()
    options.command = "import-" if options.command == "import" else options.command
    return options


def main() -> int:
    """Run the command and return its exit status."""
    options = _options()
    try:
        result = Commands(options).run()
    except OSError as error:
        return _failed(options.command, of_system(error))
    except Failure as failure:
        return _failed(options.command, failure)
    if result is not None:
        sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _failed(command: str, failure: Failure) -> int:
    log("failed", level="error", command=command, cause=failure.cause, hint=failure.hint)
    sys.stdout.write(json.dumps({"error": failure.cause, "hint": failure.hint}) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
