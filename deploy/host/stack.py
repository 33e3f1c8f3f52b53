"""This will find one environment's Compose stack on this host and run docker compose for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from .console import EXIT_USAGE, Refused

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("staging", "prod")
COMPOSE_FILES = ("docker-compose.yml", "docker-compose.prod.yml")
# What a shell may keep for docker and for finding programs. Everything else stays out: Compose would let a
# variable of the shell beat the env file without a word.
_KEPT = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TMPDIR|DOCKER_.*|BUILDKIT_.*|BUILDX_.*|XDG_.*|SSH_.*|(?i:https?|no)_proxy"
)
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


class Stack:
    """The stack that `envs/<env>.env` describes."""

    def __init__(self, env: str, *, repository: Path = REPOSITORY) -> None:
        if env not in ENVIRONMENTS:
            raise Refused(f"{env!r} is not an environment", "write staging or prod", code=EXIT_USAGE)
        self.env = env
        self.repository = repository
        # open files that every command keeps open, such as a lock
        self.inherited: tuple[int, ...] = ()
        self.env_file = repository / "envs" / f"{env}.env"
        if not self.env_file.is_file():
            raise Refused(f"{self.env_file} does not exist", f"make init ENV={env} SITE_URL=https://…")

    @property
    def state(self) -> Path:
        """The folder of what the commands remember about this environment, for its owner only."""
        folder = self.repository / "envs" / f"{self.env}.state"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def values(self) -> dict[str, str]:
        """The env file's values as Compose reads them; `config check` refuses files that others read otherwise."""
        found = {}
        for line in self._lines():
            match = _LINE.fullmatch(line.strip())
            if match and not line.lstrip().startswith("#"):
                found[match[1]] = match[2].strip()
        return found

    @property
    def project(self) -> str:
        """The Compose project's name, which containers and volumes begin with."""
        return self.values.get("COMPOSE_PROJECT_NAME") or f"todo-{self.env}"

    @property
    def tag(self) -> str:
        """The tag of the images that the env file names."""
        return self.values.get("IMAGE_TAG") or "local"

    @property
    def has_own_database(self) -> bool:
        """Whether the data are in the service `db`, perhaps behind a pooler, and not in a database elsewhere."""
        given = self.values
        names = [name for name in ("DATABASE_DIRECT_URL", "DATABASE_URL") if {name, f"{name}_FILE"} & given.keys()]
        return not names or urlsplit(given.get(names[0], "")).hostname == "db"

    def set_values(self, values: Mapping[str, str | None]) -> None:
        """This will write values into the env file, all or none; None takes one out. Mode and other lines stay."""
        self._write(self.env_file, values)

    def variant(self, values: Mapping[str, str | None]) -> dict[str, str]:
        """Return what `extra` has to be for a container to get other values than the env file has."""
        path = self.state / "variant.env"
        self._write(path, values)
        return {**{name: value for name, value in values.items() if value is not None}, "ENV_FILE": str(path)}

    def _lines(self) -> list[str]:
        try:
            return self.env_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"{self.env_file} cannot be read: {error}", "write it anew, as plain text") from None

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
        os.replace(temporary, target)

    def compose(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """This will run docker compose for this stack; options are those of `run`."""
        chosen: list[str] = ["docker", "compose", "--env-file", str(self.env_file)]
        for name in COMPOSE_FILES:
            chosen += ["-f", str(self.repository / name)]
        return self.run(*chosen, *arguments, **options)

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
        """This will run a command with this stack's environment and return what it printed.

        `given` or the content of `source` goes to its input, `output` takes its output instead of the result,
        `extra` adds to its environment. Raises Refused with its last words when it fails and `check` is set.
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
            raise Refused(
                f"{command[0]} is not installed", "install Docker Engine with the Compose plugin"
            ) from None
        except subprocess.TimeoutExpired:
            raise Refused(f"{_shown(command)} took more than {timeout:g} s", "see what it waits for") from None
        told = subprocess.CompletedProcess(
            command,
            done.returncode,
            (done.stdout or b"").decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"),
        )
        if check and told.returncode:
            raise Refused(
                f"{_shown(command)} exited with {told.returncode}:\n{_last(told.stderr or told.stdout)}",
                "mend what it says, then repeat",
            )
        return told


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without what would beat the env file, and `extra`."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    return {**kept, **extra}


def _shown(command: tuple[str, ...]) -> str:
    words = list(command)
    if words[:2] == ["docker", "compose"]:  # without the files, which are always the same
        words = [
            word
            for index, word in enumerate(words)
            if word not in {"-f", "--env-file"} and words[index - 1] not in {"-f", "--env-file"}
        ]
    return " ".join(words[:8])


def _last(text: str, lines: int = 15) -> str:
    readable = "\n".join(map(_readable, text.strip().splitlines()))
    return "\n".join(readable.splitlines()[-lines:])


def _readable(line: str) -> str:
    """Return the traceback of a log line that carries one, any other line as it is."""
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(line)["exception"])
    return line
