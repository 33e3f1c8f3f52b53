"""The schema, the settings, Compose and the proxy name the same variables, with the same defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import BACKEND, DEPLOY, PACKAGE, REPOSITORY
from todo_project.config import VARIABLES

COMPOSE = sorted(
    [
        *REPOSITORY.glob("docker-compose*.yml"),
        *REPOSITORY.glob("deploy/*/docker-compose.yml"),
        REPOSITORY / "deploy/development/dev.yml",
    ]
)
BY_NAME = {variable.name: variable for variable in VARIABLES}
OF_BACKUPS = [variable for variable in VARIABLES if variable.reader == "backup"]
# What Compose files name beside our variables: images' own, the build's, and what deploy/monitoring/compose sets.
OTHERS = {
    "POSTGRES_USER", "POSTGRES_DB", "APP_VERSION", "APP_REVISION", "DJANGO_SETTINGS_MODULE", "MONITORED_PROJECT"
}  # fmt: skip
_READ = re.compile(r"\b(?:config|_config)\.([A-Z][A-Z0-9_]+)\b")
_INTERPOLATED = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::?[-?]([^}$]*))?")


def text(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def without_comments(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith("#"))


PYTHON = text(*PACKAGE.rglob("*.py"), *BACKEND.glob("*.py"))
READERS = {
    "django": text(*(PACKAGE / "settings").glob("*.py"), *(PACKAGE / "ops").rglob("*.py")),
    "gunicorn": text(BACKEND / "gunicorn.conf.py"),
    "worker": text(*(PACKAGE / "settings").glob("*.py")),
    "compose": text(*COMPOSE),
    "backup": text(DEPLOY / "backup" / "environment.py"),
    "release": text(*(DEPLOY / "release").glob("*.py")),
    "make": text(REPOSITORY / "Makefile", *COMPOSE),
}
# Read where the configuration itself is put together, and nowhere else.
INSIDE = {"DJANGO_ENV", "DATABASE_MAX_CONNECTIONS"}
# Compose reads it by itself.
OF_COMPOSE = {"COMPOSE_PROJECT_NAME", "COMPOSE_FILE"}
# Compose's default says that the proxy leaves it to the backend, whose default differs between the environments.
LEFT_TO_THE_BACKEND = {"SECURE_HSTS_SECONDS"}
# Their default in Compose contains another variable, or says that a port is not used.
COMPUTED = {"ENV_FILE", "DEBUGPY_PORT", "IMAGE_TAG"}


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - INSIDE - OF_COMPOSE))
def test_every_variable_is_read_by_whom_the_schema_says(name: str) -> None:
    assert re.search(rf"\b{name}\b", READERS[BY_NAME[name].reader]), BY_NAME[name].reader


def test_nothing_is_read_that_the_schema_lacks() -> None:
    assert set(_READ.findall(PYTHON)) - set(BY_NAME) == set()


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_compose_names_no_other_variables(path: Path) -> None:
    source = without_comments(text(path))
    named = {name for name, _ in _INTERPOLATED.findall(source)}
    named |= set(re.findall(r"^\s+(?:- )?([A-Z][A-Z0-9_]+)(?::|=)", source, re.MULTILINE))
    files = {f"{variable.name}_FILE" for variable in OF_BACKUPS if variable.secret}
    assert named - set(BY_NAME) - files - OTHERS == set()


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_compose_has_the_schemas_defaults(path: Path) -> None:
    for name, default in _INTERPOLATED.findall(without_comments(text(path))):
        known = BY_NAME[name].default_in("prod") if name in BY_NAME else None
        if f"${{{name}:-" in path.read_text(encoding="utf-8") and isinstance(known, str) and default:
            assert name in COMPUTED or default == ("0" if name in LEFT_TO_THE_BACKEND else known), name


def test_what_compose_hands_on_cannot_come_from_a_file_that_only_the_application_reads() -> None:
    named = {
        name for name, _ in _INTERPOLATED.findall(without_comments(text(*COMPOSE, DEPLOY / "swarm/stack.yml")))
    }
    handed_on = {name for name in named & set(BY_NAME) if not BY_NAME[name].secret}
    assert handed_on >= {"CORS_ALLOWED_ORIGINS", "CORS_ALLOWED_ORIGIN_REGEXES", "SITE_URL"}
    assert {name for name in handed_on if BY_NAME[name].takes_file} == set()


def test_the_proxy_names_no_other_variables() -> None:
    source = without_comments(text(REPOSITORY / "deploy" / "proxy" / "Caddyfile"))
    assert set(re.findall(r"\{\$([A-Z][A-Z0-9_]*)", source)) - set(BY_NAME) == set()


def test_settings_have_the_variables_names() -> None:
    """`NAME = config.OTHER` hides a variable from searches; Django's own names are the exception."""
    renamed = {
        name: other
        for name, other in re.findall(
            r"^([A-Z][A-Z0-9_]+) = config\.([A-Z0-9_]+)$", READERS["django"], re.MULTILINE
        )
        if name != other
    }
    assert set(renamed) <= {"DATA_UPLOAD_MAX_MEMORY_SIZE"}


def test_the_service_of_the_backups_has_the_schemas_defaults() -> None:
    source = READERS["backup"]
    for name in ("BACKUP_AT", "BACKUP_KEEP_DAILY", "BACKUP_KEEP_WEEKLY", "BACKUP_KEEP_MONTHLY"):
        assert f'given.get("{name}", "{BY_NAME[name].default_in("prod")}")' in source


def test_the_service_of_the_backups_reads_no_other_variables() -> None:
    named = set(re.findall(r"\bBACKUP_[A-Z0-9_]+[A-Z0-9]\b", READERS["backup"]))
    assert named - {"BACKUP_ROOT"} == {variable.name for variable in OF_BACKUPS}
