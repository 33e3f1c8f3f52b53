"""What is generated from the schema and committed is current; the environments differ where they should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.config.conftest import told
from todo_project.config import envwriter, reference
from todo_project.config.dotenv import compose, django, docker_run
from todo_project.config.examination import examine
from todo_project.config.schema import VARIABLES
from todo_project.config.urls import BACKEND_DIR
from todo_project.config.variable import Derived

ENVS = BACKEND_DIR.parent / "envs"
# All that staging may have otherwise than production, beside the values that only an operator knows.
STAGING_DIFFERS = {
    *("SECURE_HSTS_SECONDS", "COMPOSE_PROJECT_NAME", "ENV_FILE", "HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT")
}


@pytest.mark.parametrize("env", ["staging", "prod"])
def test_the_committed_example_is_current(env: str) -> None:
    assert (ENVS / f"{env}.env.example").read_text() == envwriter.example(env), "run `make docs`"


def test_the_committed_page_is_current() -> None:
    assert reference.PATH.read_text() == reference.page(), "run `make docs`"


def test_staging_is_production_but_for_a_short_list() -> None:
    def same(default: object) -> object:
        return default.text if isinstance(default, Derived) else default

    differing = {row.name for row in VARIABLES if same(row.default_in("staging")) != same(row.default_in("prod"))}
    assert differing == STAGING_DIFFERS
    assert all(("staging" in row.required_in) == ("prod" in row.required_in) for row in VARIABLES)


@pytest.mark.parametrize("env", ["staging", "prod"])
def test_an_example_lacks_only_what_its_operator_knows(env: str) -> None:
    seen = examine(env, env_file=ENVS / f"{env}.env.example", environ={})
    assert told(seen) == {
        ("SITE_URL", "placeholder"),
        ("SITE_ADDRESS", "placeholder"),
        ("SECRET_KEY", "insecure"),
        ("POSTGRES_PASSWORD", "insecure"),
    }


@pytest.mark.parametrize("env", ["staging", "prod"])
def test_an_example_names_every_variable_that_the_environment_reads(env: str) -> None:
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", envwriter.example(env), flags=re.MULTILINE))
    assert named == {row.name for row in VARIABLES if row.reader != "make"}


def test_the_committed_development_file_is_right() -> None:
    assert examine("dev", env_file=ENVS / "dev.env", environ={}).problems == []


def test_what_development_is_protected_by_is_refused_in_production() -> None:
    seen = examine("prod", env_file=ENVS / "dev.env", environ={})
    assert told(seen) >= {
        ("DJANGO_ENV", "contradiction"),
        ("DEBUG", "insecure"),
        ("SECRET_KEY", "insecure"),
        ("POSTGRES_PASSWORD", "insecure"),
        ("SITE_URL", "insecure"),
    }


@pytest.mark.parametrize("text", [envwriter.example("prod"), *(envwriter.fresh("prod", None) for _ in range(50))])
def test_generated_files_are_read_alike_by_all_three(text: str) -> None:
    by_compose = [pair for statement in compose(text, {}) for pair in statement.reading.pairs]
    by_django = [pair for line in text.splitlines() for pair in django(line).pairs]
    by_docker = [pair for line in text.splitlines() for pair in docker_run(line).pairs]
    assert by_compose == by_django == by_docker
    assert all(re.fullmatch(r"[A-Za-z0-9._~:/?@=&%+,-]+", value or "") for _, value in by_compose)


def test_the_page_names_every_variable_once() -> None:
    page = reference.page()
    for row in VARIABLES:
        assert len(re.findall(rf"^\| `{row.name}`", page, flags=re.MULTILINE)) == 1


def test_every_variable_is_declared_fully() -> None:
    for row in VARIABLES:
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", row.name)
        assert row.doc.endswith(".")
        assert row.group
        assert not row.required_in or row.name == "DJANGO_ENV" or row.missing


def test_no_file_with_secrets_is_committed() -> None:
    ignored = (BACKEND_DIR.parent / ".gitignore").read_text().splitlines()
    assert "/envs/*" in ignored
    assert {path.name for path in Path(ENVS).glob("*.example")} == {"staging.env.example", "prod.env.example"}
