"""The two roles that log in to the `db` service: who they are, what they accept, and where the env file names them.

Both have the same password, and act as the role that owns the database. While a password is replaced, the role
that nobody uses gets the new one first.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from host.console import Failure
from host.stack import Stack

from .scram import verifier

ROLES = ("todo_user", "todo_user_b")
DATABASE = "todo_db"
_SUPERUSER = "postgres"
_URLS = ("DATABASE_URL", "DATABASE_DIRECT_URL", "DATABASE_REPLICA_URL")
# Inside the container only its own network address asks for a password; the socket and 127.0.0.1 do not.
_LOGIN = (
    "read -r PGPASSWORD; export PGPASSWORD; "
    f'exec psql -X -w -h "$(hostname -i)" -U "$0" -d {DATABASE} -Atqc "SELECT 1"'
)
_UNLOGGED = (
    "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';\n"
)
_CONNECTED = (
    "SELECT concat_ws(' ', coalesce(nullif(application_name, ''), 'a client'), 'from', host(client_addr)) "
    "FROM pg_stat_activity WHERE usename = '{}' AND client_addr IS NOT NULL GROUP BY 1 ORDER BY 1"
)


class DatabaseLogin(NamedTuple):
    """A role and its password."""

    role: str
    password: str

    @property
    def other_role(self) -> str:
        """The role that is not in use."""
        return ROLES[self.role == ROLES[0]]


def require_two_roles(stack: Stack) -> None:
    """Raise Failure if the superuser of the database is still the role of the application."""
    done = stack.compose("exec", "-T", "db", *_psql("-Atc", "SELECT 1"), check=False)
    if f'role "{_SUPERUSER}" does not exist' in done.stderr:
        raise Failure(
            f"{ROLES[0]} is still the superuser of the database, and {ROLES[1]} does not exist",
            f"deploy this release once, which separates them: deploy/release/deploy {stack.env}",
        )
    if done.returncode:
        raise _away(stack, done.stderr)


def accepts(stack: Stack, login: DatabaseLogin) -> bool:
    """Return whether the database accepts a login. Raise Failure if it does not answer."""
    command = ("exec", "-T", "db", "sh", "-c", _LOGIN, login.role)
    done = stack.compose(*command, given=login.password + "\n", check=False)
    if done.returncode and "password authentication failed" not in done.stderr:
        raise _away(stack, done.stderr)
    return not done.returncode


def set_password(stack: Stack, login: DatabaseLogin) -> None:
    """Set a role's password, which then appears in no log, process list or history, and try it."""
    statement = f"{_UNLOGGED}ALTER ROLE {login.role} PASSWORD '{verifier(login.password)}';\n"
    stack.compose("exec", "-T", "db", *_psql("-q"), given=statement)
    if not accepts(stack, login):
        raise Failure(
            f"the database refuses the new password of {login.role}",
            f"see `docker compose --env-file {stack.env_file} logs db`",
        )


def connected(stack: Stack, role: str) -> list[str]:
    """Describe the clients from outside the container that are logged in as a role."""
    asked = _psql("-Atc", _CONNECTED.format(role))
    return stack.compose("exec", "-T", "db", *asked).stdout.strip().splitlines()


def urls_with(stack: Stack, new: DatabaseLogin, old: DatabaseLogin) -> dict[str, str | None]:
    """Return the URLs of the env file with the new login. Raise Failure if one has another than the old."""
    found: dict[str, str | None] = {}
    for name in _URLS:
        if name not in stack.values:
            continue
        parts = urlsplit(stack.values[name])
        if (parts.username, unquote(parts.password or "")) != old:
            raise _own_password(name)
        host = parts.netloc.rpartition("@")[2]
        found[name] = urlunsplit(parts._replace(netloc=f"{new.role}:{new.password}@{host}"))
    return found


def require_own_database(stack: Stack) -> None:
    """Raise Failure if the env file names an external database, or a file with a URL that this cannot change."""
    named = [f"{name}_FILE" for name in _URLS if f"{name}_FILE" in stack.values]
    if named or not stack.has_own_database:
        raise _own_password(named[0] if named else stack.database_urls[0])


def _own_password(name: str) -> Failure:
    return Failure(
        f"{name} names a database with a password of its own",
        f"change it there with ALTER ROLE, write it into {name}, then run deploy/release/deploy",
    )


def _away(stack: Stack, said: str) -> Failure:
    return Failure(
        f"the database does not answer: {said.strip()}",
        f"start it: docker compose --env-file {stack.env_file} up -d db",
    )


def _psql(*options: str) -> tuple[str, ...]:
    return ("psql", "-X", "-v", "ON_ERROR_STOP=1", "-U", _SUPERUSER, "-d", "postgres", *options)
