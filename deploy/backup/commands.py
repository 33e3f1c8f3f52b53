"""The commands for operators on the host: backup, verify and restore.

They run the steps in the image of the service `backup` and print the result. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from host import volumes
from host.console import Console, Failure
from host.lock import exclusive
from host.stack import Stack

SERVICES = ("backend", "worker", "backup")
READY_SECONDS = 330  # longer than the start period of the health check
_PREPARED = "todo_db_restoring"


class Image:
    """Run commands in the backup image of a stack."""

    def __init__(self, stack: Stack, *, service: str = "backup") -> None:
        self.stack = stack
        self._service = service

    def ask(
        self,
        *words: str,
        given: str | None = None,
        source: Path | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a command and return its result. Raise Failure with its cause and hint if it fails."""
        arguments = (
            "run",
            "--rm",
            "--no-deps",
            "-T",
            self._service,
            *words,
            *(["--identity-stdin"] if given else []),
        )
        with open(source or os.devnull, "rb") as content:
            pipes: dict[str, Any] = {"given": given} if given else {"source": content}
            done = self.stack.compose(*arguments, check=False, timeout=None, extra=extra, **pipes)
        result = _last_object(done.stdout)
        if done.returncode or result is None:
            if result is None:
                output = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
                raise Failure(
                    f"the backup image returned no result:\n{output}",
                    "fix the error above, then run the command again",
                )
            raise Failure(str(result["error"]), str(result["hint"]))
        return result

    def export(self, name: str, path: Path) -> None:
        """Write a backup to one file, completely or not at all."""
        draft = path.with_name(f".{path.name}.partial")
        try:
            with open(draft, "wb") as target:
                os.chmod(draft, 0o600)
                self.stack.compose(
                    *("run", "--rm", "--no-deps", "-T", self._service, "export", name),
                    output=target,
                    timeout=None,
                )
                target.flush()
                os.fsync(target.fileno())
            os.replace(draft, path)
        except OSError as error:
            raise Failure(f"{path} cannot be written: {error.strerror}", "choose another file with --to") from None
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()

    def named(self, name: str, identity: str | None) -> str:
        """Return the name under which the image finds a backup; a file on the host is imported first."""
        path = Path(name)
        if not path.is_file():
            return name
        extra = {"BACKUP_IDENTITY": identity} if identity else None
        return str(self.ask("import", source=path, extra=extra)["name"])


def _need_own_database(stack: Stack) -> None:
    if not stack.has_own_database:
        raise Failure(
            "DATABASE_URL names an external database, which this command cannot back up or restore",
            "use the backups of the server that hosts it",
        )


def _last_object(text: str) -> dict[str, Any] | None:
    for line in reversed(text.splitlines()):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                return found
    return None


def backup(console: Console, options: argparse.Namespace) -> None:
    """Make a backup, or list the existing ones."""
    image = Image(Stack(options.env))
    if options.list:
        result = image.ask("list")
        for note in result["notes"]:
            console.note(f"note: {note}")
        console.result(_table(result["backups"]), {"ok": True, **result})
        return
    _need_own_database(image.stack)
    volumes.keep(image.stack, console)
    words = ["backup", *(["--label", options.label] if options.label else [])]
    with console.step(f"backing up {options.env}"):
        result = image.ask(*words, *(["--verify"] if options.verify else []))
    for note in result["notes"]:
        console.note(f"note: {note}")
    if options.to:
        with console.step(f"writing {options.to}"):
            image.export(str(result["name"]), options.to)
    state = "verified" if result["verified_at"] else "not verified"
    added = result.get("added_bytes")  # before an update, the image of the older version makes the backup
    size = f"{result['bytes']} bytes" + (f", of which {added} were new" if added is not None else "")
    console.result(f"{result['name']}: {size}, {state}", {"ok": True, **result})


def _table(backups: list[dict[str, Any]]) -> str:
    lines = [
        f"{each['name']:<40} {each['bytes'] or '':>14} {each['verified_at'] or 'not verified':<21}"
        f" {' '.join(each['places'])}"
        for each in backups
    ]
    return "\n".join(lines) or "no backups yet"


def verify(console: Console, options: argparse.Namespace) -> None:
    """Restore a backup on trial, and read its media."""
    image, identity = Image(Stack(options.env)), _identity(options)
    with console.step(f"verifying {options.name}"):
        result = image.ask("verify", image.named(options.name, identity), given=identity)
    lines = [*(f"verified: {each}" for each in result["proved"])]
    console.result("\n".join([str(result["name"]), *lines]), {"ok": True, **result})


