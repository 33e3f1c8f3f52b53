"""The rendered Compose files have the properties that the documentation promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.compose import PRODUCTION, REPOSITORY, VALUES, needs_compose, render
from todo_project.config import VARIABLES

SERVICES = {"db", "backend", "worker", "proxy", "proxy-config", "backup", "restore"}
OF_BACKUPS = [variable for variable in VARIABLES if variable.reader == "backup"]
MONITORING = "deploy/monitoring/docker-compose.yml"
IPV4 = "0.0.0.0"  # noqa: S104 - all addresses, which is meant
# All that a service may say; what could widen its rights (privileged, pid, devices, configs …) is not among it.
KEYS = set(
    re.findall(
        r"\w+",
        "build cap_add cap_drop command depends_on environment healthcheck image init logging mem_limit "
        "network_mode networks pids_limit ports profiles read_only restart scale security_opt shm_size "
        "stop_grace_period sysctls tmpfs user volumes",
    )
)

pytestmark = needs_compose


@pytest.fixture(params=["prod", "staging"])
def deployed(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    return render(*PRODUCTION, values=VALUES.format(env=request.param), folder=tmp_path)


def test_the_proxys_ports_can_be_bound_to_one_address(tmp_path: Path) -> None:
    rendered = render(*PRODUCTION, values=VALUES.format(env="prod") + "HTTP_BIND=127.0.0.1\n", folder=tmp_path)
    assert {port["host_ip"] for port in rendered["services"]["proxy"]["ports"]} == {"127.0.0.1"}


def test_limits_can_follow_the_number_of_processes(tmp_path: Path) -> None:
    more = "BACKEND_MEMORY=3g\nBACKEND_PIDS=400\nWORKER_MEMORY=1g\nWORKER_PIDS=200\n"
    services = render(*PRODUCTION, values=VALUES.format(env="prod") + more, folder=tmp_path)["services"]
    limits = {
        name: (int(services[name]["mem_limit"]), services[name]["pids_limit"]) for name in ("backend", "worker")
    }
    assert limits == {"backend": (3 * 1024**3, 400), "worker": (1024**3, 200)}


def test_production_is_these_services(deployed: dict[str, Any]) -> None:
    assert set(deployed["services"]) == SERVICES
    # what writes the media in a restore never runs by itself
    assert [name for name, service in deployed["services"].items() if service.get("profiles")] == ["restore"]


def test_production_mounts_named_volumes_only(deployed: dict[str, Any]) -> None:
    for service in deployed["services"].values():
        assert {mount["type"] for mount in service.get("volumes", [])} <= {"volume"}
        assert all(mount["source"] in deployed["volumes"] for mount in service.get("volumes", []))


def test_production_publishes_the_proxy_only(deployed: dict[str, Any]) -> None:
    published = {name for name, service in deployed["services"].items() if service.get("ports")}
    assert published == {"proxy"}
    ports = deployed["services"]["proxy"]["ports"]
    assert {port["published"] for port in ports} == {"8080", "8443"}
    assert {port["host_ip"] for port in ports} == {IPV4}


def test_ipv6_is_published_only_with_a_network_that_has_it(tmp_path: Path) -> None:
    files = (*PRODUCTION, "deploy/proxy/ipv6.yml")
    rendered = render(*files, values=VALUES.format(env="prod"), folder=tmp_path)
    published = {(port["host_ip"], port["published"]) for port in rendered["services"]["proxy"]["ports"]}
    assert published == {(IPV4, "8080"), (IPV4, "8443"), ("::", "8080"), ("::", "8443")}
    assert rendered["networks"]["default"]["enable_ipv6"] is True


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_production_is_hardened(deployed: dict[str, Any], name: str) -> None:
    service = deployed["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name.startswith("proxy") else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("no" if name == "proxy-config" else "unless-stopped")
    assert service.get("network_mode") == ("none" if name == "proxy-config" else None)
    assert int(service["mem_limit"]) > 0
    assert int(service["pids_limit"]) > 0
    assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}
    assert all("size=" in mount or mount.startswith("/var/run/postgresql") for mount in service["tmpfs"])
    assert {key for key, value in service.items() if value is not None} <= KEYS


def test_production_runs_its_images_as_they_are(deployed: dict[str, Any]) -> None:
    """Services use the images' users and entry points, so nothing runs as root or skips the configuration check."""
    services = deployed["services"]
    assert {name: service.get("user") for name, service in services.items() if "user" in service} == {
        "db": "postgres",
        "proxy": "10001:10001",
    }
    commands = {name: service["command"] for name, service in services.items() if service.get("command")}
    assert commands == {
        "db": [
            *("postgres", "--log_error_verbosity=terse", "--log_min_error_statement=panic"),
            "--max_slot_wal_keep_size=4GB",
        ],
        "worker": ["python", "manage.py", "procrastinate", "worker"],
        "proxy": ["caddy", "run", "--config", "/config/site.json"],
        "proxy-config": ["load-config"],
    }


