"""deploy/release: the docker commands of each step, with canned output."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from host.console import Console, Failure
from host.stack import Stack
from release import images, preflight, replicas, reporting, traffic
from release.rolling import Rolling

from tests.deploy.conftest import Docker


def described(
    name: str, *, health: str = "healthy", state: str = "running", restarts: int = 0, slot: str = "a"
) -> Any:
    """Return what `docker inspect` prints for a backend."""
    network = {"IPAddress": "172.20.0.9", "Aliases": ["backend", f"backend-{slot}"]}
    return {
        "Id": name,
        "Name": f"/{name}",
        "Image": "sha256:1",
        "Created": "2026-11-24T00:00:00Z",
        "Config": {"Image": "todo-backend:one", "Labels": {"com.docker.compose.config-hash": "as-created"}},
        "State": {"Status": state, "Health": {"Status": health}},
        "RestartCount": restarts,
        "NetworkSettings": {"Networks": {"todo-prod_default": network}},
    }


def running(docker: Docker, *found: Any) -> None:
    """Make docker list these containers."""
    docker.answers |= {"docker ps": " ".join(each["Id"] for each in found), "docker inspect": json.dumps(found)}


@pytest.mark.parametrize(
    "lost", [{"health": "unhealthy"}, {"state": "exited"}, {"health": "starting", "restarts": 2}]
)
def test_a_container_that_does_not_become_healthy_is_reported_with_its_last_lines(
    stack: Stack, docker: Docker, lost: dict[str, Any]
) -> None:
    running(docker, described("new", **lost))
    docker.answers["docker logs"] = "the reason why\n"

    with pytest.raises(Failure, match=r"new did not become healthy .*\n  \| the reason why"):
        replicas.wait_until_healthy(stack, "backend")


def test_healthy_containers_are_returned_at_once(stack: Stack, docker: Docker) -> None:
    running(docker, described("new"), described("old", health="unhealthy"))

    assert [each.id for each in replicas.wait_until_healthy(stack, "backend", ["new"])] == ["new"]


def test_a_service_without_a_health_check_is_started_once_it_runs(stack: Stack, docker: Docker) -> None:
    running(docker, described("theirs", health="none"))

    assert [each.id for each in replicas.wait_until_healthy(stack, "mailpit")] == ["theirs"]


def test_a_stopped_container_is_shown_as_stopped(stack: Stack, docker: Docker) -> None:
    running(docker, described("old", state="exited", health="unhealthy"))
    docker.answers["docker container inspect"] = 1  # nobody holds the lock
    docker.answers["docker image inspect"] = 1

    assert "backup: old one (1) exited" in reporting.text_of(reporting.status_of(stack))


def test_replicas_of_one_slot_have_it_and_mixed_ones_have_none(stack: Stack, docker: Docker) -> None:
    rolling = Rolling(stack, Console())
    running(docker, described("one", slot="b"), described("two", slot="b"))
    assert rolling.slot(replicas.containers(stack, "backend")) == "b"

    running(docker, described("one", slot="a"), described("two", slot="b"))
    assert rolling.slot(replicas.containers(stack, "backend")) == ""
    assert rolling.slot([]) == ""


def test_a_slot_is_never_left_before_the_other_is_named() -> None:
    for slot, other in (("a", "b"), ("b", "a")):
        command = traffic._ONLY[slot]
        assert command.index(f'touch "$folder/{slot}"') < command.index(f'rm -f "$folder/{other}"')


def test_the_chosen_slot_is_on_a_volume_and_also_where_earlier_proxies_look(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / "config/only", tmp_path / "tmp/only"]
    monkeypatch.setattr(traffic, "_FOLDERS", " ".join(map(str, folders)))
    monkeypatch.setattr(traffic, "_OPEN", "true")
    monkeypatch.setattr(
        traffic, "_in_proxy", lambda stack, script: subprocess.run(["sh", "-c", script], check=True)
    )

    def files() -> list[set[str]]:
        return [{path.name for path in folder.iterdir()} if folder.exists() else set() for folder in folders]

    traffic.send_to(stack, "a", strict=True)
    assert files() == [{"a", "strict"}] * 2
    traffic.send_to(stack, "b")
    assert files() == [{"b"}] * 2
    traffic.send_to(stack, "")
    assert files() == [set()] * 2


@pytest.mark.parametrize("pause", [0.1, 0.4], ids=["a quick machine", "a busy one"])
def test_waiting_ends_when_nothing_is_in_flight_and_not_before(
    stack: Stack, docker: Docker, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda _: sleep(pause))
    running(docker, described("old"))
    counts = iter(["2", "0", "1", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0"])
    monkeypatch.setattr(traffic, "QUIET_SECONDS", 0.25)
    monkeypatch.setattr(traffic, "_in_flight", lambda stack, replica, proxies: int(next(counts)))

    traffic.wait_until_idle(stack, replicas.containers(stack, "backend"))

    assert next(counts, "0") == "0"
    assert len(list(counts)) < 9


def test_waiting_has_an_end(stack: Stack, docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    running(docker, described("old"))
    docker.answers["docker exec"] = "1"
    monkeypatch.setattr(traffic, "FLIGHT_SECONDS", 0.3)

    assert traffic.wait_until_idle(stack, replicas.containers(stack, "backend")) >= 0.3


@pytest.mark.parametrize(("version", "ok"), [("2.24.4", True), ("v2.40.1", True), ("2.24.3", False), ("", False)])
def test_an_old_compose_is_refused(stack: Stack, docker: Docker, version: str, ok: bool) -> None:
    docker.answers["docker compose version"] = version
    if ok:
        preflight.compose_version(stack)
        return
    with pytest.raises(Failure) as refused:
        preflight.compose_version(stack)
    assert "2.24.4" in refused.value.hint


@pytest.mark.parametrize(
    ("free_kilobytes", "memory_kilobytes", "wrong"),
    [(9_000_000, 4_000_000, ""), (1_000_000, 4_000_000, "disk"), (9_000_000, 300_000, "memory")],
)
def test_a_host_that_would_run_full_is_refused(
    stack: Stack, docker: Docker, free_kilobytes: int, memory_kilobytes: int, wrong: str
) -> None:
    disk = f"overlay 99999999 1 {free_kilobytes} 1% /var"
    docker.answers["docker compose exec -T db sh"] = f"{disk}\nMemAvailable: {memory_kilobytes} kB\n"
    if not wrong:
        preflight.free_space(stack, 10_000_000, 2)
        return
    with pytest.raises(Failure, match=wrong):
        preflight.free_space(stack, 10_000_000, 2)


@pytest.mark.parametrize(("values", "role"), [({}, "todo_user"), ({"POSTGRES_ROLE": "todo_user_b"}, "todo_user_b")])
def test_a_new_volume_is_asked_as_the_only_role_that_it_has(
    stack: Stack, docker: Docker, values: dict[str, str], role: str
) -> None:
    stack.set_values(dict(values))
    running(docker, described("db"))
    docker.answers["docker compose exec"] = "8000000|t\n"

    assert preflight.database(stack) == preflight.Database(size=8000000, is_empty=True)
    assert f" -U {role} " in docker.asked[-1]


def test_an_env_file_that_compose_cannot_read_is_named(stack: Stack, docker: Docker) -> None:
    preflight.readable(stack)

    docker.answers["docker compose config"] = 15
    with pytest.raises(Failure, match="cannot read the configuration") as refused:
        preflight.readable(stack)
    assert str(stack.env_file) in refused.value.hint


def test_a_bad_configuration_is_refused_with_the_whole_report(stack: Stack, docker: Docker) -> None:
    docker.answers["docker compose run"] = 1

    with pytest.raises(Failure, match="the configuration check of two failed"):
        preflight.configuration(stack, {"IMAGE_TAG": "two"})


def test_the_plan_names_what_the_old_code_would_not_survive(stack: Stack, docker: Docker) -> None:
    operation = {"kind": "RemoveField", "reason": "it is read"}
    plan = {"pending": [{"app": "todos", "name": "0002", "operations": [operation]}], "incompatible": True}
    docker.answers["docker compose run"] = json.dumps(plan)

    plan = preflight.migrations(stack, {"IMAGE_TAG": "two"})

    assert plan == preflight.Plan(pending=("todos.0002",), incompatible=("todos.0002: RemoveField: it is read",))


def test_a_running_image_whose_tag_was_built_anew_keeps_a_tag(stack: Stack, docker: Docker) -> None:
    image = [{"Id": "sha256:new", "RepoDigests": [], "Config": {"Env": ["APP_VERSION=one"]}}]
    docker.answers["docker image inspect"] = json.dumps(image)

    assert images.keep_tag(stack, "todo-backend:one", "sha256:new") == "one"
    assert images.keep_tag(stack, "todo-backend:one", "sha256:0123456789abcdef") == "kept-0123456789ab"
    assert docker.asked[-1] == "docker tag sha256:0123456789abcdef todo-backend:kept-0123456789ab"


def test_a_checkout_with_changes_is_not_built(stack: Stack, docker: Docker) -> None:
    docker.answers |= {"git rev-parse": "abc1234\n", "git status": " M README.md\n"}

    with pytest.raises(Failure, match="uncommitted changes"):
        images.build(stack)

    docker.answers["git status"] = ""
    assert images.build(stack) == "abc1234"
    assert docker.asked[-1] == "docker compose build"


@pytest.mark.parametrize(("service", "scaled"), [("worker", True), ("backup", False)])
def test_the_number_of_backends_is_given_only_for_services_that_depend_on_them(
    stack: Stack, docker: Docker, service: str, scaled: bool
) -> None:
    running(docker, described("one"), described("two"))

    Rolling(stack, Console())._replace(service)

    created = next(said for said in docker.asked if said.startswith("docker compose create"))
    assert ("--scale backend=2" in created) is scaled
    assert created.endswith(f" {service}")


def test_a_service_is_replaced_although_an_old_backend_is_unhealthy(stack: Stack, docker: Docker) -> None:
    """Compose's `up` would refuse, and a new database password could then never be deployed."""
    running(docker, described("one"), described("two"))

    Rolling(stack, Console()).replace_worker()

    assert not [said for said in docker.asked if said.startswith("docker compose up")]
    assert "docker start one two" in docker.asked