def _identity(options: argparse.Namespace) -> str | None:
    if not options.identity:
        return None
    try:
        return str(options.identity.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(
            f"{options.identity} cannot be read: {error}", "give the file with the password or key: --identity FILE"
        ) from None


class Restore:
    """Restore a backup: prepare it beside the data in use, then swap the two."""

    def __init__(self, console: Console, options: argparse.Namespace) -> None:
        self._console = console
        self._options = options
        self._stack = Stack(options.env)
        _need_own_database(self._stack)
        self._image = Image(self._stack, service="restore")
        self._running: list[str] = []

    def run(self) -> dict[str, Any]:
        """Run the restore, the undo or the removal, as the options say."""
        with exclusive(self._stack, "restore", self._console):
            self._need_the_database()
            settled = self._image.ask("settle")
            if settled["outcome"] != "nothing":
                self._console.note(f"an interrupted restore was {settled['outcome']}")
            if self._options.undo:
                self._refuse_to_undo_nothing(settled)
                return self._exchange("undo")
            result: dict[str, Any] = {}
            if self._options.name or self._options.to:
                result = self._restore()
            if self._options.drop_old:
                result = {**result, **self._image.ask("drop-old")}
            return result

    def _restore(self) -> dict[str, Any]:
        identity = _identity(self._options)
        if self._options.to:
            with self._console.step(f"recovering {self._options.to} from the archive"):
                name = str(self._image.ask("recover", self._options.to)["name"])
        else:
            name = self._image.named(self._options.name, identity)
        with self._console.step(f"checking {name}"):
            found = self._image.ask("inspect", name, given=identity)
        is_empty = self._refuse_to_overwrite(found["target"])
        self._refuse_newer(found["database"]["migrations"])
        safety = None
        if not is_empty and not self._options.no_safety_backup:
            with self._console.step("backing up the current data"):
                safety = self._image.ask("backup", "--label", "before-restore", "--verify")["name"]
        with self._console.step("restoring beside the current data"):
            self._image.ask("prepare", str(found["source"]), given=identity)
        with self._console.step("migrating the restored data"):
            self._migrate()
        return {"restored": found["name"], "safety_backup": safety, **self._exchange("swap")}

    def _exchange(self, word: str) -> dict[str, Any]:
        """Stop the services, swap the data, start the services again in any case, and wait for readiness."""
        running = self._stack.compose("ps", "--services", "--status", "running").stdout.split()
        self._running = [name for name in SERVICES if name in running]
        with self._paused(), self._console.step("swapping the data"):
            result = self._whole(word)
        if "backend" in self._running:
            with self._console.step("waiting until the backend is ready"):
                self._wait_until_ready()
        return result

    def _whole(self, word: str) -> dict[str, Any]:
        """Swap both the database and the media, or neither. Nothing may write in between."""
        try:
            return self._image.ask(word)
        except (Failure, KeyboardInterrupt):
            settled = self._image.ask("settle")
            if settled["outcome"] != "finished":
                raise
            return {"kept": settled["kept"]}

    @contextlib.contextmanager
    def _paused(self) -> Iterator[None]:
        if self._running and (self._options.replace or self._options.undo):
            with self._console.step(f"stopping {', '.join(self._running)}"):
                self._stack.compose("stop", *self._running)
        try:
            yield
        finally:
            if self._running:
                with self._console.step(f"starting {', '.join(self._running)}"):
                    self._stack.compose("start", *self._running)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            asked = ("exec", "-T", "backend", "python", "healthcheck.py", "/health/ready")
            if self._stack.compose(*asked, check=False).returncode == 0:
                return
            time.sleep(1)
        raise Failure(
            f"the data was restored, but the backend was not ready within {READY_SECONDS} s",
            f"see make logs ENV={self._options.env} SERVICE=backend; "
            f"to go back: deploy/backup/restore {self._options.env} --undo",
        )

    def _need_the_database(self) -> None:
        self._stack.compose("up", "-d", "--no-recreate", "--wait", "--no-deps", "db")

    def _refuse_to_undo_nothing(self, settled: dict[str, Any]) -> None:
        """Raise Failure before any service is stopped."""
        if settled.get("replaced") == []:  # an older image does not say
            raise Failure(
                "there is nothing to undo: no restore has left the data that it replaced, or --drop-old removed it",
                f"restore a backup instead: deploy/backup/restore {self._options.env} NAME --replace",
            )

    def _refuse_newer(self, migrations: dict[str, list[str]]) -> None:
        known = self._stack.compose(
            *("run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "backend"),
            "manage.py",
            "known_migrations",
        ).stdout.split()
        unknown = sorted({f"{app}.{name}" for app, names in migrations.items() for name in names} - set(known))
        if unknown:
            raise Failure(
                f"the backup is from a newer release than the image {self._stack.tag}, which lacks migrations: "
                + ", ".join(unknown[:5]),
                "set IMAGE_TAG to the release of the backup or a newer one, then run the command again",
            )

    def _refuse_to_overwrite(self, target: dict[str, Any]) -> bool:
        """Return whether the target is empty. Raise Failure if it is in use or has data, unless with --replace."""
        chosen = self._options.name or f"--to '{self._options.to}'"
        replace = f"deploy/backup/restore {self._options.env} {chosen} --replace"
        rows = target["rows"]
        if (rows or target["media"]) and not self._options.replace:
            held = ", ".join(f"{table} {count}" for table, count in list(rows.items())[:5])
            raise Failure(
                f"{self._options.env} holds data: {held or 'no rows'}; {target['media']} entries in the media",
                f"to replace it (the old data is kept until --drop-old): {replace}",
            )
        if target["connected"] and not self._options.replace:
            raise Failure(
                f"others are connected to the database: {'; '.join(target['connected'])}",
                f"close other connections yourself; {replace} stops backend, worker and backup",
            )
        return not rows and not target["media"]

    def _migrate(self) -> None:
        self._stack.compose(
            *("run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "backend"),
            *("manage.py", "migrate_locked", "--beside", _PREPARED),
            timeout=None,
        )


def restore(console: Console, options: argparse.Namespace) -> None:
    """Restore a backup, undo the last restore, or remove the data that restores replaced."""
    if sum(map(bool, (options.name, options.to, options.undo))) != 1 and not options.drop_old:
        raise Failure(
            "it is not clear what to restore",
            "give the name of a backup, --to and a moment, or --undo; or only --drop-old",
            code=2,
        )
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
    parser.add_argument("env", metavar="ENV", help="prod, staging, or the NAME of another env file")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    if command == "backup":
        parser.add_argument("--label", help="add this to the name, such as before-1.4.2")
        parser.add_argument(
            "--verify", action="store_true", help="restore it on trial, and fail if that does not work"
        )
        parser.add_argument(
            "--to", type=Path, metavar="FILE", help="also write the backup to one file on this host"
        )
        parser.add_argument("--list", action="store_true", help="list the backups and make none")
        return parser
    parser.add_argument(
        "--identity",
        type=Path,
        metavar="FILE",
        help="the BACKUP_PASSWORD of that time, or the secret key of age or gpg for a backup of an older release",
    )
    if command == "verify":
        parser.add_argument(
            "name",
            metavar="NAME|FILE",
            nargs="?",
            default="latest",
            help="a name from `backup --list` or a file (default: latest)",
        )
        return parser
    parser.add_argument(
        "name", metavar="NAME|FILE", nargs="?", help="a name from `backup --list`, latest, or a file"
    )
    parser.add_argument(
        "--to",
        metavar="MOMENT",
        help="a moment such as '2026-11-29 09:12:00+01', or latest: the end of a lost database",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace the current data; the services are stopped meanwhile"
    )
    parser.add_argument("--no-safety-backup", action="store_true", help="do not back up the current data first")
    parser.add_argument("--undo", action="store_true", help="bring back the data that the last restore replaced")
    parser.add_argument("--drop-old", action="store_true", help="remove the old data that restores have kept")
    return parser


_COMMANDS: dict[str, Callable[[Console, argparse.Namespace], None]] = {
    "backup": backup,
    "verify": verify,
    "restore": restore,
}


def main(command: str, arguments: Sequence[str]) -> None:
    """Parse the arguments and run the command."""
    options = _options(command).parse_args(arguments)
    console = Console(as_json=options.json)
    try:
        _COMMANDS[command](console, options)
    except Failure as refused:
        console.give_up(refused)