@pytest.mark.parametrize(
    ("name", "test"),
    [
        ("backend", ["CMD", "python", "healthcheck.py", "/health/ready"]),
        ("worker", ["CMD", "python", "healthcheck.py", "worker"]),
        (
            "proxy",
            [
                "CMD-SHELL",
                (
                    "wget -q -O /dev/null -T 4 http://127.0.0.1:2020/health"
                    " || curl -fsS -o /dev/null -m 4 http://127.0.0.1:2020/health"
                ),
            ],
        ),
        ("backup", ["CMD", "python3", "-m", "backup.health"]),
    ],
)
def test_every_service_has_a_healthcheck(deployed: dict[str, Any], name: str, test: list[str]) -> None:
    healthcheck = deployed["services"][name]["healthcheck"]
    assert healthcheck["test"] == test
    assert not healthcheck.get("disable")


def test_production_keeps_its_volumes_and_networks_in_the_engine(deployed: dict[str, Any]) -> None:
    """No volume hides a bind mount in its options, and no network belongs to another project."""
    for volume in deployed["volumes"].values():
        assert set(volume) == {"name"}
    for network in deployed["networks"].values():
        assert not network.get("external")
        assert not network.get("driver")


def test_the_volumes_that_outlive_down_are_external_once_they_exist(tmp_path: Path) -> None:
    values = VALUES.format(env="prod") + "EXTERNAL_VOLUMES=true\n"
    found = render(*PRODUCTION, values=values, folder=tmp_path)["volumes"]
    external = {name: volume["name"] for name, volume in found.items() if volume.get("external")}
    assert external == {name: f"todo-prod_{name}" for name in ("backup_volume", "proxy_data")}


def test_the_application_gets_the_env_file_and_nothing_beside_it(deployed: dict[str, Any]) -> None:
    written = dict(line.split("=", 1) for line in VALUES.split())
    # not theirs, so emptied
    written |= {
        variable.name: "" for variable in OF_BACKUPS if variable.secret or variable.name.endswith("_KEY_ID")
    }
    for name, more in (("backend", {"GUNICORN_WORKERS": "4"}), ("worker", {})):
        environment = deployed["services"][name]["environment"]
        assert environment["DJANGO_ENV"] in {"staging", "prod"}
        assert environment == written | {"DJANGO_ENV": environment["DJANGO_ENV"], "DEBUG": "False"} | more


def test_the_same_image_serves_and_works_under_the_tag(deployed: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in deployed["services"].items()}
    assert images["backend"] == images["worker"] == "todo-backend:1.2.3"
    assert images["proxy-config"] == "todo-proxy:1.2.3"
    assert images["proxy"] == "caddy:2"
    assert images["backup"] == images["restore"] == "todo-backup:1.2.3"
    assert not [image for image in images.values() if image.endswith(":latest") or ":" not in image]


def test_a_release_says_which_replicas_and_which_proxy_run(tmp_path: Path) -> None:
    values = VALUES.format(env="prod")
    plain = render(*PRODUCTION, values=values, folder=tmp_path)["services"]
    assert (plain["backend"]["scale"], plain["backend"]["networks"]["default"]["aliases"]) == (1, ["backend-a"])

    values += "BACKEND_REPLICAS=3\nBACKEND_SLOT=b\nPROXY_TAG=1.2.2\n"
    said = render(*PRODUCTION, values=values, folder=tmp_path)["services"]
    assert (said["backend"]["scale"], said["backend"]["networks"]["default"]["aliases"]) == (3, ["backend-b"])
    assert (said["backend"]["image"], said["proxy-config"]["image"]) == ("todo-backend:1.2.3", "todo-proxy:1.2.2")
    assert "database" in said["backend"]["networks"]