def describe_others(docker: Docker, configuration: str) -> None:
    """Describe a stack with one service that has no step of its own, and the hash of its configuration."""
    services = {"backend": {"image": "todo-backend:two"}, "backup": {"image": "todo-backup:two"}}
    docker.answers["docker compose --file - config --hash"] = f"backend 1\nbackup {configuration}\n"
    docker.answers["docker compose config"] = json.dumps({"services": services})


@pytest.mark.parametrize(
    ("configuration", "image", "stays"),
    [("as-created", "sha256:1", True), ("other", "sha256:1", False), ("as-created", "sha256:2", False)],
)
def test_a_service_is_left_alone_if_its_image_and_configuration_are_those_that_run(
    stack: Stack, docker: Docker, configuration: str, image: str, stays: bool
) -> None:
    running(docker, described("backup"))
    describe_others(docker, configuration)
    docker.answers["docker image inspect"] = json.dumps([{"Id": image, "Config": {}}])

    Rolling(stack, Console()).replace_others()

    assert any(said.startswith("docker stop") for said in docker.asked) is not stays


@pytest.mark.parametrize("runs", [True, False])
def test_a_release_without_an_image_for_a_service_gives_its_name_to_the_one_that_runs(
    stack: Stack, docker: Docker, runs: bool
) -> None:
    if runs:
        running(docker, described("backup"))
    describe_others(docker, "other")
    docker.answers["docker image inspect"] = 1

    Rolling(stack, Console()).replace_others()

    assert ("docker tag sha256:1 todo-backup:two" in docker.asked) is runs
    assert any(said.startswith("docker compose create") for said in docker.asked) is runs


