"""deploy/release/releasing.py: the order of the steps, and the effect of each failure and interruption."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from host.console import Console, Failure
from host.stack import Stack
from release import releasing
from release.images import Image
from release.preflight import Database, Plan, migration_head
from release.releasing import Options, Releasing
from release.replicas import Container

NO_BACKUP = Options(without_backup=True)


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
        self.backup_exit, self.backup_says = 0, ""

    def move(self, name: str) -> None:
        self.moves.append(name)
        if name in self.broken:
            raise self.broken.pop(name)

    def slot(self, replicas: Collection[Container]) -> str:
        return "a" if any("backend-a" in each.aliases for each in replicas) else "b"

    def choose_proxy(self, tag: str, *, keep: bool) -> str:
        return "one"

    def start(self, accepted: Collection[str] = ()) -> list[Container]:
        ready = [each for each in self.backends if each.id in accepted]
        if not ready:
            values = self.stack.values
            self.move(f"start {values['IMAGE_TAG']} in {values.get('BACKEND_SLOT', 'a')}")
            ready = [
                container(f"new of {values['IMAGE_TAG']}", values["IMAGE_TAG"], values.get("BACKEND_SLOT", "a"))
            ]
            self.backends += ready
        return ready

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


@pytest.fixture
def world(repository: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return the steps under test on this host."""
    stack = Stack("prod", repository=repository)
    world = World(stack)

    def in_image(stack: Stack, values: Any, *command: str, **options: Any) -> None:
        world.move(command[1])

    image = Image(id="id-of-two", digests=(), version="two", revision="abc")
    monkeypatch.setattr(releasing, "Rolling", lambda stack, console: world)
    monkeypatch.setattr(releasing, "containers", lambda stack, service: list(world.backends))
    monkeypatch.setattr(releasing.images, "require", lambda stack, tag: image)
    monkeypatch.setattr(releasing.images, "keep_tag", lambda stack, name, running: name.rpartition(":")[2])
    monkeypatch.setattr(releasing.smoke, "test", lambda stack, image: world.move("smoke"))
    for name in ("compose_version", "readable", "proxy", "free_space"):
        monkeypatch.setattr(releasing.preflight, name, lambda *arguments: None)
    monkeypatch.setattr(releasing.preflight, "configuration", lambda *arguments: world.move("configuration"))
    monkeypatch.setattr(releasing.preflight, "database", lambda stack: Database(size=1, is_empty=False))
    monkeypatch.setattr(releasing.preflight, "migrations", lambda stack, values: world.plan)
    monkeypatch.setattr(releasing.preflight, "migration_head", lambda stack: "todos.0002")
    monkeypatch.setattr(releasing.preflight, "in_image", in_image)

    def back_up(stack: Stack, *command: str, **options: Any) -> Any:
        world.move("backup")
        return subprocess.CompletedProcess(command, world.backup_exit, world.backup_says, "no such command")

    monkeypatch.setattr(Stack, "run", back_up)
    return world


@pytest.fixture
def steps(world: World) -> Releasing:
    return Releasing(world.stack, Console())


FORWARD = ["configuration", "start two in b", "work two", "switch to two", "smoke", "retire", "proxy", "follow"]


def test_the_old_release_is_retired_last(world: World, steps: Releasing) -> None:
    release = steps.run("deploy", "two", NO_BACKUP)

    assert world.moves == FORWARD
    assert release.outcome == "succeeded"
    assert [each.tag for each in world.backends] == ["two"]
    values = world.stack.values
    assert (values["IMAGE_TAG"], values["PROXY_TAG"], values["BACKEND_SLOT"]) == ("two", "one", "b")


def test_data_are_secured_before_the_migration(world: World, steps: Releasing) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=())

    steps.run("deploy", "two", Options())

    assert world.moves[:4] == ["configuration", "backup", "migrate_locked", "start two in b"]


def test_of_a_database_elsewhere_no_backup_is_claimed(
    world: World, steps: Releasing, capsys: pytest.CaptureFixture[str]
) -> None:
    world.stack.set_values({"DATABASE_URL": "postgres://todo_user:x@elsewhere:5432/todo_db"})
    release = steps.run("deploy", "two", Options())
    assert "backup" not in world.moves
    assert release.outcome == "succeeded"
    assert "no backup is made" in capsys.readouterr().err
    assert migration_head(world.stack) == ""


def test_a_rollback_neither_migrates_nor_backs_up(world: World, steps: Releasing) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=())

    steps.run("rollback", "two", Options())

    assert world.moves == FORWARD


@pytest.mark.parametrize(("says", "cause", "hint"), [
    ('{"ok": false, "error": "the disk is full", "next": "free space"}', "the disk is full", "free space"),
    ("", "no such command", "run the command again"),
])  # fmt: skip
def test_the_error_of_a_failed_backup_is_shown(
    steps: Releasing, world: World, says: str, cause: str, hint: str
) -> None:
    world.backup_exit, world.backup_says = 1, says

    with pytest.raises(Failure, match=cause) as refused:
        steps.run("deploy", "two", Options())

    assert hint in refused.value.hint
    assert not any(move.startswith("start") for move in world.moves)


