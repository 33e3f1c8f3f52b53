"""deploy/release: where the images of a release come from, and which ones stay."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from host.console import Console, Failure
from host.stack import Stack
from release import images, pruning, registry, reporting
from release.history import Target
from release.journal import Journal

from tests.architecture.source import DEPLOY
from tests.deploy.conftest import Docker, Kept

DIGEST = "a" * 64
REPOSITORY = "registry.example.org/team"


class Engine:
    """A Docker Engine with images, containers and a registry, as far as the commands under test ask for them."""

    def __init__(self) -> None:
        self.here: dict[str, str] = {}  # the names of images on the host, and their ids
        self.registry: dict[str, str] = {}
        self.away = ""
        self.in_use: list[str] = []

    def run(self, *command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        words = [word for word in command if not word.startswith("--")]
        known = {"image": self._image, "pull": self._pull, "tag": self._tag, "ps": self._ps, "inspect": self._used}
        known |= {"system": self._sizes, "builder": lambda *_: "Total: 0B"}
        assert words[0] == "docker"
        try:
            return subprocess.CompletedProcess(command, 0, known[words[1]](*words[2:]), "")
        except LookupError as error:
            assert not check, command
            return subprocess.CompletedProcess(command, 1, "", str(error.args[0]))

    def _image(self, action: str, name: str) -> str:
        found = self.here.get(name, name if name in self.here.values() else None)
        if found is None:
            raise LookupError("No such image")
        names = [each for each, image in self.here.items() if image == found]
        if action == "rm":
            del self.here[name]
            return ""
        described = {
            "Id": found,
            "Config": {"Env": ["APP_VERSION=1.4.2"]},
            "RepoTags": [each for each in names if "@" not in each],
            "RepoDigests": [each for each in names if "@" in each],
        }
        return json.dumps([described])

    def _pull(self, name: str) -> str:
        if self.away or name not in self.registry:
            raise LookupError(self.away or "manifest unknown")
        self.here[name] = self.registry[name]
        return ""

    def _tag(self, source: str, name: str) -> str:
        self.here[name] = self.here.get(source, source)
        return ""

    def _ps(self, *words: str) -> str:
        return "" if any(word.startswith("label=") for word in words) else " ".join(self.in_use)

    def _used(self, *words: str) -> str:
        return "\n".join(self.in_use)

    def _sizes(self, *words: str) -> str:
        return "\n".join(json.dumps({"Type": each, "Size": "1GB"}) for each in ("Images", "Build Cache"))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr(Stack, "run", lambda stack, *command, **options: engine.run(*command, **options))
    return engine


@pytest.fixture
def stack(repository: Path, engine: Engine) -> Stack:
    stack = Stack("prod", repository=repository)
    stack.set_values({"IMAGE_REPOSITORY": REPOSITORY})
    return stack


def test_an_image_on_the_host_is_not_pulled(stack: Stack, engine: Engine) -> None:
    engine.here["todo-backend:two"] = "sha256:2"
    engine.away = "no route to host"
    assert registry.obtain(stack, Console(), "two") == "two"


def test_a_tag_is_pulled_with_the_other_images_that_the_registry_has(stack: Stack, engine: Engine) -> None:
    engine.registry = {f"{REPOSITORY}/todo-backend:two": "sha256:2", f"{REPOSITORY}/todo-proxy:two": "sha256:3"}
    assert registry.obtain(stack, Console(), "two") == "two"
    assert engine.here["todo-backend:two"] == "sha256:2"
    assert engine.here["todo-proxy:two"] == "sha256:3"
    assert "todo-backup:two" not in engine.here


def test_a_digest_names_the_image_and_its_version_names_the_others(stack: Stack, engine: Engine) -> None:
    name = f"{REPOSITORY}/todo-backend@sha256:{DIGEST}"
    engine.registry = {name: "sha256:2", f"{REPOSITORY}/todo-proxy:1.4.2": "sha256:3"}
    tag = registry.obtain(stack, Console(), name)
    assert tag == "sha256-aaaaaaaaaaaa"
    assert engine.here[f"todo-backend:{tag}"] == "sha256:2"
    assert engine.here[f"todo-proxy:{tag}"] == "sha256:3"


def test_a_registry_that_is_away_fails_the_deployment_before_it_starts(stack: Stack, engine: Engine) -> None:
    engine.away = "no route to host"
    with pytest.raises(Failure, match="no route to host"):
        registry.obtain(stack, Console(), "two")


@pytest.mark.parametrize("name", ["team/todo-backend", "a b/c:1", "team/x@sha256:12", "-x"])
def test_what_is_no_name_is_refused(stack: Stack, name: str) -> None:
    with pytest.raises(Failure, match="neither a tag nor the name"):
        registry.obtain(stack, Console(), name)


@pytest.mark.parametrize(
    ("digest", "is_pullable"),
    [
        (f"registry.example.org/team/todo-backend@sha256:{DIGEST}", True),
        (f"127.0.0.1:5000/todo-backend@sha256:{DIGEST}", True),
        (f"localhost/todo-backend@sha256:{DIGEST}", True),
        (f"todo-backend@sha256:{DIGEST}", False),
    ],
)
def test_a_digest_of_a_local_build_is_in_no_registry(digest: str, is_pullable: bool) -> None:
    assert bool(registry.pullable((digest,))) is is_pullable


def test_an_image_that_lost_its_tag_gets_it_again(stack: Stack, engine: Engine) -> None:
    engine.here["kept"] = "sha256:1"
    registry.bring_back(stack, Console(), Target("one", "sha256:1"))
    assert engine.here["todo-backend:one"] == "sha256:1"


def test_an_image_that_left_the_host_is_pulled_again(stack: Stack, engine: Engine) -> None:
    name = f"{REPOSITORY}/todo-backend@sha256:{DIGEST}"
    engine.registry[name] = "sha256:1"
    registry.bring_back(stack, Console(), Target("one", "sha256:1", (name,)))
    assert engine.here["todo-backend:one"] == "sha256:1"


@pytest.mark.parametrize("is_here", [True, False])
def test_an_image_whose_tag_was_built_again_gets_another_tag(stack: Stack, engine: Engine, is_here: bool) -> None:
    name = f"{REPOSITORY}/todo-backend@sha256:{DIGEST}"
    engine.here = {"todo-backend:one": "sha256:built-by-hand", **({"no tag": "sha256:1"} if is_here else {})}
    engine.registry[name] = "sha256:1"

    tag = registry.bring_back(stack, Console(), Target("one", "sha256:1", (name,)))

    assert tag == "kept-1"
    assert engine.here["todo-backend:kept-1"] == "sha256:1"
    assert engine.here["todo-backend:one"] == "sha256:built-by-hand"


@contextmanager
def no_lock(*arguments: object) -> Iterator[None]:
    yield


@pytest.fixture
def served(stack: Stack, engine: Engine, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack on which four releases served, the last one now."""
    journal, before = Journal(kept), None
    monkeypatch.setattr(Journal, "of", lambda stack: journal)
    for number, tag in enumerate(("one", "two", "three", "four"), start=1):
        engine.here |= {f"todo-{image}:{tag}": f"sha256:{image}-{number}" for image in ("backend", "proxy")}
        release = journal.began(
            kind="deploy", tag=tag, image=f"sha256:backend-{number}", previous_tag=before,
            previous_image=before and f"sha256:backend-{number - 1}",
            values={"PROXY_TAG": "one" if number < 3 else tag},
        )  # fmt: skip
        journal.ended(release, "succeeded")
        before = tag
    stack.set_values({"IMAGE_TAG": "four", "PROXY_TAG": "four"})
    return stack


