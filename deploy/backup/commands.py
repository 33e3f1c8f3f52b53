"""The commands for operators on the host: backup, verify and restore.

They run the steps in the image of the service `backup` and print the result. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from host import volumes
from host.console import Console, Failure
from host.lock import exclusive
from host.stack import Stack

SERVICES = ("backend", "worker", "backup")
_PREPARED = "todo_db_restoring"


class Image:
    """Run commands in the backup image of a stack."""

    def __init__(self, stack: Stack, *, service: str = "backup", identity: str | None = None) -> None:
        self.stack = stack
        self._run = ("run", "--rm", "--no-deps", "-T", service)
        self._extra = {"BACKUP_IDENTITY": identity} if identity else {}

    def ask(self, *words: str, source: IO[bytes] | None = None) -> dict[str, Any]:
        """Run a command and return its result. Raise Failure with its cause and hint if it fails."""
        done = self.stack.compose(*self._run, *words, check=False, timeout=None, extra=self._extra, source=source)
        try:
            result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            output = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
            hint = "fix the error above, then run the command again"
            raise Failure(f"the backup image returned no result:\n{output}", hint) from None
        if done.returncode:
            raise Failure(result["error"], result["hint"])
        return result

    def export(self, name: str, path: Path) -> None:
        """Write a backup to one file, completely or not at all."""
        try:
            with tempfile.TemporaryDirectory(prefix=".backup-", dir=str(path.parent)) as folder:
                draft = Path(folder, path.name)
                draft.touch(mode=0o600)
                with open(draft, "wb") as target:
                    self.stack.compose(*self._run, "export", name, output=target, timeout=None)
                draft.replace(path)
        except OSError as error:
            raise Failure(f"{path} cannot be written: {error.strerror}", "choose another file with --to") from None

    def named(self, name: str) -> str:
        """Return the name under which the image finds a backup; a file on the host is imported first."""
        if not Path(name).is_file():
            return name
        with open(name, "rb") as source:
            return str(self.ask("import", source=source)["name"])


def _need_own_database(stack: Stack) -> None:
    if not stack.has_own_database:
        cause = "DATABASE_URL names an external database, which this command cannot back up or restore"
        raise Failure(cause, "use the backups of the server that hosts it")


def backup(console: Console, options: argparse.Namespace) -> None:
    """Make a backup, or list the existing ones."""
    image = Image(Stack(options.env))
    if options.list:
        result = image.ask("list")
        text = "\n".join(map(_row, result["backups"])) or "no backups yet"
    else:
        _need_own_database(image.stack)
        volumes.keep(image.stack, console)
        words = [*(["--label", options.label] if options.label else []), *(["--verify"] if options.verify else [])]
        with console.step(f"backing up {options.env}"):
            result = image.ask("backup", *words)
        state = "verified" if result["verified_at"] else "not verified"
        text = f"{result['name']}: {result['bytes']} bytes, {state}"
    for note in result["notes"]:
        console.note(f"note: {note}")
    if options.to and not options.list:
        with console.step(f"writing {options.to}"):
            image.export(str(result["name"]), options.to)
    console.result(text, {"ok": True, **result})


def _row(made: dict[str, Any]) -> str:
    proof = made["verified_at"] or "not verified"
    return f"{made['name']:<40} {made['bytes'] or '':>14} {proof:<21} {' '.join(made['places'])}"


def verify(console: Console, options: argparse.Namespace) -> None:
    """Restore a backup on trial, and read its media."""
    image = Image(Stack(options.env), identity=options.identity)
    with console.step(f"verifying {options.name}"):
        result = image.ask("verify", image.named(options.name))
    lines = [f"verified: {each}" for each in result["proved"]]
    console.result("\n".join([result["name"], *lines]), {"ok": True, **result})


class Restore:
    """Restore a backup: prepare it beside the data in use, then swap the two."""

    def __init__(self, console: Console, options: argparse.Namespace) -> None:
        self._console = console
        self._options = options
        self._stack = Stack(options.env)
        _need_own_database(self._stack)
        self._image = Image(self._stack, service="restore", identity=options.identity)

    def run(self) -> dict[str, Any]:
        """Run the restore, the undo or the removal, as the options say."""
        with exclusive(self._stack, "restore", self._console):
            self._running = self._stack.compose("ps", "--services", "--status", "running").stdout.split()
            try:
                self._stack.compose("up", "-d", "--no-recreate", "--wait", "--no-deps", "db")
                return self._run()
            finally:
                if "db" not in self._running:
                    self._stack.compose("stop", "db")

    def _run(self) -> dict[str, Any]:
        settled = self._image.ask("settle")
        if settled["outcome"] != "nothing":
            self._console.note(f"an interrupted restore was {settled['outcome']}")
        if self._options.undo:
            if settled.get("replaced") == []:  # an older image does not say
                hint = f"restore a backup instead: deploy/backup/restore {self._options.env} NAME --replace"
                raise Failure("there is nothing to undo: no replaced data is kept", hint)
            return self._exchange("undo")
        result = self._restore() if self._options.name or self._options.to else {}
        return {**result, **(self._image.ask("drop-old") if self._options.drop_old else {})}

    def _restore(self) -> dict[str, Any]:
        if self._options.to:
            with self._console.step(f"recovering {self._options.to} from the archive"):
                name = str(self._image.ask("recover", self._options.to)["name"])
        else:
            name = self._image.named(self._options.name)
        with self._console.step(f"checking {name}"):
            found = self._image.ask("inspect", name)
        is_empty = self._refuse_to_overwrite(found["target"])
        self._refuse_newer(found["database"]["migrations"])
        safety = None
        if not is_empty and not self._options.no_safety_backup:
            with self._console.step("backing up the current data"):
                safety = self._image.ask("backup", "--label", "before-restore", "--verify")["name"]
        with self._console.step("restoring beside the current data"):
            self._image.ask("prepare", found["source"])
        with self._console.step("migrating the restored data"):
            self._manage("migrate_locked", "--beside", _PREPARED)
        return {"restored": found["name"], "safety_backup": safety, **self._exchange("swap")}

    def _exchange(self, word: str) -> dict[str, Any]:
        """Stop the services, swap the data, start the services again in any case, and wait for readiness."""
        services = [name for name in SERVICES if name in self._running]
        try:
            if services:
                with self._console.step(f"stopping {', '.join(services)}"):
                    self._stack.stop(*services)
            with self._console.step("swapping the data"):
                result = self._swapped(word)
        finally:
            if services:
                with self._console.step(f"starting {', '.join(services)}"):
                    self._stack.compose("start", *services)
        if "backend" in services:
            with self._console.step("waiting until the backend is ready"):
                self._wait_until_ready()
        return result

    def _swapped(self, word: str) -> dict[str, Any]:
        """Swap both the database and the media, or neither. Nothing may write in between."""
        try:
            return self._image.ask(word)
        except (Failure, KeyboardInterrupt):
            settled = self._image.ask("settle")
            if settled["outcome"] != "finished":
                raise
            return {"kept": settled["kept"]}

    def _wait_until_ready(self) -> None:
        if self._stack.compose(
            "up", "-d", "--no-recreate", "--no-deps", "--wait", "backend", check=False
        ).returncode:
            raise Failure(
                "the data was restored, but the backend did not become ready",
                f"see make logs ENV={self._options.env} SERVICE=backend; "
                f"to go back: deploy/backup/restore {self._options.env} --undo",
            )

    def _refuse_newer(self, migrations: dict[str, list[str]]) -> None:
        known = self._manage("known_migrations").split()
        unknown = sorted({f"{app}.{name}" for app, names in migrations.items() for name in names} - set(known))
        if unknown:
            raise Failure(
                f"the backup is from a newer release than the image {self._stack.tag}, which lacks migrations: "
                + ", ".join(unknown[:5]),
                "set IMAGE_TAG to the release of the backup or a newer one, then run the command again",
            )

    def _refuse_to_overwrite(self, target: dict[str, Any]) -> bool:
        """Return whether the target is empty. Raise Failure if it is in use or has data, unless with --replace."""
        is_empty = not target["rows"] and not target["media"]
        held = [f"{count} rows in {table}" for table, count in target["rows"].items()]
        held += [f"{target['media']} entries in the media"] if target["media"] else []
        held += [f"connected: {client}" for client in target["connected"]]
        if held and not self._options.replace:
            env, chosen = self._options.env, self._options.name or f"--to '{self._options.to}'"
            raise Failure(
                f"{env} is in use: {'; '.join(held)}",
                "to stop backend, worker and backup and replace the data, which is kept until --drop-old: "
                f"deploy/backup/restore {env} {chosen} --replace",
            )
        return is_empty

    def _manage(self, *words: str) -> str:
        """Run a command of the backend and return its output."""
        run = ("run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "backend", "manage.py")
        return self._stack.compose(*run, *words, timeout=None).stdout


def restore(console: Console, options: argparse.Namespace) -> None:
    """Restore a backup, undo the last restore, or remove the data that restores replaced."""
    if sum(map(bool, (options.name, options.to, options.undo))) != 1 and not options.drop_old:
        hint = "give the name of a backup, --to and a moment, or --undo; or only --drop-old"
        raise Failure("it is not clear what to restore", hint, code=2)
    result = Restore(console, options).run()
    console.result(_outcome(result), {"ok": True, **result})


def _outcome(result: dict[str, Any]) -> str:
    lines = [f"restored: {result['restored']}"] if "restored" in result else []
    if safety := result.get("safety_backup"):
        lines.append(f"backup of the replaced data: {safety}")
    if "kept" in result:
        lines.append(f"the replaced data is kept as {result['kept']}, until --drop-old")
    if "dropped" in result:
        lines.append(f"removed: {', '.join(result['dropped']) or 'nothing, no replaced data was kept'}")
    return "\n".join(lines)


def _options(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"deploy/backup/{command}", description=_COMMANDS[command].__doc__)
    add = parser.add_argument
    add("env", metavar="ENV", help="prod, staging, or the NAME of another env file")
    add("--json", action="store_true", help="print the result as one JSON object")
    if command == "backup":
        add("--label", help="add this to the name, such as before-1.4.2")
        add("--verify", action="store_true", help="restore it on trial, and fail if that does not work")
        add("--to", type=Path, metavar="FILE", help="also write the backup to one file on this host")
        add("--list", action="store_true", help="list the backups and make none")
        return parser
    add("--identity", type=_content, metavar="FILE", help="the BACKUP_PASSWORD of that time, or its secret key")
    default = "latest" if command == "verify" else None
    add("name", metavar="NAME|FILE", nargs="?", default=default, help="from `backup --list`, or latest, or a file")
    if command == "restore":
        add("--to", metavar="MOMENT", help="such as '2026-11-29 09:12:00+01'; latest: the end of a lost database")
        add("--replace", action="store_true", help="replace the current data; the services are stopped meanwhile")
        add("--no-safety-backup", action="store_true", help="do not back up the current data first")
        add("--undo", action="store_true", help="bring back the data that the last restore replaced")
        add("--drop-old", action="store_true", help="remove the old data that restores have kept")
    return parser


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


_COMMANDS = {"backup": backup, "verify": verify, "restore": restore}


def main(command: str, arguments: Sequence[str]) -> None:
    """Parse the arguments and run the command."""
    options = _options(command).parse_args(arguments)
    console = Console(as_json=options.json)
    start = f"; if the services are stopped after that, start them: make up ENV={options.env}"
    with console.reporting(if_interrupted="run the command again" + start * (command == "restore")):
        _COMMANDS[command](console, options)