def test_production_has_debug_off_and_four_workers(deployed: dict[str, Any]) -> None:
    for name in ("backend", "worker"):
        assert deployed["services"][name]["environment"]["DEBUG"] == "False"
        assert deployed["services"][name]["build"]["target"] == "prod"
    assert deployed["services"]["backend"]["environment"]["GUNICORN_WORKERS"] == "4"


def test_a_debug_that_the_env_file_turns_on_reaches_the_check_that_refuses_it(tmp_path: Path) -> None:
    rendered = render(*PRODUCTION, values=VALUES.format(env="prod") + "DEBUG=True\n", folder=tmp_path)
    assert rendered["services"]["backend"]["environment"]["DEBUG"] == "True"


def test_limits_and_the_proxys_address_are_the_env_files(tmp_path: Path) -> None:
    names = ("backend", "worker", "db", "proxy", "backup", "pooler")
    limits = "".join(f"{name.upper()}_MEMORY=3g\n{name.upper()}_PIDS=321\n" for name in names)
    values = VALUES.format(env="prod") + limits + "HTTP_BIND=127.0.0.1\nPOOLER_PASSWORD=another\n"
    services = render(*PRODUCTION, "deploy/pooler/docker-compose.yml", values=values, folder=tmp_path)["services"]
    for name in (*names, "restore"):
        assert (services[name]["mem_limit"], services[name]["pids_limit"]) == (str(3 << 30), 321)
    assert {port["host_ip"] for port in services["proxy"]["ports"]} == {"127.0.0.1"}


def test_the_database_sees_its_own_variables_only(deployed: dict[str, Any]) -> None:
    assert deployed["services"]["db"]["environment"] == {
        "POSTGRES_USER": "todo_user",
        "POSTGRES_DB": "todo_db",
        "POSTGRES_PASSWORD": "the-password",
    }


def test_the_proxy_sees_no_secret(deployed: dict[str, Any]) -> None:
    assert "environment" not in deployed["services"]["proxy"]
    assert set(deployed["services"]["proxy-config"]["environment"]) == {
        "BACKEND_SLOT",
        "SITE_ADDRESS",
        "SITE_URL",
        "CORS_ALLOWED_ORIGINS",
        "CORS_ALLOWED_ORIGIN_REGEXES",
        "HTTPS_PORT",
        "SECURE_HSTS_SECONDS",
        "SECURE_HSTS_INCLUDE_SUBDOMAINS",
        "SECURE_HSTS_PRELOAD",
        "REQUEST_BODY_MAX_BYTES",
        "ATTACHMENT_MAX_BYTES",
    }


def test_backups_see_their_own_variables_and_the_databases_password_only(deployed: dict[str, Any]) -> None:
    database = {"COMPOSE_PROJECT_NAME", "POSTGRES_ROLE", "POSTGRES_PASSWORD"}
    own = {variable.name for variable in OF_BACKUPS}
    files = {f"{variable.name}_FILE" for variable in OF_BACKUPS if variable.secret}
    for name in ("backup", "restore"):
        assert set(deployed["services"][name]["environment"]) == database | own | files
        assert not deployed["services"][name].get("env_file")


def test_the_secrets_of_backups_reach_the_backups_only(tmp_path: Path) -> None:
    secrets = {variable.name: f"secret-of-{variable.name}" for variable in OF_BACKUPS if variable.secret}
    lines = "".join(f"{name}={value}\n" for name, value in secrets.items())
    rendered = render(*PRODUCTION, values=VALUES.format(env="prod") + lines, folder=tmp_path)["services"]
    for name, service in rendered.items():
        seen = set(service.get("environment", {}).values()) & set(secrets.values())
        assert seen == (set(secrets.values()) if name in {"backup", "restore"} else set()), name


def test_a_backup_cannot_change_the_media(deployed: dict[str, Any]) -> None:
    mounts = {mount["source"]: mount for mount in deployed["services"]["backup"]["volumes"]}
    assert set(mounts) == {"backup_volume", "media_volume", "database_socket"}
    assert mounts["media_volume"]["read_only"] is True
    assert set(deployed["services"]["backup"]["networks"]) == {"default", "database"}


