"""deploy/kubernetes/apply against a stub of kubectl: the order of its commands, and what each failure leads to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.source import DEPLOY

# Gives the last of the answers whose `part` is in the command and whose `after` is in an earlier one.
KUBECTL = r"""import json, os, pathlib, sys
stub, command = pathlib.Path(os.environ["STUB"]), " ".join(sys.argv[1:])
before = (stub / "asked").read_text()
(stub / "asked").write_text(before + command + "\n")
for answer in reversed(json.loads((stub / "answers").read_text())):
    if answer["part"] in command and answer["after"] in before and not (answer["once"] and command in before):
        print(answer["text"])
        sys.exit(1 if answer["fails"] else 0)
"""
REVISION = "get deployment {} --ignore-not-found"


@dataclass
class Cluster:
    """What kubectl answers, and what it was asked."""

    folder: Path
    overlay: Path

    def answer(
        self, part: str, text: str = "", *, after: str = "", fails: bool = False, once: bool = False
    ) -> None:
        """Answer every command that contains `part`; later answers replace earlier ones."""
        answers = json.loads((self.folder / "answers").read_text())
        answers.append({"part": part, "text": text, "after": after, "fails": fails, "once": once})
        (self.folder / "answers").write_text(json.dumps(answers))

    @property
    def asked(self) -> list[str]:
        lines = (self.folder / "asked").read_text().splitlines()
        return [line.removeprefix("--namespace todo-prod ") for line in lines]

    def apply(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "STUB": str(self.folder)}
        return subprocess.run(
            [str(self.overlay.parents[1] / "apply"), *arguments],
            env=environ | {"POLL_SECONDS": "0"}, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster on which a release serves and every command succeeds."""
    copy = tmp_path / "kubernetes"
    shutil.copytree(DEPLOY / "kubernetes", copy)
    (tmp_path / "answers").write_text("[]")
    (tmp_path / "asked").touch()
    kubectl = tmp_path / "kubectl"
    # `python3` may be a slow shim
    kubectl.write_text(f"#!{sys.executable} -IS\n{KUBECTL}")
    kubectl.chmod(0o755)
    cluster = Cluster(tmp_path, copy / "overlays/prod")
    cluster.answer("kustomize", "image: registry.example.org/todo-backend:2\n")
    cluster.answer("get secret todo", "secret/todo")
    cluster.answer("get job", "SuccessCriteriaMet Complete")
    for name in ("backend", "worker", "proxy"):
        cluster.answer(REVISION.format(name), "4")
    cluster.answer("/api/v1/me", "wget: server returned error: HTTP/1.1 401 Unauthorized", fails=True)
    return cluster


def undone(cluster: Cluster) -> list[str]:
    return [line for line in cluster.asked if line.startswith("rollout undo")]


def test_the_release_is_checked_migrated_rolled_out_and_tested_in_this_order(cluster: Cluster) -> None:
    done = cluster.apply("prod")
    assert done.returncode == 0, done.stderr
    order = [
        "apply --dry-run=server", "create job migrate-", "get job migrate-", "rollout status deployment/backend",
        "rollout status deployment/worker", "rollout status deployment/proxy",
        "exec deployment/proxy -- wget -q -O - -T 10 http://127.0.0.1/health/ready",
    ]  # fmt: skip
    places = [next(number for number, line in enumerate(cluster.asked) if line.startswith(each)) for each in order]
    assert places == sorted(places)
    applied = [line for line in cluster.asked if line.startswith("apply -f")]
    assert ["notin (backend, worker, proxy)" in line for line in applied] == [True, False]
    assert cluster.asked.index(applied[1]) > places[2]
    assert undone(cluster) == []
    assert "done: registry.example.org/todo-backend:2" in done.stderr


def test_a_migration_that_fails_replaces_nothing(cluster: Cluster) -> None:
    cluster.answer("get job", "FailureTarget Failed")
    cluster.answer("logs job/migrate-", "relation exists")
    done = cluster.apply("prod")
    assert done.returncode == 1
    assert "relation exists" in done.stderr
    assert "the release before still serves" in done.stderr
    assert [line for line in cluster.asked if line.startswith(("rollout", "exec"))] == []


@pytest.mark.parametrize("failure", ["rollout status deployment/worker", "/health/ready"])
def test_a_release_that_fails_goes_back_to_the_revision_before(cluster: Cluster, failure: str) -> None:
    for name in ("backend", "worker"):  # the proxy does not change
        cluster.answer(REVISION.format(name), "5", after="create job")
    cluster.answer(failure, fails=True, once=True)
    done = cluster.apply("prod")
    assert done.returncode == 1
    assert "the one before serves again" in done.stderr
    assert undone(cluster) == [
        "rollout undo deployment/backend --to-revision=4",
        "rollout undo deployment/worker --to-revision=4",
    ]


def test_a_first_release_has_nothing_to_go_back_to(cluster: Cluster) -> None:
    for name in ("backend", "worker", "proxy"):
        cluster.answer(REVISION.format(name))
    cluster.answer("/health/ready", fails=True)
    done = cluster.apply("prod")
    assert done.returncode == 1
    assert "the first release does not work" in done.stderr
    assert undone(cluster) == []


@pytest.mark.parametrize(
    ("part", "text", "fails", "said"),
    [
        ("kustomize", "image: registry.change-me.example/todo-backend:1", False, "change-me.example"),
        ("config current-context", "", True, "kubectl names no cluster"),
        ("get secret todo", "", True, "does not answer, or refuses you"),
        ("get secret todo", "", False, "has no Secret todo"),
        ("--dry-run=server", "", True, "the cluster refuses the files"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_changes(
    cluster: Cluster, part: str, text: str, fails: bool, said: str
) -> None:
    cluster.answer(part, text, fails=fails)
    done = cluster.apply("prod")
    assert done.returncode == 1
    assert said in done.stderr
    assert [line for line in cluster.asked if line.startswith(("apply -f", "create"))] == []


@pytest.mark.parametrize("arguments", [(), ("nowhere",)])
def test_an_overlay_must_be_named(cluster: Cluster, arguments: tuple[str, ...]) -> None:
    assert cluster.apply(*arguments).returncode == 2
    assert cluster.asked == []


def test_help_says_how_to_use_it(cluster: Cluster) -> None:
    done = cluster.apply("--help")
    assert done.returncode == 0
    assert "deploy/kubernetes/apply prod" in done.stdout
    assert cluster.asked == []
