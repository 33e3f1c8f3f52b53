"""What the measurements share: the engine, the images, a directory; made when first asked for."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from benchmarks.contenders import BACKEND
from benchmarks.figures.engine import Engine, engine
from benchmarks.hot_reload import copy_checkout
from benchmarks.results import rotated
from benchmarks.stack import Say

_EMPTY = Path(__file__).with_name("empty")
_PACKAGES = {"DJANGO": "django", "GUNICORN": "gunicorn", "PSYCOPG": "psycopg"}


class Lab:
    """The place of one run; what is made in it ends with the block."""

    def __init__(self, block: contextlib.ExitStack, directory: Path, *, pairs: int, say: Say) -> None:
        self._block = block
        self.directory = directory
        self.pairs = pairs
        self.say = say

    @cached_property
    def engine(self) -> Engine:
        """The container engine."""
        return self._block.enter_context(engine())

    @cached_property
    def checkout(self) -> Path:
        """A copy of the checkout that may be changed."""
        copy = self.directory / "checkout"
        copy_checkout(copy)
        return copy

    @cached_property
    def image(self) -> str:
        """The production image of this checkout."""
        self.say("building the image")
        return self.engine.build(BACKEND, "ours")

    @cached_property
    def empty_image(self) -> str:
        """An empty Django project with the same packages in the same versions, on the same base."""
        self.say("building the image of an empty project")
        versions = [f"{name}={importlib.metadata.version(package)}" for name, package in _PACKAGES.items()]
        return self.engine.build(
            _EMPTY, "empty", *(part for version in versions for part in ("--build-arg", version))
        )

    def in_turns(
        self, what: str, measures: dict[str, Callable[[], Sequence[float]]]
    ) -> dict[str, list[Sequence[float]]]:
        """Measure several things one after the other, in an order that starts one further in each round.

        A first round warms up and does not count. A measure returns one or more numbers.
        """
        results: dict[str, list[Sequence[float]]] = {name: [] for name in measures}
        for number in range(self.pairs + 1):
            for name in rotated(list(measures), number):
                values = measures[name]()
                stage = f"round {number} of {self.pairs}" if number else "warm-up"
                self.say(f"{what}, {stage}: {name:<24} " + "  ".join(f"{value:.3f}" for value in values))
                if number:
                    results[name].append(values)
        return results
