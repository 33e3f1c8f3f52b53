"""What the suites share: one copy of the checkout, the images built from it, and the stacks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import api, harness
from tests.e2e.harness import Client, Stack, say

# the files that take longest, in the order in which they begin, so that no process works alone at the end
LONGEST = ("test_releases", "test_recovery", "test_backups", "test_rotation", "test_replica", "test_registry")


def _turn(item: pytest.Item) -> int:
    return LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin, and stop the whole suite with one message if there is no Docker Engine."""
    items.sort(key=_turn)
    if shutil.which("docker") is None or harness.run("docker", "info", check=False).returncode:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs a running Docker engine"))


@pytest.fixture(autouse=True)
def _progress(request: pytest.FixtureRequest) -> None:
    harness.say(request.node.nodeid.split("/")[-1])


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the checkout, so that env files and planted changes touch nothing of the real one."""
    target = tmp_path_factory.mktemp("checkout")
    yield harness.copy_checkout(target)
    shutil.rmtree(target, ignore_errors=True)


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest, checkout: Path) -> Iterator[Stack]:
    """Return a production stack with the VARIABLES of the module, which may override this fixture."""
    stack = harness.deployed(checkout, "prod", **getattr(request.module, "VARIABLES", {}))
    with harness.standing(stack):
        say(f"production was up after {stack.up('--build'):.0f} s, images included")
        yield stack


@pytest.fixture(scope="module")
def client(stack: Stack) -> Client:
    """Return a client of the site, through the proxy."""
    return api.site(stack, int(stack.variables["HTTPS_PORT"]))


@pytest.fixture(scope="module")
def alice(client: Client) -> Client:
    """Return a client of a new account."""
    return api.register(client)
