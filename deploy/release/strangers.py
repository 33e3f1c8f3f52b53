"""Notice a release that would make a second stack by mistake: its env file names another Compose project."""

from __future__ import annotations

import json
import sys

from host.console import Failure
from host.records import volume
from host.stack import Stack

from .images import BACKEND


def confirm(stack: Stack, *, is_meant: bool) -> None:
    """Ask before the first release of a stack beside another one of the same environment.

    Raise Failure if the answer is no, or if there is nobody to ask and `is_meant` (--new-stack) is not set.
    """
    others = [] if is_meant or _has_run(stack) else _running_beside(stack)
    if not others:
        return
    said = (
        f"{stack.env_file} names the Compose project {stack.project}, which has never run on this host, but "
        f"these run here with the same DJANGO_ENV: {', '.join(others)}"
    )
    if sys.stdin.isatty():
        sys.stderr.write(f"{said}.\nTo make a new, empty stack, type its name ({stack.project}): ")
        sys.stderr.flush()
        if sys.stdin.readline().strip() == stack.project:
            return
    raise Failure(
        said,
        "to deploy to the stack that runs, correct COMPOSE_PROJECT_NAME; for a new, empty one, add --new-stack",
    )


def _has_run(stack: Stack) -> bool:
    # its records outlive `down --volumes`
    if stack.run("docker", "volume", "inspect", volume(stack), check=False).returncode == 0:
        return True
    label = f"label=com.docker.compose.project={stack.project}"
    found = stack.run("docker", "ps", "--all", "--quiet", "--filter", label).stdout
    return bool((found + stack.run("docker", "volume", "ls", "--quiet", "--filter", label).stdout).strip())


def _running_beside(stack: Stack) -> list[str]:
    """Return the projects of this application that run with the environment of the stack."""
    ids = stack.run(
        "docker", "ps", "--quiet", "--filter", "label=com.docker.compose.service=backend"
    ).stdout.split()
    described = json.loads(stack.run("docker", "inspect", *ids, check=False).stdout or "[]") if ids else []
    environment = f"DJANGO_ENV={stack.values.get('DJANGO_ENV', stack.env)}"
    projects = {
        each["Config"]["Labels"]["com.docker.compose.project"]
        for each in described
        if each["Config"]["Image"].startswith(f"{BACKEND}:") and environment in each["Config"]["Env"]
    }
    return sorted(projects - {stack.project})