def test_the_database_password_has_one_source(deployed: dict[str, Any]) -> None:
    backend = deployed["services"]["backend"]["environment"]
    assert backend["POSTGRES_PASSWORD"] == "the-password"
    assert "DATABASE_URL" not in backend


def test_the_database_has_no_way_out(deployed: dict[str, Any]) -> None:
    assert list(deployed["services"]["db"]["networks"]) == ["database"]
    assert deployed["networks"]["database"]["internal"] is True


def test_the_database_service_is_the_contracts(deployed: dict[str, Any]) -> None:
    db = deployed["services"]["db"]
    assert db["image"] == "postgres:17"
    assert db["healthcheck"]["test"] == [
        "CMD-SHELL",
        "pg_isready -h 127.0.0.1 -U todo_user -d todo_db",
    ]
    assert (db["healthcheck"]["interval"], db["healthcheck"]["timeout"]) == ("10s", "5s")
    assert db["healthcheck"]["retries"] == 5


def test_the_start_order_waits_for_health(deployed: dict[str, Any]) -> None:
    waits = {
        name: {other: wait["condition"] for other, wait in service.get("depends_on", {}).items()}
        for name, service in deployed["services"].items()
    }
    assert waits["backend"] == {"db": "service_healthy"}
    assert waits["worker"] == {"db": "service_healthy", "backend": "service_healthy"}
    assert waits["proxy"] == {"backend": "service_healthy", "proxy-config": "service_completed_successfully"}
    assert waits["proxy-config"] == {}
    assert waits["backup"] == {"db": "service_healthy"}


def test_the_backends_volumes_are_the_contracts(deployed: dict[str, Any]) -> None:
    mounts = {mount["source"]: mount["target"] for mount in deployed["services"]["backend"]["volumes"]}
    assert mounts == {"static_volume": "/app/staticfiles", "media_volume": "/app/media"}
    readers = {mount["source"]: mount for mount in deployed["services"]["proxy"]["volumes"]}
    assert readers["static_volume"]["read_only"] is True
    assert readers["media_volume"]["read_only"] is True


def test_requests_in_flight_may_finish_before_compose_kills(deployed: dict[str, Any]) -> None:
    assert deployed["services"]["backend"]["stop_grace_period"] == "30s"


def test_the_optional_prometheus_is_hardened_and_on_this_machine_only(tmp_path: Path) -> None:
    rendered = render(
        MONITORING, values=VALUES.format(env="prod") + "MONITORED_PROJECT=todo-prod\n", folder=tmp_path
    )
    [service] = rendered["services"].values()
    assert service["image"] == "todo-prometheus:todo-prod"
    network = rendered["networks"]["default"]
    assert (network["name"], network["external"]) == ("todo-prod_default", True)
    assert [(port["host_ip"], port["published"]) for port in service["ports"]] == [("127.0.0.1", "9090")]
    assert {mount["type"] for mount in service["volumes"]} == {"volume"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "65534:65534"
    assert list(service["networks"]) == ["default"]  # not the database's
    assert set(service["environment"]) == {"METRICS_TOKEN"}
    assert service["healthcheck"]["test"][0] == "CMD"
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert int(service["mem_limit"]) > 0
    assert int(service["pids_limit"]) > 0


def test_the_base_has_no_ports_binds_or_secrets(tmp_path: Path) -> None:
    base = render("docker-compose.yml", values="", folder=tmp_path)
    for service in base["services"].values():
        assert not service.get("ports")
        assert {mount["type"] for mount in service.get("volumes", [])} <= {"volume"}
        assert not [name for name in service.get("environment", {}) if "PASSWORD" in name or "KEY" in name]


def test_the_image_has_the_contracts_shape() -> None:
    dockerfile = (REPOSITORY / "backend/Dockerfile").read_text()
    assert "ARG PYTHON_VERSION=3.11" in dockerfile
    assert "FROM python:${PYTHON_VERSION}-slim" in dockerfile
    assert "uv pip install --require-hashes -r requirements/prod.txt" in dockerfile
    assert "# syntax=" not in dockerfile
    uv = re.search(r"ARG UV_VERSION=(\S+)", dockerfile)
    assert uv
    assert f"\nuv=={uv[1]} " in (REPOSITORY / "backend/requirements/dev.txt").read_text()
