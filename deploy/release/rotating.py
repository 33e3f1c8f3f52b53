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
from host.stack import Stack

from .rotations import BEGAN, DONE, RETIRED, SWITCHED, Rotations, mark
from .scram import verifier

KEY, PASSWORD = "secret-key", "database-password"
ROLE, DATABASE = "todo_user", "todo_db"
# Inside the container only its own network address asks for a password; the socket and 127.0.0.1 do not.
_LOGIN = (
    "read -r PGPASSWORD; export PGPASSWORD; "
    f'exec psql -X -w -h "$(hostname -i)" -U {ROLE} -d {DATABASE} -Atqc "SELECT 1"'
)
_UNLOGGED = (
    "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';\n"
)


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
    try:
        stack = Stack(args.env)
        with exclusive(stack, " ".join(["rotate", *sys.argv[1:]]), console):
            rotation = Rotation(stack, console)
            done = retire_keys(rotation) if args.retire else work[args.secret](rotation)
        console.result(f"{args.secret} of {args.env}: {done['step']}", {"ok": True, **done})
    except Failure as error:
        console.give_up(error)


class Rotation:
    """What a rotation needs: the stack, the console and the journal."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self.stack = stack
        self.console = console
        self.journal = Rotations(stack.state)

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
            done = self.stack.run(
                str(self.stack.repository / "deploy/release/deploy"), self.stack.env, "--image", self.stack.tag,
                "--keep-proxy", "--without-backup", timeout=1800,
            )  # fmt: skip
            self.console.note(done.stderr.rstrip())


def rotate_key(rotation: Rotation) -> dict[str, Any]:
    """Make every replica accept a new key, then sign with it. What the old key signed stays valid.

    In between all replicas know both keys, so that none refuses what another has signed.
    """
    key, former = rotation.value("SECRET_KEY"), _former(rotation.stack)
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
    former = _former(rotation.stack)
    rotation.stack.set_values({"SECRET_KEY_FALLBACKS": None})
    rotation.redeploy("making every replica forget the former keys")
    return rotation.journal.add(KEY, RETIRED, former=len(former))


def _former(stack: Stack) -> list[str]:
    return [key.strip() for key in stack.values.get("SECRET_KEY_FALLBACKS", "").split(",") if key.strip()]


def rotate_password(rotation: Rotation) -> dict[str, Any]:
    """Write a new password into the env file, set it in the database, and replace the containers that use it.

    If file and database differ, an earlier rotation was interrupted: the database gets the file's password.
    """
    named = rotation.stack.database_urls
    if named:
        raise Failure(
            f"{' and '.join(named)} names a database with a password of its own",
            f"change it there with ALTER ROLE, write it into {' and '.join(named)}, then run deploy/release/deploy",
        )
    password = rotation.value("POSTGRES_PASSWORD")
    unfinished = rotation.journal.unfinished(PASSWORD)
    is_accepted = accepts(rotation.stack, password)
    if is_accepted and not (unfinished and unfinished["new"] == mark(password)):
        old, password = password, secrets.token_urlsafe(32)
        rotation.journal.add(PASSWORD, BEGAN, new=mark(password), old=mark(old))
        rotation.stack.set_values({"POSTGRES_PASSWORD": password})
        is_accepted = False
    if not is_accepted:
        with rotation.console.step("setting the new password in the database"):
            set_password(rotation.stack, password)
        rotation.journal.add(PASSWORD, SWITCHED)
    rotation.redeploy("making every container use it")
    rotation.console.note(
        "At a quiet hour, recreate the database's container, which still has the old variable. Otherwise the next "
        "`up -d` recreates it and everything that depends on it, with an interruption: "
        f"docker compose --env-file {rotation.stack.env_file} up -d --no-deps db"
    )
    return rotation.journal.add(PASSWORD, DONE)


def accepts(stack: Stack, password: str) -> bool:
    """Return whether the database accepts a password. Raise Failure if it does not answer."""
    done = stack.compose("exec", "-T", "db", "sh", "-c", _LOGIN, given=password + "\n", check=False)
    if done.returncode and "password authentication failed" not in done.stderr:
        raise Failure(
            f"the database does not answer: {done.stderr.strip()}",
            f"start it: docker compose --env-file {stack.env_file} up -d db",
        )
    return not done.returncode


def set_password(stack: Stack, password: str) -> None:
    """Set the role's password; it appears in no log, process list or history."""
    statement = f"{_UNLOGGED}ALTER ROLE {ROLE} PASSWORD '{verifier(password)}';\n"
    psql = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", ROLE, "-d", DATABASE)
    stack.compose("exec", "-T", "db", *psql, given=statement)
    if not accepts(stack, password):
        raise Failure(
            "the database refuses the new password",
            f"see `docker compose --env-file {stack.env_file} logs db`",
        )
