"""Run docker compose, or the configuration's commands, for a deployed environment from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

from . import postgresql, volumes
from .console import EXIT_USAGE, Console, Failure
from .lock import holder
from .stack import REPOSITORY, Stack, values_of

_INSTALL_DOCKER = Failure("docker is not installed", "install Docker Engine with the Compose plugin")


def compose(
    example: str,
    variables: Callable[[Stack], Mapping[str, str]] = lambda stack: {},
    *,
    keeps_volumes: bool = False,
) -> NoReturn:
    """Become docker compose with the arguments of the command line and with more variables.

    With `keeps_volumes`, `up` and `run` first make the volumes that `down --volumes` must not remove. `up` refuses
    another major version of PostgreSQL, and to run while a release or another command is at work.
    """
    if sys.argv[1:2] in (["--help"], ["-h"]):
        sys.stdout.write(
            f"usage: {example.split(maxsplit=1)[0]} ENV COMMAND …\n\n"
            f"Run a command of docker compose for an environment, for example: {example}\n"
        )
        raise SystemExit
    try:
        if len(sys.argv) < 3:
            raise Failure("an environment or a command is missing", f"for example: {example}", code=EXIT_USAGE)
        stack = Stack(sys.argv[1])
        if keeps_volumes and sys.argv[2] in ("up", "run"):
            volumes.keep(stack, Console())
        if keeps_volumes and sys.argv[2] == "up":
            if at_work := holder(stack):  # `up` would replace the containers that it has just started
                raise Failure(
                    f"{at_work['command']} is running for this environment",
                    f"wait until it has finished: deploy/release/status {stack.env}",
                )
            postgresql.require_same_major(stack)
        command, environment = stack.command(*sys.argv[2:], extra=variables(stack))
        os.chdir(stack.repository)
        os.execvpe(command[0], command, environment)  # noqa: S606 - what this command is for
    except Failure as error:
        Console().give_up(error)
    except FileNotFoundError:
        Console().give_up(_INSTALL_DOCKER)


def config() -> NoReturn:
    """Become `python -m todo_project.config` in an image of this checkout, with the arguments of the command line.

    A server needs no Python packages for it. Exported variables that an env file names are passed on, because they
    would override it in `docker compose`, too.
    """
    Console().note("building the backend's image, which takes minutes the first time …")
    try:
        built = subprocess.run(
            ["docker", "build", "--quiet", "backend"], cwd=str(REPOSITORY), stdout=subprocess.PIPE, check=False
        )
    except FileNotFoundError:
        Console().give_up(_INSTALL_DOCKER)
    if built.returncode:
        Console().give_up(Failure("the image cannot be built", "see the error above, then run the command again"))
    exported = [part for name in sorted(_named() & set(os.environ)) for part in ("--env", name)]
    os.execvp(  # noqa: S606 - what this command is for
        "docker",
        [
            "docker", "run", "--rm", "--network", "none", "--read-only", "--user", f"{os.getuid()}:{os.getgid()}",
            "--volume", f"{REPOSITORY / 'envs'}:/envs", *exported, "--entrypoint", "python",
            built.stdout.decode().strip(), "-m", "todo_project.config", *sys.argv[1:],
        ],
    )  # fmt: skip


def _named() -> set[str]:
    """Return the variables that any env file names."""
    files = (REPOSITORY / "envs").glob("*.env")
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in files)
    return {name for text in texts for name in values_of(text.splitlines())}
