"""Configurations to examine: a good production file, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from todo_project.config import paths
from todo_project.config.examination import examine
from todo_project.config.findings import Examination

# Random once; good enough for the check, and no secret of anybody.
KEY = "sGk4Zb1tQwV9xYpLr7Nd3HfJm5Uc8Ea2To6Ri0XkWqB-yDvC_nMzPhS"
PASSWORD = "p7RkQm2xVt9LwZ4cNs8HbYf1"
GOOD = {
    "DJANGO_ENV": "prod",
    "SITE_URL": "https://todo.example.org",
    "SECRET_KEY": KEY,
    "POSTGRES_PASSWORD": PASSWORD,
    "COMPOSE_FILE": "docker-compose.yml:docker-compose.prod.yml",
}
Check = Callable[..., Examination]


@pytest.fixture(autouse=True)
def no_env_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Read no file of this checkout: envs/ is an empty folder."""
    folder = tmp_path / "envs"
    folder.mkdir()
    monkeypatch.setattr(paths, "ENVS_DIR", folder)
    return folder


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Examine a text as an env file of production."""

    def run(
        text: str | bytes,
        *,
        env: str | None = "prod",
        environ: Mapping[str, str] | None = None,
        name: str = "a.env",
    ) -> Examination:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(0o600)
        return examine(env, env_file=path, environ=environ or {})

    return run


def lines(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={text}\n" for name, text in values.items())


def spoiled(*, without: str = "", **values: str) -> str:
    """Return the good file with other values, and without some names."""
    kept = {name: text for name, text in (GOOD | values).items() if name not in without.split()}
    return lines(kept)


def told(seen: Examination) -> set[tuple[str | None, str]]:
    """Return which variables have which kind of error."""
    return {(problem.variable, problem.code) for problem in seen.findings if not problem.warning}


def warned(seen: Examination) -> set[tuple[str | None, str]]:
    """Return which variables have which kind of warning."""
    return {(problem.variable, problem.code) for problem in seen.findings if problem.warning}