def test_what_a_rollback_needs_and_what_runs_is_kept(
    served: Stack, engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.here |= {"todo-backend:else": "sha256:else", "mine:1": "sha256:backend-1"}
    engine.in_use = ["sha256:proxy-1"]
    monkeypatch.setattr(pruning, "exclusive", no_lock)
    monkeypatch.setattr(pruning, "Stack", lambda name: served)

    pruning.prune(["prod", "--keep", "2", "--json"])

    removed = set(json.loads(capsys.readouterr().out)["removed"])
    assert removed == {"todo-backend:one", "todo-backend:two", "todo-proxy:two"}
    assert {"mine:1", "todo-backend:else", "todo-backend:three", "todo-proxy:three"} <= set(engine.here)


def test_metrics_tell_a_failed_release_from_an_interrupted_one(served: Stack) -> None:
    def numbers() -> dict[str, str]:
        lines = reporting.metrics_of(reporting.status_of(served)).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    failed, unfinished = 'todo_release_failed{env="prod"}', 'todo_release_unfinished{env="prod"}'
    assert numbers() == {failed: "0", unfinished: "0"}
    release = Journal.of(served).began(kind="deploy", tag="five", image="sha256:5")
    assert numbers() == {failed: "0", unfinished: "1"}
    Journal.of(served).ended(release, "undone")
    assert numbers() == {failed: "1", unfinished: "0"}


def test_status_says_one_thing_about_rollback_after_an_interrupted_release(served: Stack) -> None:
    assert "  rollback: to three" in reporting.text_of(reporting.status_of(served))
    Journal.of(served).began(kind="deploy", tag="five", image="sha256:5")
    said = reporting.text_of(reporting.status_of(served))
    assert "deploy/release/rollback prod undoes it" in said
    assert "  rollback: " not in said


@pytest.mark.parametrize(
    ("is_killed", "said"),
    [(False, "running now: deploy prod\n"), (True, "running now: deploy prod was killed, but ")],
)
def test_status_tells_a_killed_command_from_one_that_is_at_work(
    served: Stack, monkeypatch: pytest.MonkeyPatch, is_killed: bool, said: str
) -> None:
    monkeypatch.setattr(reporting, "holder", lambda stack: {"command": "deploy prod", "is_killed": is_killed})
    assert said in reporting.text_of(reporting.status_of(served))


def test_status_and_rollback_say_that_the_image_was_removed(served: Stack, engine: Engine) -> None:
    assert reporting.status_of(served)["rollback"] == {"tag": "three"}
    del engine.here["todo-backend:three"]

    status = reporting.status_of(served)
    assert "was removed from this host" in status["rollback"]["problem"]
    assert "rollback: impossible, todo-backend:three" in reporting.text_of(status)
    with pytest.raises(Failure, match="was removed from this host") as refused:
        registry.bring_back(served, Console(), Target("three", "sha256:backend-3"))
    assert "deploy/release/prune prod" in refused.value.hint


def test_status_says_that_the_tag_was_built_again_by_hand(served: Stack, engine: Engine) -> None:
    assert "REBUILT" not in reporting.text_of(reporting.status_of(served))
    engine.here["todo-backend:four"] = "sha256:built-by-hand"
    assert "REBUILT: todo-backend:four" in reporting.text_of(reporting.status_of(served))


def test_no_image_of_a_release_is_built_by_hand() -> None:
    """The end-to-end tests try it with that of the backend."""
    guards = [
        re.findall(r'^RUN if \[ "\$APP_REVISION" = unknown \].*?^    fi$', path.read_text(), re.M | re.S)
        for path in (
            DEPLOY.parent / "backend/Dockerfile",
            DEPLOY / "backup/Dockerfile",
            DEPLOY / "proxy/Dockerfile",
        )
    ]
    assert guards[0]
    assert guards[0] == guards[1] == guards[2]


@pytest.mark.parametrize(
    ("path", "cause", "hint"),
    [
        ("", "fatal: not a git repository", "correct that; or build the image with a tag of your own"),
        (None, "git is not installed", "install it"),
    ],
)
def test_a_build_without_a_revision_says_why(
    repository: Path, monkeypatch: pytest.MonkeyPatch, path: str | None, cause: str, hint: str
) -> None:
    monkeypatch.setenv("PATH", str(repository) if path is None else os.environ["PATH"])
    with pytest.raises(Failure, match=cause) as refused:
        images.build(Stack("prod", repository=repository))
    assert refused.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("short", "tag"), [("0abc123", "0abc123"), ("1234567", "1234567f00d"), ("12345e7", "12345e7")]
)
def test_the_tag_of_a_release_has_a_letter_and_so_is_not_built_by_hand(
    stack: Stack, docker: Docker, short: str, tag: str
) -> None:
    docker.answers |= {"git rev-parse --short": short, "git rev-parse HEAD": "1234567f00d", "git status": ""}
    assert images.build(stack) == tag
