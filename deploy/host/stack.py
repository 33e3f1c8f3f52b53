"""Find an environment's Compose stack on this host and run docker compose for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.parse import urlsplit

from .console import EXIT_USAGE, Failure

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("staging", "prod")
COMPOSE_FILE = "docker-compose.yml:docker-compose.prod.yml"
# What docker and finding programs need of the shell. Compose prefers a variable of the shell to the env file's, so
# everything else stays out.
_KEPT = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TMPDIR|DOCKER_.*|BUILDKIT_.*|BUILDX_.*|XDG_.*|SSH_.*|SUDO_UID|NO_COLOR|(?i:https?|no)_proxy"
)
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


class Stack:
    """The stack that `envs/<name>.env` describes."""

    def __init__(self, name: str, *, repository: Path = REPOSITORY) -> None:
        if not _NAME.fullmatch(name) or name in {"dev", "test"}:
            raise Failure(f"{name!r} is not a deployed environment", "write staging or prod", code=EXIT_USAGE)
        self.env = name
        self.repository = repository
        # file descriptors that every command inherits, such as a lock's
        self.inherited: tuple[int, ...] = ()
        self.env_file = repository / "envs" / f"{name}.env"
        if not self.env_file.is_file():
            self._refuse_a_missing_file()
        if name not in ENVIRONMENTS and not self.values.get("COMPOSE_PROJECT_NAME"):
            raise Failure(
                f"{self.env_file} has no COMPOSE_PROJECT_NAME, so it would work on {self.project}",
                f"add the line COMPOSE_PROJECT_NAME=todo-{self.env}",
            )

    def _refuse_a_missing_file(self) -> NoReturn:
        if self.env in ENVIRONMENTS:
            raise Failure(
                f"{self.env_file} does not exist", f"create it: make init ENV={self.env} SITE_URL=https://…"
            )
        raise Failure(
            f"{self.env!r} is not an environment: {self.env_file} does not exist",
            f"write staging or prod, or create it: make init ENV=staging NAME={self.env} SITE_URL=https://…",
            code=EXIT_USAGE,
        )

    @property
    def state(self) -> Path:
        """The folder where the commands keep what they know about this environment; `variant` makes it."""
        return self.repository / "envs" / f"{self.env}.state"

    @property
    def values(self) -> dict[str, str]:
        """The env file's values as Compose reads them; `config check` refuses what others read differently."""
        return values_of(self._lines())

    @property
    def project(self) -> str:
        """The Compose project's name, with which the names of containers and volumes begin."""
        values = self.values
        return values.get("COMPOSE_PROJECT_NAME") or f"todo-{values.get('DJANGO_ENV', self.env)}"

    @property
    def lock(self) -> str:
        """The name of the container that is the stack's lock."""
        return f"{self.project}-lock"

    @property
    def database_image(self) -> str:
        """The image of the service `db`, which every host of a stack has."""
        running = self.run(
            "docker", "ps", "--all", "--quiet",
            "--filter", f"label=com.docker.compose.project={self.project}",
            "--filter", "label=com.docker.compose.service=db",
        ).stdout.split()  # fmt: skip
        if running:
            return self.run("docker", "inspect", "--format", "{{.Image}}", running[0]).stdout.strip()
        return self.compose("config", "--images", "db").stdout.split()[0]

    @property
    def tag(self) -> str:
        """The tag of the images that the env file names."""
        return self.values.get("IMAGE_TAG") or self.project

    @property
    def database_urls(self) -> list[str]:
        """The variables of the env file that name the database with its password, or the file of such a URL."""
        names = ("DATABASE_DIRECT_URL", "DATABASE_DIRECT_URL_FILE", "DATABASE_URL", "DATABASE_URL_FILE")
        given = self.values
        return [name for name in names if name in given]

    @property
    def has_own_database(self) -> bool:
        """Whether the data is in the service `db`, perhaps behind a pooler, and not in an external database."""
        named = self.database_urls
        return not named or urlsplit(self.values[named[0]]).hostname == "db"

    @property
    def shadowed(self) -> list[str]:
        """The variables of the env file to which this shell exports another value."""
        return sorted(name for name, value in self.values.items() if os.environ.get(name, value) != value)

    def set_values(self, values: Mapping[str, str | None]) -> None:
        """Write values into the env file, all or none; None removes one. Owner, mode and other lines stay."""
        self._write(self.env_file, values)

    def variant(self, values: Mapping[str, str | None]) -> dict[str, str]:
        """Return the `extra` with which `compose` gives a container other values than the env file's."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        self._give_to_owner(self.state)
        path = self.state / "variant.env"
        self._write(path, values)
        return {**{name: value for name, value in values.items() if value is not None}, "ENV_FILE": str(path)}

    def _lines(self) -> list[str]:
        try:
            return self.env_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(
                f"{self.env_file} cannot be read: {error}", "make it a readable text file in UTF-8"
            ) from None

    def _write(self, target: Path, values: Mapping[str, str | None]) -> None:
        lines = self._lines()
        for name, value in values.items():
            places = [number for number, text in enumerate(lines) if text.startswith(f"{name}=")]
            if value is None:
                lines = [text for number, text in enumerate(lines) if number not in places]
            elif places:
                lines[places[-1]] = f"{name}={value}"
            else:
                lines.append(f"{name}={value}")
        mode = self.env_file.stat().st_mode & 0o777
        descriptor, temporary = tempfile.mkstemp(dir=str(target.parent), prefix=f".{self.env}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        self._give_to_owner(Path(temporary))
        os.replace(temporary, target)

    def _give_to_owner(self, path: Path) -> None:
        """Make what root writes, such as with sudo, belong to the owner of the env file, who could not read it."""
        if os.geteuid() == 0:
            owner = self.env_file.stat()
            os.chown(path, owner.st_uid, owner.st_gid)

    def compose(
        self, *arguments: str, extra: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run docker compose for this stack; options are those of `run`."""
        return self.run(*self._compose(*arguments), extra={**self._given(), **(extra or {})}, **options)

    def stop(self, *services: str) -> None:
        """Stop services. If that is interrupted, wait for them: one that is started meanwhile would stop later."""
        try:
            self.compose("stop", *services)
        except KeyboardInterrupt:
            self.compose("stop", *services)
            raise

    def command(self, *arguments: str, extra: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """Return a docker compose command and the environment to run it in, with `extra` added."""
        return self._compose(*arguments), clean_environment({**self._given(), **extra})

    def _compose(self, *arguments: str) -> list[str]:
        return ["docker", "compose", "--env-file", str(self.env_file), *arguments]

    def _given(self) -> dict[str, str]:
        files = {} if self.values.get("COMPOSE_FILE") else {"COMPOSE_FILE": COMPOSE_FILE}
        return {"ENV_FILE": str(self.env_file), **files}

    def run(
        self,
        *command: str,
        check: bool = True,
        timeout: float | None = 600,
        given: str | bytes | None = None,
        output: IO[bytes] | None = None,
        source: IO[bytes] | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and return what it printed.

        `given` or the content of `source` becomes its input, `output` receives its output instead of the result,
        `extra` is added to its environment. Raises Failure with its last lines if it fails and `check` is set.
        """
        environment = clean_environment(extra or {})
        try:
            done = subprocess.run(
                command,
                cwd=str(self.repository),
                env=environment,
                input=given.encode() if isinstance(given, str) else given,
                stdin=(source or subprocess.DEVNULL) if given is None else None,
                stdout=output or subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=timeout,
                check=False,
                pass_fds=self.inherited,
            )
        except FileNotFoundError:
            hint = "install Docker Engine with the Compose plugin" if command[0] == "docker" else "install it"
            raise Failure(f"{command[0]} is not installed", hint) from None
        except subprocess.TimeoutExpired:
            raise Failure(
                f"{_shown(command)} took more than {timeout:g} s",
                "find out what it waits for, then run the command again",
            ) from None
        result = subprocess.CompletedProcess(
            command,
            done.returncode,
            (done.stdout or b"").decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"),
        )
        if check and result.returncode:
            raise Failure(
                f"{_shown(command)} exited with {result.returncode}:\n{_last(result.stderr or result.stdout)}",
                "fix the cause, then run the command again",
            )
        return result


def values_of(lines: Iterable[str]) -> dict[str, str]:
    """Return the values in the lines of an env file."""
    matches = filter(None, (_LINE.fullmatch(line.strip()) for line in lines))
    return {match[1]: match[2].strip() for match in matches}


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without what would override the env file, plus `extra`."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    return {**kept, **extra}


def _shown(command: tuple[str, ...]) -> str:
    words = list(command)
    if words[:3] == ["docker", "compose", "--env-file"]:  # the same in every command
        del words[2:4]
    return " ".join(words[:8])


def _last(text: str, lines: int = 15) -> str:
    readable = "\n".join(map(_readable, text.strip().splitlines()))
    return "\n".join(readable.splitlines()[-lines:])


def _readable(line: str) -> str:
    """Return the traceback or the event of a log line in JSON, any other line unchanged."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        event = json.loads(line)
        return str(event.get("exception") or event["event"])
    return line
