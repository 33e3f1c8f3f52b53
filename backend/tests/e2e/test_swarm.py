"""deploy/swarm/stack.yml on three engines: a walk, a rolling update under load, a broken image, a lost node.

The tests build on each other, in the order of this file. The engines are containers; images reach them as files.
"""

from __future__ import annotations

import functools
import http.client
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import api, harness, load
from tests.e2e.api import expect
from tests.e2e.harness import PATIENCE, Client, say, wait_for

SITE = "todo.example.org"
TAG = f"{harness.IMAGE_TAG}-swarm"
NEXT, BROKEN = f"{TAG}-next", f"{TAG}-broken"
NODES = ("one", "two", "three")
IMAGES = (f"todo-backend:{TAG}", f"todo-proxy:{TAG}", "postgres:17")


@dataclass
class Swarm:
    """Three engines in containers, the first of which has the database."""

    name: str
    ports: dict[str, int]

    def run(self, *command: str, node: str = "one", check: bool = True) -> str:
        """Run a command in the container of a node."""
        return harness.run("docker", "exec", f"{self.name}-{node}", *command, check=check).stdout

    def deploy(self, tag: str) -> None:
        """Deploy as the README says, with another tag."""
        shell = f"cd /stack; set -a; . ./prod.env; IMAGE_TAG={tag}; set +a; "
        self.run("sh", "-c", shell + "docker stack deploy --resolve-image never --detach=true -c stack.yml todo")

    def update_state(self, service: str) -> str:
        status = self.run("docker", "service", "inspect", f"todo_{service}", "-f", "{{json .UpdateStatus}}")
        return str((json.loads(status) or {}).get("State"))

    def running(self, service: str) -> dict[str, str]:
        """Return the running tasks of a service, each with its node."""
        listed = self.run(
            "docker", "service", "ps", f"todo_{service}", "--filter", "desired-state=running", "--format", "json"
        )
        tasks = [json.loads(line) for line in listed.splitlines()]
        return {task["ID"]: task["Node"] for task in tasks if task["CurrentState"].startswith("Running")}

    def client(self, node: str) -> Client:
        """Return a client that comes through a load balancer with TLS to the proxy of a node."""
        headers = {"Host": SITE, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        return Client("127.0.0.1", self.ports[node], headers=headers)


@dataclass
class Used:
    """What people saw who read and wrote, one request after the other."""

    sent: int = 0
    failed: list[str] = field(default_factory=list)

    def use(self, person: Client, stop: threading.Event) -> None:
        """Read and write until the event is set."""
        while not stop.is_set():
            for method, path, data in (
                ("POST", "/api/v1/tasks", {"title": "Under load"}),
                ("GET", "/api/v1/tasks?limit=5", None),
            ):
                self.sent += 1
                try:
                    answer = person.request(method, path, data=data)
                    if answer.status not in (200, 201):
                        self.failed.append(f"{method} {answer.status} {answer.text[:200]}")
                except (OSError, http.client.HTTPException) as error:
                    self.failed.append(f"{method} {error!r}")
            time.sleep(0.1)


@contextmanager
def in_use(people: list[Client]) -> Iterator[Used]:
    """Have each person read and write meanwhile."""
    used = Used()
    with load.meanwhile(*(functools.partial(used.use, person) for person in people)):
        yield used


@pytest.fixture(scope="module")
def swarm(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    harness.run("docker", "build", "-q", "-t", IMAGES[0], "backend", cwd=checkout)
    harness.run("docker", "build", "-q", "-t", IMAGES[1], "deploy/proxy", cwd=checkout)
    folder = tmp_path_factory.mktemp("swarm")
    harness.run("docker", "save", "-o", str(folder / "images.tar"), *IMAGES)
    _write_configuration(checkout, folder)
    swarm = Swarm(harness.project_name("swarm"), {node: harness.free_port() for node in NODES})
    try:
        harness.run("docker", "network", "create", swarm.name)
        for node in NODES:
            _start_engine(swarm, node, folder)
        _join(swarm)
        yield swarm
    except BaseException:
        say("the swarm failed:\n" + swarm.run("docker", "stack", "ps", "todo", "--no-trunc", check=False))
        raise
    finally:
        for node in NODES:
            harness.run("docker", "rm", "-fv", f"{swarm.name}-{node}", check=False)
        harness.run("docker", "network", "rm", swarm.name, check=False)
        harness.run("docker", "rmi", *IMAGES[:2], check=False)


def _write_configuration(checkout: Path, folder: Path) -> None:
    stack = (checkout / "deploy/swarm/stack.yml").read_text()
    encrypted = '    driver_opts:\n      encrypted: "true"\n'
    assert stack.count(encrypted) == 1
    # IPsec is the kernel's, and the kernels of test machines often lack it: the one line that is not tested here
    (folder / "stack.yml").write_text(stack.replace(encrypted, ""))
    example = (checkout / "deploy/swarm/prod.env.example").read_text()
    values = {"SITE_URL": f"https://{SITE}", "GUNICORN_WORKERS": "2", "IMAGE_TAG": TAG, "PROXY_TAG": TAG}
    kept = [line for line in example.splitlines() if line.split("=")[0] not in values]
    (folder / "prod.env").write_text(
        "\n".join([*kept, *(f"{name}={text}" for name, text in values.items())]) + "\n"
    )


def _start_engine(swarm: Swarm, node: str, folder: Path) -> None:
    name = f"{swarm.name}-{node}"
    options = ["--privileged", "--network", swarm.name, "--hostname", node, "-v", f"{folder}:/stack"]
    port = f"127.0.0.1:{swarm.ports[node]}:80"
    harness.run("docker", "run", "-d", "--name", name, *options, "-p", port, "docker:dind")


def _join(swarm: Swarm) -> None:
    for node in NODES:
        wait_for(f"an engine on {node}", lambda node=node: swarm.run("docker", "info", node=node))
    swarm.run("docker", "swarm", "init", "--advertise-addr", "eth0")
    token = swarm.run("docker", "swarm", "join-token", "-q", "manager").strip()
    for node in NODES[1:]:
        # after 20 seconds the command gives up, and the engine goes on
        swarm.run("docker", "swarm", "join", "--token", token, f"{swarm.name}-one:2377", node=node, check=False)
    listed = ("docker", "node", "ls", "--format", "{{.Status}}")
    wait_for("three nodes", lambda: swarm.run(*listed).split() == ["Ready"] * 3)
    swarm.run("docker", "node", "update", "--label-add", "todo_db=true", "one")
    for name in ("secret_key", "postgres_password", "metrics_token"):
        create = f"printf %s {secrets.token_urlsafe(50)} | docker secret create todo_{name} -"
        swarm.run("sh", "-c", create)
    loading = [
        threading.Thread(
            target=swarm.run, args=("docker", "load", "-qi", "/stack/images.tar"), kwargs={"node": node}
        )
        for node in NODES
    ]
    for thread in loading:
        thread.start()
    for thread in loading:
        thread.join()


def _derive(swarm: Swarm, tag: str, *changes: str) -> None:
    """Make another image of the backend on every node, as a registry would hand it out."""
    for node in NODES:
        made = swarm.run("docker", "create", f"todo-backend:{TAG}", node=node).strip()
        options = [part for change in changes for part in ("-c", change)]
        swarm.run("docker", "commit", *options, made, f"todo-backend:{tag}", node=node)
        swarm.run("docker", "rm", made, node=node)


def release(swarm: Swarm) -> Any:
    return expect(swarm.client("two").get("/version"), 200)["version"]


def test_it_starts_and_answers_through_the_proxy_of_every_node(swarm: Swarm) -> None:
    swarm.deploy(TAG)
    wait_for("three backends", lambda: len(swarm.running("backend")) == 3, timeout=PATIENCE, interval=2)
    wait_for("a worker", lambda: len(swarm.running("worker")) == 1, timeout=PATIENCE, interval=2)
    for node in NODES:
        ready = lambda node=node: swarm.client(node).get("/health/ready").status == 200  # noqa: E731 - one use
        wait_for(f"readiness through {node}", ready)


def test_people_work_through_any_node(swarm: Swarm) -> None:
    alice = api.register(swarm.client("one"))
    expect(alice.post("/api/v1/tasks", {"title": "Buy milk"}), 201)
    for node in NODES:
        alice.port = swarm.ports[node]
        assert api.titles(alice) == {"Buy milk"}
    assert swarm.client("three").get("/api/v1/tasks").status == 401


def test_no_secret_is_in_the_description_of_a_service(swarm: Swarm) -> None:
    for service in ("db", "backend", "worker", "proxy"):
        described = json.loads(swarm.run("docker", "service", "inspect", f"todo_{service}"))[0]["Spec"]
        env = described["TaskTemplate"]["ContainerSpec"].get("Env") or []
        assert not [text for text in env if text.split("=")[0].endswith(("PASSWORD", "KEY", "TOKEN"))]


def test_a_new_release_replaces_the_old_one_while_people_work(swarm: Swarm) -> None:
    _derive(swarm, NEXT, "ENV APP_VERSION=9.9.9")
    people = [api.register(swarm.client(node)) for node in ("one", "two", "three", "one")]
    with in_use(people) as used:
        swarm.run("docker", "service", "update", "--detach", "--image", f"todo-backend:{NEXT}", "todo_backend")
        state = lambda: swarm.update_state("backend") == "completed"  # noqa: E731 - one use
        wait_for("a new release", state, timeout=PATIENCE, interval=2)
        wait_for("people who use it", lambda: used.sent > 100)
    say(f"rolling update: {len(used.failed)} of {used.sent} requests failed {used.failed[:5]}")
    assert release(swarm) == "9.9.9"
    assert used.failed == []


def test_a_broken_image_is_rolled_back_by_itself(swarm: Swarm) -> None:
    _derive(swarm, BROKEN, 'ENTRYPOINT ["false"]')
    with in_use([api.register(swarm.client("two"))]) as used:
        swarm.run("docker", "service", "update", "--detach", "--image", f"todo-backend:{BROKEN}", "todo_backend")
        state = lambda: swarm.update_state("backend") == "rollback_completed"  # noqa: E731 - one use
        wait_for("a rollback", state, timeout=PATIENCE, interval=2)
    assert release(swarm) == "9.9.9"
    assert used.failed == []


def test_a_lost_node_is_made_up_for(swarm: Swarm) -> None:
    alice = api.register(swarm.client("one"))
    harness.run("docker", "kill", f"{swarm.name}-three")
    lost = time.monotonic()
    good = 0
    while good < 20 and time.monotonic() - lost < PATIENCE:
        try:
            good = good + 1 if alice.request("GET", "/api/v1/me", timeout=20).status == 200 else 0
        except (OSError, http.client.HTTPException):
            good = 0
    say(f"a node was lost: twenty good requests in a row after {time.monotonic() - lost:.0f} s")
    assert good == 20
    spread = lambda: sorted(swarm.running("backend").values()).count("three") == 0  # noqa: E731 - one use
    wait_for("the node to be given up", spread, timeout=PATIENCE, interval=2)
    three = lambda: len(swarm.running("backend")) == 3  # noqa: E731 - one use
    wait_for("three backends on two nodes", three, timeout=PATIENCE, interval=2)
