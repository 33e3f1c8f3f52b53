"""Each environment is rendered from its own Compose files, and development has what developers need."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.compose import DEVELOPMENT, PRODUCTION, REPOSITORY, VALUES, compose, needs_compose, render

COMPOSE_FILE = f"COMPOSE_FILE={':'.join(PRODUCTION)}\n"

pytestmark = needs_compose


@pytest.fixture
def development(tmp_path: Path) -> dict[str, Any]:
    return render(*DEVELOPMENT, values="PORT=8000\n", folder=tmp_path)


@pytest.mark.parametrize("env", ["prod", "staging"])
def test_an_env_file_chooses_its_compose_files(env: str, tmp_path: Path) -> None:
    short, long = (
        render(*files, values=VALUES.format(env=env) + COMPOSE_FILE, folder=tmp_path) for files in ((), PRODUCTION)
    )
    assert short == long


@pytest.mark.parametrize("env", ["prod", "staging"])
@pytest.mark.parametrize("files", [(), DEVELOPMENT, (*DEVELOPMENT, "docker-compose.prod.yml")], ids=str)
def test_production_is_never_rendered_as_development(env: str, files: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "without-compose-file.env"
    path.write_text(VALUES.format(env=env))
    done = compose(*files, env={"ENV_FILE": str(path)}, env_file=path)
    assert done.returncode != 0
    assert f"docker-compose.override.yml is for development, and this is DJANGO_ENV={env}" in done.stderr
    assert COMPOSE_FILE.strip() in done.stderr


@pytest.mark.parametrize("env", ["prod", "staging"])
def test_the_base_alone_is_never_rendered_as_production(env: str, tmp_path: Path) -> None:
    path = tmp_path / "prod.env"
    path.write_text(VALUES.format(env=env) + COMPOSE_FILE)
    done = compose("docker-compose.yml", env={"ENV_FILE": str(path)}, env_file=path)
    assert done.returncode != 0
    assert f"docker-compose.yml alone is not {env}" in done.stderr


def test_prometheus_does_not_join_the_project_of_the_stack_any_more(tmp_path: Path) -> None:
    path = tmp_path / "prod.env"
    path.write_text(VALUES.format(env="prod"))
    old = "deploy/monitoring/docker-compose.monitoring.yml"
    done = compose(*PRODUCTION, old, env={"ENV_FILE": str(path)}, env_file=path)
    assert done.returncode != 0
    assert f"Remove {old} from COMPOSE_FILE" in done.stderr


def test_an_exported_environment_cannot_turn_development_into_another(tmp_path: Path) -> None:
    done = compose(env={"DJANGO_ENV": "prod"}, env_file=None)
    assert done.returncode != 0
    assert "docker-compose.override.yml is for development" in done.stderr


@pytest.mark.parametrize("project", ["todo-prod", "todo-staging", "todo-qa", "acme", "project"])
def test_development_runs_in_no_project_but_its_own(project: str) -> None:
    done = compose(env={"COMPOSE_PROJECT_NAME": project}, env_file=None)
    assert done.returncode != 0
    assert f"docker-compose.override.yml is for development, and {project} is not a project" in done.stderr
    assert compose(env={"COMPOSE_PROJECT_NAME": "todo"}, env_file=None).returncode == 0
    assert compose(env={}, env_file=None).returncode == 0


def test_each_service_of_development_refuses_other_projects_by_itself(development: dict[str, Any]) -> None:
    """Compose reads the env files of the chosen services only, as in `docker compose up db`."""
    for name, service in development["services"].items():
        assert service["environment"]["PROJECT_OF_DEVELOPMENT"] == "yes", name


def test_an_exported_name_of_another_environment_reaches_no_container(tmp_path: Path) -> None:
    path = tmp_path / "prod.env"
    own = f"ENV_FILE={path}\nCOMPOSE_PROJECT_NAME=todo-prod\n"
    path.write_text(VALUES.format(env="prod") + COMPOSE_FILE + own)
    plain, exported = (compose(env=env, env_file=path).stdout for env in ({}, {"DJANGO_ENV": "staging"}))
    services = json.loads(plain)["services"]
    assert {services[name]["environment"]["DJANGO_ENV"] for name in ("backend", "worker")} == {"prod"}
    assert json.loads(exported)["services"] == services


def test_staging_and_production_never_share_a_volume(tmp_path: Path) -> None:
    names = [
        render(*PRODUCTION, values=VALUES.format(env=env), folder=tmp_path)["volumes"]["postgres_data"]["name"]
        for env in ("staging", "prod")
    ]
    assert names == ["todo-staging_postgres_data", "todo-prod_postgres_data"]


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [("DJANGO_ENV", "--env-file envs/prod.env"), ("POSTGRES_PASSWORD", "make init ENV=prod")],
)
def test_a_missing_value_says_what_to_do(tmp_path: Path, left_out: str, expected: str) -> None:
    path = tmp_path / "lacking.env"
    path.write_text(re.sub(rf"{left_out}=.*\n", "", VALUES.format(env="prod")))
    done = compose(*PRODUCTION, env={"ENV_FILE": str(path)}, env_file=path)
    assert done.returncode != 0
    assert left_out in done.stderr
    assert expected in done.stderr


def test_development_mounts_the_code_and_serves_this_machine_only(development: dict[str, Any]) -> None:
    backend = development["services"]["backend"]
    binds = {mount["target"]: mount["source"] for mount in backend["volumes"] if mount["type"] == "bind"}
    assert binds == {"/app": str(REPOSITORY / "backend")}
    published = {
        name: [(port["host_ip"], port["published"]) for port in service["ports"]]
        for name, service in development["services"].items()
        if service.get("ports")
    }
    assert published == {
        "backend": [("127.0.0.1", "8000"), ("127.0.0.1", "0")],
        "mailpit": [("127.0.0.1", "8025")],
    }
    assert set(development["services"]) == {"db", "backend", "worker", "mailpit"}


def test_a_debugger_is_reached_at_its_variables_port(tmp_path: Path) -> None:
    backend = render(*DEVELOPMENT, values="DEBUGPY_PORT=5679\n", folder=tmp_path)["services"]["backend"]
    assert backend["environment"]["DEBUGPY_PORT"] == "5679"
    assert ("5679", 5679) in [(port["published"], port["target"]) for port in backend["ports"]]


def test_breakpoint_has_a_terminal(development: dict[str, Any]) -> None:
    backend = development["services"]["backend"]
    assert (backend["stdin_open"], backend["tty"]) == (True, True)


def test_developments_mail_goes_to_mailpit(development: dict[str, Any]) -> None:
    for name in ("backend", "worker"):
        assert development["services"][name]["environment"]["EMAIL_URL"] == "smtp://mailpit:1025"


def test_nothing_is_mounted_over_developments_packages(development: dict[str, Any]) -> None:
    for service in development["services"].values():
        assert not [mount for mount in service.get("volumes", []) if mount["target"].startswith("/opt")]


def test_developments_database_and_backend_agree(development: dict[str, Any]) -> None:
    password = development["services"]["db"]["environment"]["POSTGRES_PASSWORD"]
    backend = development["services"]["backend"]["environment"]
    assert backend["DATABASE_URL"] == f"postgres://todo_user:{password}@db:5432/todo_db"
    assert backend["POSTGRES_PASSWORD"] == password


def test_the_example_of_own_additions_adds_and_removes_nothing(tmp_path: Path) -> None:
    values = VALUES.format(env="staging")
    ours = render(*PRODUCTION, values=values, folder=tmp_path)["services"]
    more = render(*PRODUCTION, "deploy/examples/override.yml", values=values, folder=tmp_path)["services"]
    assert set(more) - set(ours) == {"mailpit"}
    assert more["backend"].pop("extra_hosts") == ["directory.internal=10.0.0.25"]
    assert more["backend"]["logging"]["options"].pop("max-size") == "50m"
    assert ours["backend"]["logging"]["options"].pop("max-size") == "10m"
    assert {name: more[name] for name in ours} == ours
