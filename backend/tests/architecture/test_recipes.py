"""The recipes of docs/recipes work as printed, applied to copies of the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.architecture.source import REPOSITORY

RECIPES = REPOSITORY / "docs" / "recipes"
# What the copies do without: what is ignored, and tests that need containers.
LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv*", "node_modules", ".*_cache", ".hypothesis"),
    *("var", "staticfiles", "media", "*.state", "*.sqlite3", "e2e", "benchmarks"),
    "*.pyc.*",  # bytecode that another process is writing
)
CODE = "backend/todo_project/"
MIGRATIONS = "tests/architecture/test_migrations.py::test_the_migrations_are_complete"


class Copy:
    """A copy of the repository with the diffs of one page."""

    def __init__(self, recipe: str, folder: Path) -> None:
        self.text = (RECIPES / recipe).read_text(encoding="utf-8")
        self.root = folder / "repository"
        shutil.copytree(REPOSITORY, self.root, ignore=LEFT_OUT)
        for path in (self.root / "envs").glob("*.env"):
            if path.name != "dev.env":
                path.unlink()
        # As the pages say. Unlike patch, it leaves no *.orig file behind, and applies all or nothing.
        alone = {"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(self.root)}  # in no repository above
        apply = partial(subprocess.run, cwd=self.root, env=alone, capture_output=True)
        is_applied = apply(["git", "apply", "--reverse", "--check", RECIPES / recipe]).returncode == 0
        if is_applied and os.environ.get("CI"):
            pytest.fail(
                f"{recipe} has been merged, so nobody can follow it any more. Write it with another example."
            )
        if not is_applied:  # otherwise somebody follows the page in this checkout
            done = apply(["git", "apply", RECIPES / recipe], text=True)
            assert done.returncode == 0, done.stderr
        changed = set(re.findall(r"^\+\+\+ b/backend/(\S+\.py)$", self.text, re.MULTILINE))
        self.run("-m", "ruff", "format", "--force-exclude", "--check", *changed)
        self.run("-m", "ruff", "check", "--force-exclude", *changed)

    def run(self, *arguments: str, **variables: str) -> str:
        """Run Python in the copy, without the variables of this process."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root / "backend",
            env={"PATH": os.environ["PATH"]} | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def test(self, *paths: str) -> None:
        """Run tests: those that the page adds, the named ones, and after models that of the migrations."""
        added = re.findall(r"^\+\+\+ b/backend/(tests/\S*test_\w+\.py)$", self.text, re.MULTILINE)
        new = [path for path in added if not (REPOSITORY / "backend" / path).exists()]
        migrations = [MIGRATIONS] if re.search(r"^\+\+\+ b/\S+/models\b", self.text, re.MULTILINE) else []
        without = [f"-pno:{name}" for name in ("cacheprovider", "xdist", "schemathesis")]
        self.run("-m", "pytest", "-q", *without, *migrations, *new, *paths)


@pytest.fixture
def applied(tmp_path: Path) -> Callable[[str], Copy]:
    """Apply a page: `applied("add-a-variable.md")`."""
    return lambda recipe: Copy(recipe, tmp_path)


def places(recipe: str, *folders: str) -> int:
    """Return the number of hunks that a recipe changes below these folders."""
    text = (RECIPES / recipe).read_text(encoding="utf-8")
    files = re.split(r"^--- ", text, flags=re.MULTILINE)[1:]
    below = [each for each in files if re.search(rf"^\+\+\+ b/({'|'.join(folders)})", each, re.MULTILINE)]
    return sum(len(re.findall(r"^@@ ", each, re.MULTILINE)) for each in below)


def test_a_field_of_a_task(applied: Callable[[str], Copy]) -> None:
    assert places("add-a-task-field.md", CODE) <= 5
    copy = applied("add-a-task-field.md")
    copy.test("tests/todos/test_tasks.py", "tests/api/test_api_page.py")


def test_a_variable(applied: Callable[[str], Copy]) -> None:
    assert places("add-a-variable.md", f"{CODE}config/", f"{CODE}settings/") == 2
    copy = applied("add-a-variable.md")
    copy.run("-m", "todo_project.config", "docs", "--write")
    copy.test(
        *("tests/config/test_generated.py", "tests/architecture/test_variables.py"),
        "tests/architecture/test_settings.py::test_every_setting_is_read",
    )
    for name in ("docs/configuration.md", "envs/prod.env.example", "envs/staging.env.example"):
        assert "PROJECT_DEPTH_MAX" in (copy.root / name).read_text(encoding="utf-8")


def test_an_environment(applied: Callable[[str], Copy]) -> None:
    assert places("add-an-environment.md", f"{CODE}config/environments.py") == 1
    assert places("add-an-environment.md", f"{CODE}settings/demo.py") == 1
    assert places("add-an-environment.md", "") == 2
    copy = applied("add-an-environment.md")
    copy.run("-m", "todo_project.config", "docs", "--write")
    written = copy.run("-m", "todo_project.config", "init", "--env", "demo")
    assert "docker compose --env-file envs/demo.env up" in written
    assert "no problem found" in copy.run("-m", "todo_project.config", "check", "--env", "demo")
    copy.run("manage.py", "check", DJANGO_ENV="demo")
    (copy.root / "envs" / "demo.env").unlink()
    copy.test("tests/config/test_generated.py", "tests/architecture/test_settings.py", "-k", "not changes_nothing")


def test_an_endpoint(applied: Callable[[str], Copy]) -> None:
    copy = applied("add-an-endpoint.md")
    wanted = "unschedule or row or (follows_the_table and Editor)"
    copy.test("tests/api/test_operations.py", "tests/todos/test_access.py", "-k", wanted)


def test_an_app(applied: Callable[[str], Copy]) -> None:
    copy = applied("add-an-app.md")
    copy.run("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")
    copy.test()


def test_the_tutorial(applied: Callable[[str], Copy]) -> None:
    copy = applied("../tutorial.md")
    copy.test()


def test_a_page_that_was_followed_is_tested_as_it_is_and_refused_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "add-a-variable.md"
    monkeypatch.setattr(sys.modules[__name__], "REPOSITORY", Copy(page, tmp_path / "followed").root)
    monkeypatch.delenv("CI", raising=False)
    copy = Copy(page, tmp_path / "again")
    assert "PROJECT_DEPTH_MAX" in (copy.root / CODE / "config/schema.py").read_text(encoding="utf-8")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="has been merged"):
        Copy(page, tmp_path / "merged")


def test_every_recipe_with_diffs_is_applied() -> None:
    pages = {page.name for page in RECIPES.glob("*.md") if "```diff" in page.read_text(encoding="utf-8")}
    assert pages == set(re.findall(r'applied\("([a-z-]+\.md)"\)', Path(__file__).read_text(encoding="utf-8")))
