from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.contenders import BACKEND
from benchmarks.older import at_commit
from benchmarks.processes import ToolMissing

LOCK = (BACKEND / "requirements/prod.txt").read_text()


def git(repository: Path, *arguments: str) -> None:
    author = ["-c", "user.name=alice", "-c", "user.email=alice@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(repository), *author, *arguments], check=True, capture_output=True)


def commit(repository: Path, files: dict[str, str], subject: str) -> None:
    for name, text in files.items():
        path = repository / "backend" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(repository, "add", ".")
    git(repository, "commit", "-m", subject)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, {"requirements/prod.txt": LOCK}, "Before the measurements")
    commit(tmp_path, {"benchmarks/data.sql": "-- first", "requirements/prod.txt": ""}, "Lock nothing")
    commit(tmp_path, {"benchmarks/data.sql": "-- second", "requirements/prod.txt": LOCK}, "Lock the same")
    return tmp_path


def test_a_commit_is_checked_out_apart_and_is_gone_afterwards(repository: Path) -> None:
    with at_commit("HEAD", repository) as contender:
        assert contender.title == f"this backend at {contender.name} (Lock the same)"
        assert contender.is_older
        assert (contender.directory / "benchmarks/data.sql").read_text() == "-- second"
    assert not contender.directory.exists()


def test_with_the_same_lock_it_runs_with_the_same_packages(repository: Path) -> None:
    with at_commit("HEAD", repository) as contender:
        assert contender.command[0] == sys.executable


def test_with_another_lock_it_gets_packages_of_its_own(repository: Path) -> None:
    with at_commit("HEAD~1", repository) as contender:
        python = contender.command[0]
        done = subprocess.run(
            [python, "-c", "import sys; print(sys.prefix)\ntry: import django\nexcept ImportError: print('none')"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines() == [str(contender.directory / ".venv"), "none"]


@pytest.mark.parametrize(
    ("revision", "message"), [("nowhere", "nowhere"), ("HEAD~2", r"no backend/benchmarks/data\.sql")]
)
def test_a_commit_that_cannot_be_measured_is_refused(repository: Path, revision: str, message: str) -> None:
    with pytest.raises(ToolMissing, match=message), at_commit(revision, repository):
        pass
