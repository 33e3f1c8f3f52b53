"""The lock files hold exact versions with hashes, and no addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import BACKEND

LOCKS = [BACKEND / "requirements" / name for name in ("prod.txt", "dev.txt")]
BENCH = BACKEND / "requirements" / "bench.txt"  # what `make bench` installs beside them
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^ ;\\]+)")


def entries(path: Path) -> dict[str, str]:
    """Yield each locked package with its entry."""
    found: dict[str, str] = {}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith(" "):
            entry = _ENTRY.match(line)
            assert entry, f"not an exact version: {line}"
            name = f"{entry['name']}=={entry['version']}"
            found[name] = ""
        found[name] += line + "\n"
    return found


@pytest.mark.parametrize("path", [*LOCKS, BENCH], ids=lambda path: path.name)
def test_every_package_is_exact_and_hashed(path: Path) -> None:
    found = entries(path)
    assert len(found) > 20
    assert [name for name, text in found.items() if "--hash=sha256:" not in text] == []


@pytest.mark.parametrize("path", [*LOCKS, BENCH], ids=lambda path: path.name)
def test_no_address_is_locked(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|--(?:extra-)?index-url|--find-links| @ |file:", text)


def test_the_server_is_one_release() -> None:
    project = tomllib.loads((BACKEND / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = [each for each in project["dependencies"] if each.startswith("gunicorn")]
    assert len(pinned) == 1
    version = re.fullmatch(r"gunicorn==(\d+\.\d+\.\d+)", pinned[0])
    assert version
    for path in LOCKS:
        assert f"gunicorn=={version[1]}" in entries(path)


def test_development_runs_what_production_runs() -> None:
    prod, dev = (set(entries(path)) for path in LOCKS)
    assert prod <= dev


def test_what_is_only_measured_is_installed_nowhere_else() -> None:
    group = tomllib.loads((BACKEND / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["bench"]
    names = {re.split(r"[\[~]", requirement)[0] for requirement in group}
    for path in LOCKS:
        assert names & {name.partition("==")[0] for name in entries(path)} == set()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((BACKEND / "pyproject.toml").read_text(encoding="utf-8"))
    locked = [{name.partition("==")[0].lower() for name in entries(path)} for path in (*LOCKS, BENCH)]
    groups = project["dependency-groups"]
    wanted = [project["project"]["dependencies"], groups["dev"], groups["bench"]]
    for requirements, names in zip(wanted, locked, strict=True):
        for requirement in requirements:
            name = re.split(r"[\[<>=~! ;]", requirement)[0].lower()
            assert name in names, f"{requirement}: run make lock"
