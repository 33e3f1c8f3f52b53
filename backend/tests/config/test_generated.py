"""What is generated from the schema and committed is current; the environments differ where they should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.config.conftest import told
from todo_project.config import DEPLOYED, ENVIRONMENTS, envfile, generated, paths
from todo_project.config.examination import examine
from todo_project.config.schema import VARIABLES

ENVS = paths.BASE_DIR.parent / "envs"


@pytest.mark.parametrize("env", DEPLOYED)
def test_the_committed_example_is_current(env: str) -> None:
    assert (ENVS / f"{env}.env.example").read_text() == generated.example(env), "run `make docs`"


def test_the_committed_page_is_current() -> None:
    assert (paths.DOCS_DIR / "configuration.md").read_text() == generated.page(), "run `make docs`"


def test_only_a_few_values_of_staging_differ_from_production() -> None:
    allowed = {"SECURE_HSTS_SECONDS", "HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT"}
    assert set(ENVIRONMENTS["staging"].defaults) == allowed
    assert ENVIRONMENTS["prod"].defaults == {}


@pytest.mark.parametrize("env", DEPLOYED)
def test_an_example_lacks_only_what_its_operator_knows(env: str) -> None:
    seen = examine(env, env_file=ENVS / f"{env}.env.example", environ={})
    assert told(seen) == {
        ("SITE_URL", "placeholder"),
        ("SECRET_KEY", "insecure"),
        ("POSTGRES_PASSWORD", "insecure"),
    }


@pytest.mark.parametrize("env", DEPLOYED)
def test_an_example_names_every_variable_that_the_environment_reads(env: str) -> None:
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", generated.example(env), flags=re.MULTILINE))
    assert named == {row.name for row in VARIABLES if row.reader != "make"}


def test_the_committed_development_file_is_right() -> None:
    assert examine("dev", env_file=ENVS / "dev.env", environ={}).findings == []


def test_what_development_is_protected_by_is_refused_in_production() -> None:
    seen = examine("prod", env_file=ENVS / "dev.env", environ={})
    assert told(seen) >= {
        ("DJANGO_ENV", "contradiction"),
        ("DEBUG", "insecure"),
        ("SECRET_KEY", "insecure"),
        ("POSTGRES_PASSWORD", "insecure"),
        ("SITE_URL", "insecure"),
    }


def test_fresh_files_are_good_again_and_again(tmp_path: Path) -> None:
    for number in range(50):
        path = tmp_path / f"{number}.env"
        generated.write("prod", path, None)
        read = envfile.read(path)
        assert read.findings == []
        assert len(read.entries) > 10


def test_the_page_names_every_variable_once() -> None:
    page = generated.page()
    for row in VARIABLES:
        assert len(re.findall(rf"^\| `{row.name}`", page, flags=re.MULTILINE)) == 1


def test_every_variable_is_declared_fully() -> None:
    for row in VARIABLES:
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", row.name)
        assert row.doc.endswith(".")
        assert not row.required or row.missing


def test_no_file_with_secrets_is_committed() -> None:
    ignored = (paths.BASE_DIR.parent / ".gitignore").read_text().splitlines()
    assert "/envs/*" in ignored
    assert {path.name for path in Path(ENVS).glob("*.example")} == {f"{env}.env.example" for env in DEPLOYED}