@pytest.mark.parametrize(
    ("wanted", "caddy", "stays"),
    [
        ("as-created", "sha256:1", True),
        ("of other ports", "sha256:1", False),
        ("as-created", "sha256:2", False),
        ("as-created", None, True),
    ],
    ids=["nothing changed", "other ports", "another Caddy", "no image to compare with"],
)
def test_the_proxy_is_replaced_only_for_another_caddy_or_other_ports(
    stack: Stack, docker: Docker, monkeypatch: pytest.MonkeyPatch, wanted: str, caddy: str | None, stays: bool
) -> None:
    running(docker, described("theproxy"))
    docker.answers |= {
        "docker compose --file - config --hash": f"proxy {wanted}\n",
        "docker compose config --format": json.dumps({"services": {"proxy": {"image": "caddy:2"}}}),
        "docker image inspect": json.dumps([{"Id": caddy, "Config": {}}]) if caddy else 1,
    }
    monkeypatch.setattr("release.rolling.reach", lambda stack: None)

    seconds = Rolling(stack, Console()).update_proxy()

    assert "docker start --attach theproxy" in docker.asked  # in all cases, the configuration is loaded first
    assert (seconds is None) is stays
    assert ("docker start theproxy" in docker.asked) is not stays


@pytest.mark.parametrize(
    ("present", "brought", "keep", "tag"),
    [
        (True, ("one", "two"), False, "two"),
        (True, ("one", "two"), True, "one"),
        (True, ("one",), False, "one"),
        (False, ("one", "two"), True, "two"),
        (False, ("one",), False, "one"),
    ],
)
def test_the_configuration_of_the_proxy_is_the_releases_unless_it_brings_none(
    stack: Stack, docker: Docker, *, present: bool, brought: tuple[str, ...], keep: bool, tag: str
) -> None:
    if present:
        running(docker, described("configuration", state="exited"))
    for name in ("one", "two"):
        found = json.dumps([{"Id": "sha256:1", "Config": {}}]) if name in brought else 1
        docker.answers[f"docker image inspect todo-proxy:{name}"] = found

    assert Rolling(stack, Console()).choose_proxy("two", keep=keep) == tag


def test_a_release_without_any_configuration_of_the_proxy_is_refused(stack: Stack, docker: Docker) -> None:
    docker.answers["docker image inspect"] = 1

    with pytest.raises(Failure, match="todo-proxy:one is not on this host"):
        Rolling(stack, Console()).choose_proxy("two", keep=False)


def test_an_image_that_is_not_here_is_refused_with_both_ways_to_get_it(stack: Stack, docker: Docker) -> None:
    docker.answers["docker image inspect"] = 1

    with pytest.raises(Failure) as refused:
        images.require(stack, "two")

    assert "docker load" in refused.value.hint


def test_backends_that_die_again_and_again_go_before_new_ones_start(
    stack: Stack, docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = {"health": "unhealthy", "restarts": 3}
    running(
        docker,
        described("serves", restarts=3),
        described("waits", state="restarting", **dying),
        described("starts", **dying),
        described("fresh", health="starting"),
    )
    monkeypatch.setattr(Rolling, "replicas", 2)
    monkeypatch.setattr("release.rolling.start_beside", lambda stack, count, extra: [])

    Rolling(stack, Console()).start(["serves"])

    assert "docker rm --force waits starts" in docker.asked
