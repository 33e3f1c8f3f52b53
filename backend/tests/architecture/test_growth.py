"""What a change costs, tried on a copy: an environment is a row and a file, a variable a row and a line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import REPOSITORY

LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv*",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
    "var",
    "staticfiles",
    "media",
    "*.state",
    "e2e",
    "node_modules",
)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the backend with one more environment and one more variable."""
    copy = tmp_path_factory.mktemp("grown") / "repository"
    shutil.copytree(REPOSITORY, copy, ignore=LEFT_OUT)
    for path in (copy / "envs").glob("*.env"):
        if path.name != "dev.env":
            path.unlink()
    package = copy / "backend" / "todo_project"
    # an environment
    insert(
        package / "config" / "environments.py",
        before='    Environment("prod", "Production"),\n',
        new='    Environment("demo", "Demo", defaults={"HTTP_PORT": "8090", "HTTPS_PORT": "8490"}),\n',
    )
    shutil.copy(package / "settings" / "staging.py", package / "settings" / "demo.py")
    # a variable, and the code that it is for
    insert(
        package / "config" / "schema.py",
        before='        number("PAGE_SIZE_MAX"',
        new='        number("GREETINGS_PER_DAY", 1, 99, "7", doc="How often we say hello."),\n',
    )
    insert(
        package / "settings" / "base.py",
        before="PAGE_SIZE_MAX = ",
        new="GREETINGS_PER_DAY = config.GREETINGS_PER_DAY\n",
    )
    user = package / "ops" / "http" / "pages.py"
    user.write_text(user.read_text() + "\n\ndef greetings() -> int:\n    return settings.GREETINGS_PER_DAY\n")
    run(copy, "-m", "todo_project.config", "docs", "--write")
    return copy


def insert(path: Path, *, before: str, new: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, new + before))


def run(copy: Path, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy / "backend",
        env={"PATH": os.environ["PATH"]} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tests_of_the_configuration_need_no_edit(grown: Path) -> None:
    tests = ["tests/config/test_generated.py", "tests/architecture/test_variables.py"]
    run(grown, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "tests/architecture/test_settings.py")


def test_a_new_environment_can_be_initialised_checked_and_used(grown: Path) -> None:
    assert "docker compose --env-file envs/demo.env up" in run(
        grown, "-m", "todo_project.config", "init", "--env", "demo"
    )
    assert "no problem found" in run(grown, "-m", "todo_project.config", "check", "--env", "demo")
    run(grown, "manage.py", "check", DJANGO_ENV="demo")


def test_a_new_variable_reaches_the_settings_the_page_and_the_examples(grown: Path) -> None:
    show = "from django.conf import settings; print(settings.GREETINGS_PER_DAY)"
    values = {"DJANGO_SETTINGS_MODULE": "todo_project.settings", "DJANGO_ENV": "test", "GREETINGS_PER_DAY": "9"}
    assert run(grown, "-c", show, **values) == "9\n"
    for name in ("docs/configuration.md", "envs/prod.env.example", "envs/demo.env.example"):
        assert "GREETINGS_PER_DAY" in (grown / name).read_text()
