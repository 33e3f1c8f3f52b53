"""Compose files as Compose itself renders them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
DEVELOPMENT = ("docker-compose.yml", "docker-compose.override.yml")
PRODUCTION = ("docker-compose.yml", "docker-compose.prod.yml")

needs_compose = pytest.mark.skipif(
    not shutil.which("docker")
    or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0,
    reason="needs Docker Compose (no engine has to run)",
)


def compose(*files: str, env: dict[str, str], env_file: Path | None) -> subprocess.CompletedProcess[str]:
    chosen = [part for name in files for part in ("-f", name)]
    chosen += ["--env-file", str(env_file)] if env_file else []
    return subprocess.run(
        ["docker", "compose", *chosen, "--profile", "*", "config", "--format", "json"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **env},
        capture_output=True,
        text=True,
        check=False,
    )


def render(*files: str, values: str, folder: Path) -> dict[str, Any]:
    path = folder / "rendered.env"
    path.write_text(values)
    done = compose(*files, env={"ENV_FILE": str(path)}, env_file=path)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


VALUES = """\
DJANGO_ENV={env}
IMAGE_TAG=1.2.3
SITE_URL=https://todo.example
SITE_ADDRESS=todo.example
HTTP_PORT=8080
HTTPS_PORT=8443
POSTGRES_PASSWORD=the-password
SECRET_KEY=the-key
"""
