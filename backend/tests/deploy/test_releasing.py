"""deploy/release/releasing.py: the order of the steps, and the effect of each failure and interruption."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from host.console import Console, Failure
from host.stack import Stack
from release import releasing, undoing
from release.account import Account
from release.images import Image
from release.journal import Journal
from release.preflight import Database, Plan, migration_head
from release.releasing import Options, Releasing

from tests.deploy.conftest import Kept
from tests.deploy.world import World, is_of

NO_BACKUP = Options(without_backup=True)


@pytest.fixture
def world(repository: Path, monkeypatch: pytest.MonkeyPatch, kept: Kept) -> World:
    """Return the steps under test on this host."""
    stack = Stack("prod", repository=repository)
    world = World(stack)

    def in_image(stack: Stack, values: Any, *command: str, **options: Any) -> None:
        world.move(command[1])
        world.plan = Plan(pending=(), incompatible=())

    @contextmanager
    def borrowed(*arguments: Any) -> Iterator[Account]:
        yield Account("a@release-test.invalid", "secret")

    def asked(stack: Stack, command: str, *arguments: str) -> dict[str, Any]:
        world.move(command)
        if command == "backup/restore":
            assert arguments[0] == "the-backup"
        return {"name": "the-backup"}

    def tested(name: str) -> Callable[[Stack, Image, object], None]:
        return lambda stack, image, *others: world.move(f"{name} {image.version}")

    monkeypatch.setattr(Journal, "of", classmethod(lambda cls, stack: cls(kept)))
    monkeypatch.setattr(releasing, "Rolling", lambda stack, console: world)
    for module in (releasing, undoing):
        monkeypatch.setattr(module, "containers", lambda stack, service: list(world.backends))
        monkeypatch.setattr(module, "borrowed", borrowed)
        monkeypatch.setattr(module, "result_of", asked)
    monkeypatch.setattr(releasing, "watch", lambda stack, console, **times: world.move("watch"))
    monkeypatch.setattr(releasing.images, "require", lambda stack, tag: is_of(tag))
    monkeypatch.setattr(releasing.images, "find", lambda stack, name: is_of(re.split("id-of-|:", name)[-1]))
    monkeypatch.setattr(releasing.images, "keep_tag", lambda stack, name, running: name.rpartition(":")[2])
    monkeypatch.setattr(releasing.smoke, "test_replicas", tested("test"))
    monkeypatch.setattr(releasing.smoke, "test_site", tested("smoke"))
    for name in ("compose_version", "readable", "proxy", "free_space"):
        monkeypatch.setattr(releasing.preflight, name, lambda *arguments: None)
    monkeypatch.setattr(releasing.preflight, "configuration", lambda *arguments: world.move("configuration"))
    monkeypatch.setattr(releasing.preflight, "database", lambda stack: Database(size=1, is_empty=False))
    monkeypatch.setattr(releasing.preflight, "migrations", lambda stack, values: world.plan)
    monkeypatch.setattr(releasing.preflight, "migration_head", lambda stack: "todos.0002")
    monkeypatch.setattr(releasing.preflight, "in_image", in_image)
    monkeypatch.setattr(releasing.rotations, "require_current", lambda stack, secret: world.current.append(secret))
    monkeypatch.setattr(releasing.volumes, "keep", lambda stack, console: world.kept.append(stack))
    return world


@pytest.fixture
def steps(world: World) -> Releasing:
    return Releasing(world.stack, Console())


FORWARD = [
    "configuration", "start two in b", "test two", "work two", "switch to two", "smoke two", "watch",
    "retire", "proxy", "follow",
]  # fmt: skip


def test_the_old_release_is_retired_last(world: World, steps: Releasing) -> None:
    release = steps.run("deploy", "two", NO_BACKUP)

    assert world.moves == FORWARD
    assert release.outcome == "succeeded"
    assert [each.tag for each in world.backends] == ["two"]
    values = world.stack.values
    assert (values["IMAGE_TAG"], values["PROXY_TAG"], values["BACKEND_SLOT"]) == ("two", "one", "b")
    assert world.current == ["secret-key", "database-password"]
    assert world.kept == [world.stack]  # on a new host, nothing has made the external volumes yet


def test_the_env_file_names_a_release_once_it_has_passed_its_test(world: World, steps: Releasing) -> None:
    """Until then, `docker compose up` by hand would replace everything by code that nobody has tested."""
    steps.run("deploy", "two", NO_BACKUP)
    assert [world.named[move] for move in ("start two in b", "test two", "work two")] == ["one", "one", "two"]


def test_data_are_secured_before_the_migration(world: World, steps: Releasing) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=())

    steps.run("deploy", "two", Options())

    assert world.moves[:4] == ["configuration", "backup/backup", "migrate_locked", "start two in b"]


def test_of_a_database_elsewhere_no_backup_is_claimed(
    world: World, steps: Releasing, capsys: pytest.CaptureFixture[str]
) -> None:
    world.stack.set_values({"DATABASE_URL": "postgres://todo_user:x@elsewhere:5432/todo_db"})
    release = steps.run("deploy", "two", Options())
    assert "backup/backup" not in world.moves
    assert release.outcome == "succeeded"
    assert "no backup is made" in capsys.readouterr().err
    assert migration_head(world.stack) == ""


def test_a_rollback_neither_migrates_nor_backs_up(world: World, steps: Releasing) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=())

    steps.run("rollback", "two", Options())

    assert world.moves == FORWARD


@pytest.mark.parametrize("broken", ["configuration", "backup/backup"])
def test_a_failure_before_anything_was_started_changes_nothing(world: World, steps: Releasing, broken: str) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=())
    world.broken = {broken: Failure("the reason", "the hint")}
    before = world.stack.env_file.read_text()

    with pytest.raises(Failure, match="the reason\nnothing was changed; one is still in place") as refused:
        steps.run("deploy", "two", Options())

    assert refused.value.hint == "the hint"
    assert world.moves[-1] == broken
    assert world.stack.env_file.read_text() == before
    assert steps.journal.releases()[-1].outcome == "refused"


def test_after_a_failed_migration_the_old_release_is_tested(world: World, steps: Releasing) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=())
    world.broken = {"migrate_locked": Failure("the reason", "the hint")}

    with pytest.raises(Failure, match="the reason\none serves: it passed the smoke test through the proxy"):
        steps.run("deploy", "two", NO_BACKUP)

    assert world.moves[-2:] == ["migrate_locked", "smoke one"]


def test_what_fails_its_test_is_not_said_to_serve(world: World, steps: Releasing) -> None:
    world.broken = {"test two": Failure("the reason", "the hint"), "smoke one": Failure("no answer", "look")}

    with pytest.raises(Failure, match="one is back in place, but it does not work either: no answer"):
        steps.run("deploy", "two", NO_BACKUP)


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
    passed = FORWARD.index(step) > FORWARD.index("watch")

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
    world.broken = {"smoke two": Killed()}
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
    world.broken = {"smoke two": Killed()}
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

    steps.run("deploy", "two", Options(allow_downtime=True))

    assert world.moves[1:6] == ["pause", "backup/backup", "migrate_locked", "start two in b", "test two"]
    assert steps.journal.releases()[-1].record["incompatible"] is True


def test_a_migration_that_fails_while_the_old_release_is_stopped_wakes_it(world: World, steps: Releasing) -> None:
    world.plan = Plan(pending=("todos.0002",), incompatible=("todos.0002: RemoveField: it is read",))
    world.broken = {"migrate_locked": Failure("the reason", "the hint")}

    with pytest.raises(Failure, match="one serves"):
        steps.run("deploy", "two", Options(without_backup=True, allow_downtime=True))

    assert world.moves[-6:] == ["wake", "test one", "switch to one", "retire", "work one", "smoke one"]


@pytest.fixture
def breaking(world: World) -> World:
    """Return the world in which the old code cannot run with what a migration makes of the data."""
    world.plan = Plan(pending=("todos.0002",), incompatible=("todos.0002: RemoveField: it is read",))
    return world


def test_where_the_old_code_cannot_run_the_backup_is_restored(breaking: World, steps: Releasing) -> None:
    breaking.broken = {"test two": Failure("the reason", "the hint")}

    with pytest.raises(Failure, match="the reason\none serves: it passed"):
        steps.run("deploy", "two", Options(allow_downtime=True))

    after = breaking.moves[breaking.moves.index("test two") + 1 :]
    assert after == [
        "pause", "backup/restore", "wake", "test one", "switch to one", "retire", "work one", "smoke one",
    ]  # fmt: skip
    assert {each.tag for each in breaking.backends} == {"one"}


@pytest.mark.parametrize(("broken", "options", "way_on"), [
    ("watch", Options(allow_downtime=True), "restore that backup and lose what was written since"),
    ("test two", Options(allow_downtime=True, without_backup=True), "deploy code that runs on it"),
])  # fmt: skip
def test_where_going_back_would_lose_data_a_person_decides(
    breaking: World, steps: Releasing, broken: str, options: Options, way_on: str
) -> None:
    breaking.broken = {broken: Failure("the reason", "the hint")}

    with pytest.raises(Failure, match="the reason\nthe site shows its maintenance page") as closed:
        steps.run("deploy", "two", options)

    assert way_on in closed.value.hint
    assert breaking.moves[-1] == "pause"
    assert "switch to one" not in breaking.moves
    unfinished = steps.journal.unfinished()
    assert unfinished is not None
    assert unfinished.record["closed"] is True


def test_the_decision_to_go_back_restores_the_backup(breaking: World, steps: Releasing) -> None:
    breaking.broken = {"watch": Failure("the reason", "the hint")}
    with pytest.raises(Failure, match="maintenance page"):
        steps.run("deploy", "two", Options(allow_downtime=True))

    assert steps.recover(finish=False) == "undone"

    assert "backup/restore" in breaking.moves
    assert breaking.moves[-1] == "smoke one"


def test_the_decision_to_go_on_needs_no_way_back(breaking: World, steps: Releasing) -> None:
    breaking.broken = {"watch": Failure("the reason", "the hint")}
    with pytest.raises(Failure, match="maintenance page"):
        steps.run("deploy", "two", Options(allow_downtime=True))

    assert steps.recover() == "abandoned"

    assert "backup/restore" not in breaking.moves
    assert steps.run("deploy", "three", NO_BACKUP).outcome == "succeeded"


def test_an_interrupted_release_that_serves_and_has_no_way_back_is_finished(
    breaking: World, steps: Releasing
) -> None:
    breaking.broken = {"watch": Killed()}
    with pytest.raises(Killed):
        steps.run("deploy", "two", Options(allow_downtime=True))

    assert steps.recover() == "finished"
    assert breaking.moves[-6:] == ["test two", "switch to two", "smoke two", "retire", "proxy", "follow"]


def test_a_database_elsewhere_has_no_way_back_without_the_word(breaking: World, steps: Releasing) -> None:
    breaking.stack.set_values({"DATABASE_URL": "postgres://todo_user:x@elsewhere:5432/todo_db"})

    with pytest.raises(Failure, match="there would be no way back") as refused:
        steps.run("deploy", "two", Options(allow_downtime=True))

    assert "--without-backup" in refused.value.hint
    assert "pause" not in breaking.moves


def test_a_broken_env_file_stops_a_recovery_before_anything_is_touched(world: World, steps: Releasing) -> None:
    world.broken = {"smoke two": Killed()}
    with pytest.raises(Killed):
        steps.run("deploy", "two", NO_BACKUP)
    world.broken = {"configuration": Failure("SECRET_KEY is too short", "correct the file")}
    before = len(world.moves)

    with pytest.raises(Failure, match="SECRET_KEY is too short"):
        steps.recover()

    assert world.moves[before:] == ["configuration"]
    assert steps.journal.unfinished() is not None


def test_where_nothing_served_there_is_nothing_to_go_back_to(world: World, steps: Releasing) -> None:
    world.backends = []
    world.broken = {"smoke two": Failure("the reason", "the hint")}

    with pytest.raises(Failure, match="nothing was serving before"):
        steps.run("deploy", "two", NO_BACKUP)

    assert world.moves[-2:] == ["smoke two", "pause"]
    assert world.stack.tag == "one"


def test_another_image_under_the_same_tag_is_refused(world: World, steps: Releasing) -> None:
    with pytest.raises(Failure, match="id-of-another was asked for"):
        steps.run("deploy", "two", Options(expected_image="id-of-another"))

    assert steps.journal.releases() == []
