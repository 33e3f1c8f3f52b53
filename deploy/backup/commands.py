"""This will be the three commands for operators on the host: backup, verify and restore.

They run the steps in the image of the service `backup` and say what came of them. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from host.console import Console, Refused
from host.lock import exclusive
from host.stack import Stack

SERVICES = ("backend", "worker", "backup")
READY_SECONDS = 180
_PREPARED = "todo_db_restoring"


class Image:
    """The backup image of a stack: runs one of its commands and returns what it told."""

    def __init__(self, stack: Stack, *, service: str = "backup") -> None:
        self.stack = stack
        self._service = service

    def ask(self, *words: str, given: str | None = None, source: Path | None = None) -> dict[str, Any]:
        """Return the result of a command; its failure is raised as Refused, with its own hint."""
        arguments = ("run", "--rm", "--no-deps", "-T", self._service, *words)
        if source:
            with open(source, "rb") as content:
                done = self.stack.compose(*arguments, check=False, timeout=None, source=content)
        else:
            done = self.stack.compose(*arguments, check=False, timeout=None, given=given)
        facts = _last_object(done.stdout)
        if done.returncode or facts is None:
            if facts is None:
                said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
                raise Refused(f"the backup image did not answer:\n{said}", "mend what it says, then repeat")
            raise Refused(str(facts["error"]), str(facts["hint"]))
        return facts

    def export(self, name: str, path: Path) -> None:
        """Write a backup as one file, whole or not at all."""
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
            raise Refused(f"{path} cannot be written: {error.strerror}", "name another file with --to") from None
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()

    def named(self, name: str) -> str:
        """Return the name of a backup; a file on the host is taken in first."""
        path = Path(name)
        return str(self.ask("import", source=path)["name"]) if path.is_file() else name


def _need_own_database(stack: Stack) -> None:
    if not stack.has_own_database:
        raise Refused(
            "DATABASE_URL names a database elsewhere, which is not backed up from here",
            "use the backups it has there",
        )


def _last_object(text: str) -> dict[str, Any] | None:
    for line in reversed(text.splitlines()):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                return found
    return None


def backup(console: Console, options: argparse.Namespace) -> None:
    """Make a backup, or list the ones there are."""
    image = Image(Stack(options.env))
    if options.list:
        facts = image.ask("list")
        console.result(_table(facts["backups"]), {"ok": True, **facts})
        return
    _need_own_database(image.stack)
    words = ["backup"]
    words += ["--label", options.label] if options.label else []
    words += ["--verify"] if options.verify else []
    with console.step(f"backup of {options.env}"):
        facts = image.ask(*words)
    for note in facts["notes"]:
        console.note(f"note: {note}")
    for name in facts["removed"]:
        console.note(f"removed: {name}")
    if options.to:
        with console.step(f"copy to {options.to}"):
            image.export(str(facts["name"]), options.to)
    state = "verified" if facts["verified_at"] else "not verified"
    console.result(f"{facts['name']}: {facts['bytes']} bytes, {state}", {"ok": True, **facts})


def _table(backups: list[dict[str, Any]]) -> str:
    lines = [
        f"{each['name']:<40} {each['bytes'] or '':>14} {each['verified_at'] or 'not verified':<21}"
        f" {' '.join(each['places'])}"
        for each in backups
    ]
    return "\n".join(lines) or "there is no backup"


def verify(console: Console, options: argparse.Namespace) -> None:
    """Prove that a backup can be restored, or say what is wrong with it."""
    image = Image(Stack(options.env))
    with console.step(f"verification of {options.name}"):
        name = image.named(options.name)
        facts = image.ask("verify", name, *_identity_word(options), given=_identity(options))
    lines = [
        *(f"proved: {each}" for each in facts["proved"]),
        *(f"not proved: {each}" for each in facts["unproved"]),
    ]
    console.result("\n".join([str(facts["name"]), *lines]), {"ok": True, **facts})


def _identity_word(options: argparse.Namespace) -> list[str]:
    return ["--identity-stdin"] if options.identity else []


def _identity(options: argparse.Namespace) -> str | None:
    if not options.identity:
        return None
    try:
        return str(options.identity.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{options.identity} cannot be read: {error}", "name the file with the secret key") from None


class Restore:
    """One restore: everything slow happens beside what is in use, then names are exchanged."""

    def __init__(self, console: Console, options: argparse.Namespace) -> None:
        self._console = console
        self._options = options
        self._stack = Stack(options.env)
        _need_own_database(self._stack)
        self._image = Image(self._stack, service="restore")
        self._running: list[str] = []

    def run(self) -> dict[str, Any]:
        """Do what the options say."""
        with exclusive(self._stack, "restore", self._console):
            self._need_the_database()
            settled = self._image.ask("settle")
            if settled["outcome"] != "nothing":
                self._console.note(f"an interrupted restore was {settled['outcome']}")
            if self._options.undo:
                return self._exchange("undo")
            facts: dict[str, Any] = {}
            if self._options.name:
                facts = self._restore()
            if self._options.drop_old:
                facts = {**facts, **self._image.ask("drop-old")}
            return facts

    def _restore(self) -> dict[str, Any]:
        name = self._image.named(self._options.name)
        with self._console.step(f"look at {name}"):
            found = self._image.ask("inspect", name)
        name = str(found["name"])
        is_empty = self._refuse_to_overwrite(found["target"])
        self._refuse_newer(found["database"]["migrations"])
        safety = None
        if not is_empty and not self._options.no_safety_backup:
            with self._console.step("backup of what is there now"):
                safety = self._image.ask("backup", "--label", "before-restore", "--verify")["name"]
        with self._console.step("restore beside what is in use"):
            self._image.ask("prepare", name, *_identity_word(self._options), given=_identity(self._options))
        with self._console.step("migrate it to this image's release"):
            self._migrate()
        return {"restored": name, "safety_backup": safety, **self._exchange("swap")}

    def _exchange(self, word: str) -> dict[str, Any]:
        """Stop what uses the data, exchange the names, start it again whatever happens, see that it is ready."""
        running = self._stack.compose("ps", "--services", "--status", "running").stdout.split()
        self._running = [name for name in SERVICES if name in running]
        with self._paused(), self._console.step("exchange"):
            facts = self._whole(word)
        if "backend" in self._running:
            with self._console.step("readiness"):
                self._wait_until_ready()
        return facts

    def _whole(self, word: str) -> dict[str, Any]:
        """Exchange both, the database and the media, or neither: nobody may write between the two."""
        try:
            return self._image.ask(word)
        except (Refused, KeyboardInterrupt):
            settled = self._image.ask("settle")
            if settled["outcome"] != "finished":
                raise
            return {"kept": settled["kept"]}

    @contextlib.contextmanager
    def _paused(self) -> Iterator[None]:
        if self._running and (self._options.replace or self._options.undo):
            with self._console.step(f"stop {', '.join(self._running)}"):
                self._stack.compose("stop", *self._running)
        try:
            yield
        finally:
            if self._running:
                with self._console.step(f"start {', '.join(self._running)}"):
                    self._stack.compose("start", *self._running)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            asked = ("exec", "-T", "backend", "python", "healthcheck.py", "/health/ready")
            if self._stack.compose(*asked, check=False).returncode == 0:
                return
            time.sleep(1)
        raise Refused(
            f"the data are restored, but the backend is not ready after {READY_SECONDS} s",
            f"make logs ENV={self._options.env} SERVICE=backend shows why; "
            f"deploy/backup/restore {self._options.env} --undo takes it back",
        )

    def _need_the_database(self) -> None:
        self._stack.compose("up", "-d", "--no-recreate", "--wait", "--no-deps", "db")

    def _refuse_newer(self, migrations: dict[str, list[str]]) -> None:
        told = self._stack.compose(
            *("run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "backend"),
            "manage.py",
            "known_migrations",
        ).stdout.split()
        unknown = sorted({f"{app}.{name}" for app, names in migrations.items() for name in names} - set(told))
        if unknown:
            raise Refused(
                f"the backup is from a newer release than the image {self._stack.tag}, which lacks the migrations "
                + ", ".join(unknown[:5]),
                "set IMAGE_TAG to the release of the backup, or a newer one, then repeat",
            )

    def _refuse_to_overwrite(self, target: dict[str, Any]) -> bool:
        """Return whether the target is empty; refuse one in use, or with data, unless it is to be replaced."""
        replace = f"deploy/backup/restore {self._options.env} {self._options.name} --replace"
        rows = target["rows"]
        if (rows or target["media"]) and not self._options.replace:
            held = ", ".join(f"{table} {count}" for table, count in list(rows.items())[:5])
            raise Refused(
                f"{self._options.env} holds data: {held or 'no rows'}, {target['media']} entries among the media",
                f"{replace} puts the backup in their place; they are kept beside it",
            )
        if target["connected"] and not self._options.replace:
            raise Refused(
                f"others are connected to the database: {'; '.join(target['connected'])}",
                f"{replace} stops backend, worker and backup; end anybody else yourself",
            )
        return not rows and not target["media"]

    def _migrate(self) -> None:
        self._stack.compose(
            *("run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "backend"),
            *("manage.py", "migrate_locked", "--beside", _PREPARED),
            timeout=None,
        )


def restore(console: Console, options: argparse.Namespace) -> None:
    """Put a backup in the place of what is there, or take that back."""
    if bool(options.name) == options.undo and not options.drop_old:
        raise Refused("nothing to do was named", "name a backup, or --undo, or --drop-old", code=2)
    facts = Restore(console, options).run()
    lines = [f"{word.replace('_', ' ')}: {value}" for word, value in facts.items()]
    console.result("\n".join(lines), {"ok": True, **facts})


def _options(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"deploy/backup/{command}", description=_COMMANDS[command].__doc__)
    parser.add_argument("env", metavar="ENV", help="prod, staging, or the NAME of another env file")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    if command == "backup":
        parser.add_argument("--label", help="part of the name, such as before-1.4.2")
        parser.add_argument("--verify", action="store_true", help="restore it on trial; fail unless it is good")
        parser.add_argument("--to", type=Path, metavar="FILE", help="also write it as one file on this host")
        parser.add_argument("--list", action="store_true", help="list the backups instead")
        return parser
    parser.add_argument(
        "--identity", type=Path, metavar="FILE", help="secret key of age or gpg, for an encrypted one"
    )
    if command == "verify":
        parser.add_argument("name", metavar="NAME|FILE", nargs="?", default="latest", help="default: latest")
        return parser
    parser.add_argument("name", metavar="NAME|FILE", nargs="?", help="a name from --list, latest, or a file")
    parser.add_argument("--replace", action="store_true", help="also where there are data or connections")
    parser.add_argument("--no-safety-backup", action="store_true", help="no backup of what is replaced")
    parser.add_argument("--undo", action="store_true", help="take back what the last restore replaced")
    parser.add_argument("--drop-old", action="store_true", help="remove what restores have replaced")
    return parser


_COMMANDS: dict[str, Callable[[Console, argparse.Namespace], None]] = {
    "backup": backup,
    "verify": verify,
    "restore": restore,
}


def main(command: str, arguments: Sequence[str]) -> None:
    """Run one of the three."""
    options = _options(command).parse_args(arguments)
    console = Console(as_json=options.json)
    try:
        _COMMANDS[command](console, options)
    except Refused as refused:
        console.give_up(refused)
