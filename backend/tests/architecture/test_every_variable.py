"""An env file that `check` accepts is accepted in the containers as well, whatever variables it sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.compose import PRODUCTION, needs_compose, render
from todo_project.config import generated, paths
from todo_project.config.examination import examine
from todo_project.config.schema import GROUPS, VARIABLES

pytestmark = needs_compose

# Variables without a default in production. BACKUP_REPOSITORY excludes BACKUP_S3_URL.
OPTIONAL = {
    "DATABASE_URL": "postgres://todo_user:{POSTGRES_PASSWORD}@pooler:6432/todo_db?disable_server_side_cursors=true",
    "DATABASE_DIRECT_URL": "postgres://todo_user:{POSTGRES_PASSWORD}@db:5432/todo_db",
    "DATABASE_REPLICA_URL": "postgres://todo_user:{POSTGRES_PASSWORD}@replica:5432/todo_db",
    "POOLER_PASSWORD": "Zq3xW8vK1mT6yB9nR4cL",
    "DATABASE_MAX_CONNECTIONS": "200",
    "SECRET_KEY_FALLBACKS": "{SECRET_KEY}-before",
    "CORS_ALLOWED_ORIGIN_REGEXES": r"https://pr-[0-9]+\.todo\.example",
    "SENTRY_DSN": "https://0123456789abcdef@sentry.example.com/1",
    "BACKUP_REPOSITORY": "",
    "BACKUP_IDENTITY": "AGE-SECRET-KEY-1" + "Q" * 58,
    "BACKUP_S3_URL": "s3://backups/todo",
    "BACKUP_S3_ENDPOINT": "https://s3.todo.example",
    "BACKUP_S3_REGION": "eu-central-1",
    "BACKUP_S3_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "BACKUP_S3_SECRET_ACCESS_KEY": "s3-key-of-the-backups-0123456789",
    "IMAGE_REPOSITORY": "127.0.0.1:5000/team",
    "PROXY_TAG": "1.2.3",
    "HTTP_BIND": "127.0.0.1",
    "DEBUGPY_PORT": "5678",
}


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The lines of a new env file of production."""
    monkeypatch.setattr(paths, "ENVS_DIR", tmp_path)
    generated.write("prod", tmp_path / "prod.env", "https://todo.example")
    text = (tmp_path / "prod.env").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def accepted(lines: dict[str, str], folder: Path) -> None:
    """Compare what `check` says of a file with what the containers say that get it from Compose."""
    path = folder / "prod.env"
    text = "".join(f"{name}={value}\n" for name, value in lines.items())
    path.write_text(text)
    path.chmod(0o600)
    assert not (seen := examine("prod", env_file=path, environ={})).errors, seen.report()
    path.rename(folder / "of-compose.env")  # a container has no env file
    lines |= {"ENV_FILE": str(folder / "rendered.env")}
    services = render(*PRODUCTION, values=text, folder=folder)["services"]
    for name in ("backend", "worker"):
        environ = {key: value.replace("$$", "$") for key, value in services[name]["environment"].items()}
        assert not (seen := examine(environ=environ)).errors, f"{name}: {seen.report()}"


def given(names: set[str], fresh: dict[str, str]) -> dict[str, str]:
    """Return a value for each variable: the one of a new file, an example, or the default."""
    derived = examine("prod", environ=fresh).texts
    found = {
        name: OPTIONAL[name].format_map(fresh) if name in OPTIONAL else fresh.get(name) or derived[name]
        for name in names
    }
    return fresh | {name: value for name, value in found.items() if value}


@pytest.mark.parametrize("group", GROUPS)
def test_the_variables_of_a_group(group: str, fresh: dict[str, str], tmp_path: Path) -> None:
    accepted(given({row.name for row in GROUPS[group]}, fresh), tmp_path)


def test_all_variables(fresh: dict[str, str], tmp_path: Path) -> None:
    lines = given({row.name for row in VARIABLES}, fresh)
    assert set(lines) == {row.name for row in VARIABLES} - {"BACKUP_REPOSITORY"}
    accepted(lines, tmp_path)
