"""Replace a secret while the service runs: SECRET_KEY or the database's password.

The env file decides. Every step is idempotent, so the next command finishes what a killed one left.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from typing import Any, Callable

from host.console import Console, Failure
from host.lock import exclusive
from host.records import Records
from host.stack import Stack

from . import journal, logins, registry, rotations
from .logins import DatabaseLogin
from .releasing import Options, Releasing
from .rotations import BEGAN, DONE, KEY, PASSWORD, RETIRED, SWITCHED, Rotations, mark, require_current


def main(arguments: list[str] | None = None) -> None:
    """Replace a secret of an environment with a new one and restart every container that uses it."""
    parser = argparse.ArgumentParser(prog="rotate", description=main.__doc__)
    parser.add_argument("env", metavar="ENV", help="prod, staging, or the NAME of another env file")
    parser.add_argument("secret", choices=[KEY, PASSWORD])
    parser.add_argument(
        "--retire",
        action="store_true",
        help=f"with {KEY}: forget the former keys; everything they signed becomes invalid",
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    args = parser.parse_args(arguments)
    console = Console(as_json=args.json)
    if args.retire and args.secret != KEY:
        parser.error(f"--retire works with {KEY} only")
    work: dict[str, Callable[[Rotation], dict[str, Any]]] = {KEY: rotate_key, PASSWORD: rotate_password}
    with console.reporting(if_interrupted="run the command again: it finishes the rotation"):
        stack = Stack(args.env)
        with exclusive(stack, " ".join(["rotate", *sys.argv[1:]]), console):
            for name in (journal.NAME, rotations.NAME):
                Records(stack, name).adopt(console)
            rotation = Rotation(stack, console)
            done = retire_keys(rotation) if args.retire else work[args.secret](rotation)
        console.result(f"{args.secret} of {args.env}: {done['step']}", {"ok": True, **done})


class Rotation:
    """What a rotation needs: the stack, the console and the journal."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self.stack = stack
        self.console = console
        self.journal = Rotations.of(stack)

    def value(self, name: str) -> str:
        """Return a secret from the env file, or raise Failure if it is kept elsewhere."""
        value = self.stack.values.get(name, "")
        if not value:
            raise Failure(
                f"{name} is not in {self.stack.env_file}",
                f"replace it where it is kept, such as in the file of {name}_FILE or a vault",
            )
        return value

    def redeploy(self, name: str) -> None:
        """Replace every container that gets the env file's secrets, except the database."""
        with self.console.step(name):
            releasing = Releasing(self.stack, self.console)
            releasing.recover()
            tag = registry.obtain(self.stack, self.console, self.stack.tag)
            releasing.run("deploy", tag, Options(without_backup=True, keep_proxy=True))


def rotate_key(rotation: Rotation) -> dict[str, Any]:
    """Make every replica accept a new key, then sign with it. What the old key signed stays valid.

    In between all replicas know both keys, so that none refuses what another has signed.
    """
    key, former = _keys(rotation)
    unfinished = rotation.journal.unfinished(KEY)
    new = next((each for each in (key, *former) if unfinished and mark(each) == unfinished["new"]), None)
    if new is None:
        new = secrets.token_urlsafe(50)
        rotation.journal.add(KEY, BEGAN, new=mark(new), old=mark(key))
        rotation.stack.set_values({"SECRET_KEY_FALLBACKS": ",".join([new, *former])})
    if new != key:
        rotation.redeploy("making every replica accept the new key")
        others = [each for each in former if each != new]
        rotation.stack.set_values({"SECRET_KEY": new, "SECRET_KEY_FALLBACKS": ",".join([key, *others])})
        rotation.journal.add(KEY, SWITCHED)
    rotation.redeploy("making every replica sign with it")
    return rotation.journal.add(KEY, DONE, former=len(_former(rotation.stack)))


def retire_keys(rotation: Rotation) -> dict[str, Any]:
    """Forget the former keys. Raise Failure while a rotation is unfinished."""
    if rotation.journal.unfinished(KEY):
        raise Failure(
            "a rotation of the key is unfinished", f"finish it: deploy/release/rotate {rotation.stack.env} {KEY}"
        )
    _, former = _keys(rotation)
    rotation.stack.set_values({"SECRET_KEY_FALLBACKS": None})
    rotation.redeploy("making every replica forget the former keys")
    return rotation.journal.add(KEY, RETIRED, former=len(former))


def _keys(rotation: Rotation) -> tuple[str, list[str]]:
    """Return the key and the former ones of the env file. Raise Failure if that is out of date."""
    key, former = rotation.value("SECRET_KEY"), _former(rotation.stack)
    require_current(rotation.stack, KEY)
    return key, former


def _former(stack: Stack) -> list[str]:
    return [key.strip() for key in stack.values.get("SECRET_KEY_FALLBACKS", "").split(",") if key.strip()]


def rotate_password(rotation: Rotation) -> dict[str, Any]:
    """Give the idle role a new password, move every container to it, then change the password of the other role.

    Both passwords are valid meanwhile, so no container is refused.
    """
    stack, journal = rotation.stack, rotation.journal
    logins.require_own_database(stack)
    logins.require_two_roles(stack)
    login = DatabaseLogin(stack.values.get("POSTGRES_ROLE") or logins.ROLES[0], rotation.value("POSTGRES_PASSWORD"))
    require_current(stack, PASSWORD)
    is_known = logins.accepts(stack, login)
    unfinished = journal.unfinished(PASSWORD)
    if not (is_known and unfinished and unfinished["new"] == mark(login.password)):
        # a password that the database does not know was written into the file by somebody: it is the new one
        login = _switch(rotation, login, secrets.token_urlsafe(32) if is_known else login.password)
    rotation.redeploy("making every container use it")
    journal.add(PASSWORD, SWITCHED)
    with rotation.console.step(f"replacing the old password, which {login.other_role} still has"):
        logins.set_password(stack, DatabaseLogin(login.other_role, login.password))
    if left := logins.connected(stack, login.other_role):
        rotation.console.note(f"  still connected as {login.other_role}, until they reconnect: {'; '.join(left)}")
    rotation.console.note(
        "At a quiet hour, recreate the database's container, which still has the old variables. Otherwise the next "
        "`up -d` recreates it and everything that depends on it, with an interruption: "
        f"docker compose --env-file {stack.env_file} up -d --no-deps db"
    )
    return journal.add(PASSWORD, DONE)


def _switch(rotation: Rotation, old: DatabaseLogin, password: str) -> DatabaseLogin:
    """Give the idle role a new password, and write both into the env file."""
    new = DatabaseLogin(old.other_role, password)
    values = {"POSTGRES_ROLE": new.role, "POSTGRES_PASSWORD": new.password}
    urls = logins.urls_with(rotation.stack, new, old)
    with rotation.console.step(f"giving {new.role} a new password"):
        logins.set_password(rotation.stack, new)
    rotation.journal.add(PASSWORD, BEGAN, new=mark(new.password), old=mark(old.password))
    rotation.stack.set_values({**values, **urls})
    return new
