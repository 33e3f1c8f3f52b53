"""Run one command in the image: the scheduler, a backup, a verification, or a step of a restore.

The log goes to stderr. The result goes to stdout as one JSON object, which the commands on the host read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from . import creation, database, environment, schedule, transfer, verification
from .environment import Settings
from .failures import Failure, of_system
from .report import log
from .restoration import Target
from .store import Store


def _backup(settings: Settings, options: argparse.Namespace) -> Any:
    return creation.create(settings, label=options.label, verify=options.verify)


def _list(settings: Settings, options: argparse.Namespace) -> Any:
    return {"backups": transfer.listing(settings)}


def _verify(settings: Settings, options: argparse.Namespace) -> Any:
    store, identity = Store(settings.root), _identity(settings, options)
    with store.locked():
        name = transfer.fetch(settings, store, options.name)
        with verification.decrypted(store, name, identity) as cipher:
            return verification.verify(store, name, cipher)


def _inspect(settings: Settings, options: argparse.Namespace) -> Any:
    store = Store(settings.root)
    with store.locked():
        kept = store.manifest(transfer.fetch(settings, store, options.name))
        verification.checksums(kept, store.root / kept.name)
    manifest = json.loads(kept.text())
    return {**manifest, "verified_at": store.verified(kept.name), "target": _target(settings).state()}


def _prepare(settings: Settings, options: argparse.Namespace) -> Any:
    store, identity = Store(settings.root), _identity(settings, options)
    with store.locked():
        kept = store.manifest(options.name)
        with verification.decrypted(store, kept.name, identity) as cipher:
            if not cipher.can_read():
                raise Failure("the backup is encrypted", "give the secret key: --identity FILE")
            _target(settings).prepare(store, kept, cipher)
    return {"prepared": kept.name}


def _step(name: str) -> Callable[[Settings, argparse.Namespace], Any]:
    def run(settings: Settings, options: argparse.Namespace) -> Any:
        with Store(settings.root).locked():
            return getattr(_target(settings), name)()

    return run


def _target(settings: Settings) -> Target:
    return Target(settings, database.Server(environment.database_environment()))


def _export(settings: Settings, options: argparse.Namespace) -> Any:
    transfer.export(Store(settings.root), options.name, sys.stdout.buffer)


def _import(settings: Settings, options: argparse.Namespace) -> Any:
    store = Store(settings.root)
    with store.locked():
        return {"name": transfer.import_backup(store, sys.stdin.buffer)}


def _identity(settings: Settings, options: argparse.Namespace) -> str | None:
    return sys.stdin.read() if options.identity_stdin else settings.identity


def _schedule(settings: Settings, options: argparse.Namespace) -> Any:
    schedule.Scheduler(settings).run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="backup", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    backup = commands.add_parser("backup")
    backup.add_argument("--label")
    backup.add_argument("--verify", action="store_true")
    for name in ("verify", "inspect", "prepare", "export"):
        one = commands.add_parser(name)
        one.add_argument("name", nargs="?", default="latest")
        one.add_argument("--identity-stdin", action="store_true")
    for name in ("list", "import", "swap", "undo", "settle", "drop-old", "schedule"):
        commands.add_parser(name)
    return parser


COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], Any]] = {
    "backup": _backup,
    "verify": _verify,
    "list": _list,
    "inspect": _inspect,
    "prepare": _prepare,
    "export": _export,
    "import": _import,
    "swap": _step("swap"),
    "undo": _step("undo"),
    "settle": _step("settle"),
    "drop-old": _step("drop_old"),
    "schedule": _schedule,
}


def main() -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args()
    try:
        result = COMMANDS[options.command](environment.read(), options)
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
