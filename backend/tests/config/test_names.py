"""A misspelt name is found and the right one named; the names of other programs are left alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from todo_project.config import envfile
from todo_project.config.findings import Finding, Found


def unknown(name: str) -> Finding:
    return envfile.unknown(Found(name, "x", "a.env:1", "a.env", 1))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("SECERT_KEY", "SECRET_KEY"),
        ("SECRETKEY", "SECRET_KEY"),
        ("debug", "DEBUG"),
        ("Debug", "DEBUG"),
        ("DJANGO_DEBUG", "DEBUG"),
        ("DJANGO_SECRET_KEY", "SECRET_KEY"),
        ("ALOWED_HOSTS", "ALLOWED_HOSTS"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASE-URL", "DATABASE_URL"),
        ("GUNICORN_WORKER", "GUNICORN_WORKERS"),
        ("CORS_ALLOWED_ORIGIN", "CORS_ALLOWED_ORIGINS"),
        ("POSTGRESS_PASSWORD", "POSTGRES_PASSWORD"),
        ("SECRET_KEYS_FILE", "SECRET_KEY_FILE"),
        ("debug_file", "DEBUG_FILE"),
        ("SECRET_KEY_FIEL", "SECRET_KEY_FILE"),
    ],
)
def test_the_nearest_name_is_found(wrong: str, right: str) -> None:
    assert envfile.nearest(wrong) == right
    assert envfile.is_unknown(wrong)
    assert envfile.is_misspelt(wrong)
    problem = unknown(wrong)
    assert f"nearest known name is {right}" in problem.problem
    assert problem.instead.startswith(f"write {right}")


@pytest.mark.parametrize(
    "name", ["TZ", "LC_ALL", "HTTP_PROXY", "no_proxy", "PYTHONUNBUFFERED", "COMPOSE_PROFILES", "DOCKER_HOST"]
)
def test_names_of_other_programs_may_stand_in_the_file(name: str) -> None:
    assert not envfile.is_unknown(name)


@pytest.mark.parametrize("name", ["NOTHING_LIKE_IT", "FOO", "POSTGRES_USER", "WEB_CONCURRENCY", "x" * 90])
def test_every_other_name_in_the_file_is_an_error(name: str) -> None:
    assert envfile.is_unknown(name)
    problem = unknown(name)
    assert problem.instead
    assert problem.variable in {name, None}


@pytest.mark.parametrize(
    "name", ["MIIEpAIBAAKCAQEA7x", "postgres://u:p@h", "hQ8vKx3LmT7wzQ8vKx3", "x" * 41, "DÉBUG", ""]
)
def test_what_can_be_a_piece_of_a_secret_is_not_repeated(name: str) -> None:
    problem = unknown(name)
    assert problem.variable is None
    assert str(problem).startswith("line 1 sets an unknown name")


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "HOSTNAME", "USER", "SHELL", "LANG", "PWD", "CI", "DEBIAN_FRONTEND", "PORTAGE",
        "PIP_INDEX_URL", "DJANGO_SETTINGS_MODULE", "DJANGO_SUPERUSER_PASSWORD", "POSTGRES_USER", "POSTGRES_DB",
        "PGPASSWORD", "ENV_FILE", "GUNICORN_CMD_ARGS", "GUNICORN_PID", "DATABASE_PORT", "DATABASE_SERVICE_HOST",
        "DATABASE_PORT_5432_TCP_ADDR", "SITE_PORT", "METRICS_PORT", "BACKEND_SERVICE_PORT_HTTP",
        "GUNICORN_PORT_8000_TCP", "SENTRY_ENVIRONMENT", "SENTRY_RELEASE", "APP_VERSION", "APP_REVISION",
        "GPG_KEY", "PYTHON_VERSION", "LOG_DIR", "IMAGE", "VIRTUAL_ENV",
    ],
)  # fmt: skip
def test_a_usual_process_environment_is_left_alone(name: str) -> None:
    assert not envfile.is_misspelt(name)


@pytest.mark.parametrize(
    "name", ["GUNICORN_FOO", "CORS_ORIGINS", "CSRF_ORIGINS", "SECURE_SSL", "SECRET_KEY_FALLBACK"]
)
def test_a_prefix_of_ours_is_never_somebody_elses(name: str) -> None:
    assert envfile.is_misspelt(name)


def test_the_configuration_needs_no_django() -> None:
    code = "import sys; from todo_project import config; config.load('dev'); sys.exit('django.conf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={}, check=False).returncode == 0
