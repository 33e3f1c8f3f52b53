"""What the suites share: one copy of the checkout, the images built from it, and the stacks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import api, harness
from tests.e2e.harness import Client, Stack, say


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without an engine the suite says so instead of failing one by one."""
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
def stack(checkout: Path) -> Iterator[Stack]:
    """Production; a module that needs another one has a fixture of this name."""
    stack = harness.deployed(checkout, "prod")
    with harness.standing(stack):
        say(f"production was up after {stack.up('--build'):.0f} s, images included")
        yield stack


@pytest.fixture(scope="module")
def client(stack: Stack) -> Client:
    """Give the stack's site, through the proxy."""
    return api.site(stack, int(stack.variables["HTTPS_PORT"]))


@pytest.fixture(scope="module")
def alice(client: Client) -> Client:
    """Somebody with an account."""
    return api.register(client)
