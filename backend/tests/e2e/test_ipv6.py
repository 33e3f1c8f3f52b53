"""IPv6 visitors reach the application under their own addresses, on an engine that is set up as the README says."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import harness
from tests.e2e.harness import Stack, wait_for
from tests.e2e.test_proxy import STUB

TAG = f"{harness.IMAGE_TAG}-ipv6"
IMAGES = (f"todo-proxy:{TAG}", "caddy:2", "python:3.11-slim")
# What deploy/proxy/README.md has for daemon.json, as options.
ENGINE = (
    "--experimental", "--ip6tables",
    "--default-address-pool", "base=10.213.0.0/16,size=24",
    "--default-address-pool", "base=fd5a:7c1e:9b30::/48,size=64",
)  # fmt: skip
ASK = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"


@dataclass
class Outside:
    """A network with an engine in a container, and visitors beside it."""

    name: str

    def inspect(self, what: str) -> str:
        """Return a field of the engine's address on this network."""
        pattern = f'{{{{(index .NetworkSettings.Networks "{self.name}").{what}}}}}'
        return harness.run("docker", "inspect", "-f", pattern, f"{self.name}-engine").stdout.strip()

    def visit(self, url: str) -> dict[str, str]:
        """Send a request from a container of its own; return its IPv6 address and what the backend saw."""
        shell = f"grep -v ' lo$' /proc/net/if_inet6 | grep -v ^fe80; python -c '{ASK}' {url}"
        command = ("docker", "run", "--rm", "--network", self.name, "python:3.11-slim", "sh", "-c", shell)
        own, body = harness.run(*command).stdout.strip().split("\n", 1)
        return {"own": own.split()[0], "seen": json.loads(body)["headers"]["X-Forwarded-For"]}


@pytest.fixture(scope="module")
def outside(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("images")
    harness.run("docker", "build", "-q", "-t", IMAGES[0], "deploy/proxy", cwd=checkout)
    harness.run("docker", "save", "-o", str(folder / "images.tar"), *IMAGES)
    outside = Outside(harness.project_name("ipv6"))
    subnet = f"fd5a:7c1e:9b31:{outside.name[-4:]}::/64"
    engine = ("docker", "run", "-d", "--privileged", "--name", f"{outside.name}-engine", "--network", outside.name)
    try:
        harness.run("docker", "network", "create", "--ipv6", "--subnet", subnet, outside.name)
        harness.run(*engine, "-v", f"{folder}:/images", "docker:dind", *ENGINE)
        wait_for("the engine", lambda: not _in_engine(outside, "docker", "info").returncode)
        assert not _in_engine(outside, "docker", "load", "-qi", "/images/images.tar").returncode
        yield outside
    finally:
        harness.run("docker", "rm", "-fv", f"{outside.name}-engine", check=False)
        harness.run("docker", "network", "rm", outside.name, check=False)
        harness.run("docker", "rmi", IMAGES[0], check=False)


def _in_engine(outside: Outside, *command: str) -> subprocess.CompletedProcess[str]:
    return harness.run("docker", "exec", f"{outside.name}-engine", *command, check=False)


@pytest.fixture(scope="module")
def stack(outside: Outside, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Start the proxy with an echoing backend on that engine, which goes with its container."""
    folder = tmp_path_factory.mktemp("stack")
    # nothing of this machine can be mounted there
    script = Path(__file__).with_name("stub_backend.py").read_text()
    stub = STUB.replace("      - {stub}:/stub/stub_backend.py:ro\n", "").replace(
        "volumes: !override", "volumes: !reset []"
    )
    stub = stub.replace("[python, /stub/stub_backend.py]", json.dumps(["python", "-c", script]).replace("$", "$$"))
    (folder / "stub.yml").write_text(stub.replace("{{}}", "{}"))
    (folder / "prod.env").write_text(
        f"DJANGO_ENV=prod\nIMAGE_TAG={TAG}\nPOSTGRES_PASSWORD=unused\nSITE_URL=http://localhost\nSITE_ADDRESS=:80\n"
    )
    stack = Stack(
        project="todo-ipv6",
        checkout=checkout,
        files=(*harness.PRODUCTION_FILES, "deploy/proxy/ipv6.yml", str(folder / "stub.yml")),
        env_file=str(folder / "prod.env"),
        variables={
            "ENV_FILE": str(folder / "prod.env"),
            "DOCKER_HOST": f"tcp://{outside.inspect('IPAddress')}:2375",
        },
    )
    stack.up("--no-build", "proxy")
    return stack


def test_each_visitor_has_an_address_of_its_own(outside: Outside, stack: Stack) -> None:
    site = outside.inspect("GlobalIPv6Address")
    visitor = wait_for("the proxy", lambda: outside.visit(f"http://[{site}]/"))
    assert ipaddress.ip_address(visitor["seen"]).exploded.replace(":", "") == visitor["own"]
    # and over IPv4, not that of a gateway
    visitor = outside.visit(f"http://{outside.inspect('IPAddress')}/")
    assert visitor["seen"] != outside.inspect("Gateway")
    network = ipaddress.ip_network(f"{outside.inspect('IPAddress')}/{outside.inspect('IPPrefixLen')}", strict=False)
    assert ipaddress.ip_address(visitor["seen"]) in network
