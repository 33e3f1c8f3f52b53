"""A host on which the steps of a release succeed or fail as a test says, in place of release.rolling.Rolling."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from host.stack import Stack
from release.images import Image
from release.preflight import Plan
from release.replicas import Container


def container(name: str, tag: str, slot: str) -> Container:
    """Return a healthy backend."""
    aliases = frozenset({"backend", f"backend-{slot}"})
    return Container(
        id=name, name=name, image=f"id-of-{tag}", tag=tag, state="running", health="healthy", restarts=0,
        addresses=("10.0.0.2",), aliases=aliases, config_hash="",
    )  # fmt: skip


class World:
    """A host on which every step succeeds, except those in `broken`; records the steps."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.backends = [container("old", "one", "a")]
        self.moves: list[str] = []
        self.broken: dict[str, BaseException] = {}
        self.plan = Plan(pending=(), incompatible=())
        self.replicas = 1
        self.kept: list[Stack] = []
        self.current: list[str] = []
        self.named: dict[str, str] = {}  # the tag in the env file at each move

    def move(self, name: str) -> None:
        self.moves.append(name)
        self.named[name] = self.stack.tag
        if name in self.broken:
            raise self.broken.pop(name)

    def slot(self, replicas: Collection[Container]) -> str:
        return "a" if any("backend-a" in each.aliases for each in replicas) else "b"

    def choose_proxy(self, tag: str, *, keep: bool) -> str:
        return "one"

    def start(self, accepted: Collection[str] = (), *, extra: Mapping[str, str] | None = None) -> list[Container]:
        ready = [each for each in self.backends if each.id in accepted]
        if not ready:
            values = self.stack.values | dict(extra or {})
            self.move(f"start {values['IMAGE_TAG']} in {values.get('BACKEND_SLOT', 'a')}")
            ready = [
                container(f"new of {values['IMAGE_TAG']}", values["IMAGE_TAG"], values.get("BACKEND_SLOT", "a"))
            ]
            self.backends += ready
        return ready

    def clear(self, staying: Collection[str]) -> None:
        self.backends = [each for each in self.backends if each.id in staying]

    def restart(self, accepted: Collection[str]) -> None:
        self.move("wake")

    def stop(self) -> None:
        self.move("pause")

    def switch(self, replicas: Collection[Container]) -> None:
        self.move("switch to " + ", ".join(each.tag for each in replicas))

    def retire(self, staying: Collection[str]) -> None:
        self.move("retire")
        self.backends = [each for each in self.backends if each.id in staying]

    def replace_worker(self) -> None:
        self.move(f"work {self.stack.values['IMAGE_TAG']}")

    def update_proxy(self) -> float | None:
        self.move("proxy")
        return None

    def replace_others(self) -> None:
        self.move("follow")


def is_of(tag: str) -> Image:
    return Image(id=f"id-of-{tag}", digests=(), version=tag, revision="abc")