@pytest.mark.parametrize("broken", ["configuration", "backup", "migrate_locked"])
def test_a_failure_before_anything_was_started_changes_nothing(world: World, steps: Releasing, broken: str) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=())
    world.broken = {broken: Failure("the reason", "the hint")}
    before = world.stack.env_file.read_text()

    with pytest.raises(Failure, match="the reason\none serves") as refused:
        steps.run("deploy", "two", Options())

    assert refused.value.hint == "the hint"
    assert world.moves[-1] == broken
    assert world.stack.env_file.read_text() == before
    assert steps.journal.releases()[-1].outcome == "refused"


@pytest.mark.parametrize("broken", FORWARD[1:])
@pytest.mark.parametrize("error", [Failure("the reason", "the hint"), OSError(28, "full"), KeyboardInterrupt()])
def test_a_failure_after_that_puts_the_old_release_back(
    world: World, steps: Releasing, broken: str, error: BaseException
) -> None:
    world.broken = {broken: error}
    before = world.stack.env_file.read_text()

    with pytest.raises(Failure, match="one serves"):
        steps.run("deploy", "two", NO_BACKUP)

    assert {each.tag for each in world.backends} == {"one"}
    assert "switch to one" in world.moves
    assert ("work one" in world.moves) == ("work two" in world.moves)
    assert world.stack.env_file.read_text() == before
    assert steps.journal.releases()[-1].outcome == "undone"


class Killed(BaseException):
    """Simulates the death of the process: nothing catches it."""


@pytest.mark.parametrize("step", FORWARD)
def test_what_was_killed_is_undone_before_the_smoke_test_and_finished_after_it(
    world: World, steps: Releasing, step: str
) -> None:
    world.broken = {step: Killed()}
    with pytest.raises(Killed):
        steps.run("deploy", "two", NO_BACKUP)
    passed = FORWARD.index(step) > FORWARD.index("smoke")

    outcome = steps.recover()

    tag = "two" if passed else "one"
    assert outcome == ("finished" if passed else "undone")
    assert {each.tag for each in world.backends} == {tag}
    assert world.stack.values["IMAGE_TAG"] == tag
    assert steps.journal.unfinished() is None


def test_a_rollback_undoes_also_what_could_be_finished(world: World, steps: Releasing) -> None:
    world.broken = {"retire": Killed()}
    with pytest.raises(Killed):
        steps.run("deploy", "two", NO_BACKUP)

    assert steps.recover(finish=False) == "undone"
    assert {each.tag for each in world.backends} == {"one"}


def test_an_undo_that_is_killed_is_repeated(world: World, steps: Releasing) -> None:
    world.broken = {"smoke": Killed()}
    with pytest.raises(Killed):
        steps.run("deploy", "two", NO_BACKUP)
    world.broken = {"retire": Killed()}
    with pytest.raises(Killed):
        steps.recover()

    assert steps.recover() == "undone"
    assert {each.tag for each in world.backends} == {"one"}


def test_what_can_be_neither_finished_nor_undone_does_not_stand_in_the_way_of_the_next(
    world: World, steps: Releasing
) -> None:
    world.broken = {"smoke": Killed()}
    with pytest.raises(Killed):
        steps.run("deploy", "two", NO_BACKUP)
    world.broken = {"switch to one": Failure("the old image is gone", "bring it")}

    assert steps.recover() == "abandoned"
    assert steps.journal.unfinished() is None


def test_a_migration_that_the_old_release_would_not_survive_is_refused(world: World, steps: Releasing) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=("todos.0002: RemoveField: it is read",))

    with pytest.raises(Failure, match="it is read"):
        steps.run("deploy", "two", NO_BACKUP)

    assert "migrate_locked" not in world.moves


def test_with_downtime_the_old_release_stops_before_it(world: World, steps: Releasing) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=("todos.0002: RemoveField: it is read",))

    steps.run("deploy", "two", Options(without_backup=True, allow_downtime=True))

    assert world.moves[1:4] == ["pause", "migrate_locked", "start two in b"]
    assert steps.journal.releases()[-1].record["incompatible"] is True


def test_a_migration_that_fails_while_the_old_release_is_stopped_wakes_it(world: World, steps: Releasing) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=("todos.0002: RemoveField: it is read",))
    world.broken = {"migrate_locked": Failure("the reason", "the hint")}

    with pytest.raises(Failure, match="one serves"):
        steps.run("deploy", "two", Options(without_backup=True, allow_downtime=True))

    assert world.moves[-4:] == ["wake", "switch to one", "retire", "work one"]


def test_where_nothing_served_there_is_nothing_to_go_back_to(world: World, steps: Releasing) -> None:
    world.backends = []
    world.broken = {"smoke": Failure("the reason", "the hint")}

    with pytest.raises(Failure, match="nothing was serving before"):
        steps.run("deploy", "two", NO_BACKUP)

    assert world.moves[-1] == "smoke"
    assert world.stack.tag == "one"


def test_another_image_under_the_same_tag_is_refused(world: World, steps: Releasing) -> None:
    with pytest.raises(Failure, match="id-of-another was asked for"):
        steps.run("deploy", "two", Options(expected_image="id-of-another"))

    assert steps.journal.releases() == []
