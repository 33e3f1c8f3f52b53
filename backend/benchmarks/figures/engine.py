"""The container engine: everything made here carries a label, and is gone with the block."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import ToolMissing

_KINDS = ("container", "network", "volume", "image")


class Engine:
    """Docker, with a name of our own for what we make."""

    def __init__(self) -> None:
        self.name = f"todo-figures-{secrets.token_hex(4)}"
        self._label = f"todo-figures={self.name}"

    def docker(self, *arguments: str) -> str:
        """Run a command of docker and return what it printed; raises RuntimeError with what it complained of."""
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"docker {' '.join(arguments[:2])} failed:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def build(self, context: Path, name: str, *options: str) -> str:
        """Build an image and return its tag."""
        tag = f"{self.name}:{name}"
        self.docker("build", "--quiet", "--label", self._label, "--tag", tag, *options, str(context))
        return tag

    def make(self, kind: str, name: str) -> str:
        """Make a network or a volume and return its name."""
        full = f"{self.name}-{name}"
        self.docker(kind, "create", "--label", self._label, full)
        return full

    def run(self, name: str, *arguments: str) -> str:
        """Start a container and return its name."""
        full = f"{self.name}-{name}"
        self.docker("run", "--detach", "--name", full, "--label", self._label, *arguments)
        return full

    def image_mb(self, image: str) -> float:
        """Return an image's size in millions of bytes."""
        return int(self.docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6

    def clean(self) -> None:
        """Remove everything that carries the label."""
        for kind in _KINDS:
            option = ["--all"] if kind in {"container", "image"} else []
            listed = self.docker(kind, "ls", "--quiet", *option, "--filter", f"label={self._label}").split()
            force = [] if kind == "network" else ["--force"]
            if listed:
                self.docker(kind, "rm", *force, *sorted(set(listed)))


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Use the engine for as long as the block lasts."""
    check()
    used = Engine()
    try:
        yield used
    finally:
        used.clean()


def check() -> None:
    """Raise ToolMissing unless an engine answers."""
    if shutil.which("docker") is None:
        raise ToolMissing("`docker` was not found; start, memory, image and reload need a Docker Engine.")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        raise ToolMissing("No Docker Engine answers (`docker info` fails): start it, or give this user access.")
