"""What is in the production image, and what is not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import IMAGE_TAG, run, say, wait_for

# of its own: the other suites build theirs meanwhile, of another version
IMAGE = f"todo-backend:{IMAGE_TAG}-image"


@pytest.fixture(scope="module")
def image(checkout: Path) -> Iterator[str]:
    run(
        *("docker", "build", "--quiet", "--tag", IMAGE, "--build-arg", "APP_VERSION=9.8.7"),
        *("--build-arg", "APP_REVISION=abcdef0", str(checkout / "backend")),
    )
    yield IMAGE
    run("docker", "image", "rm", "--force", IMAGE, check=False)


@pytest.fixture(scope="module")
def described(image: str) -> dict[str, Any]:
    return dict(json.loads(run("docker", "image", "inspect", image).stdout)[0])


def inside(program: str, *options: str, check: bool = True) -> str:
    """Run a shell program in a fresh container and return what it printed."""
    return run("docker", "run", "--rm", *options, "--entrypoint", "sh", IMAGE, "-c", program, check=check).stdout


def test_it_is_small(described: dict[str, Any]) -> None:
    base = json.loads(run("docker", "image", "inspect", "python:3.11-slim").stdout)[0]
    added = (described["Size"] - base["Size"]) / 1_000_000
    say(f"the image adds {added:.0f} MB to its base")
    assert added <= 110


def test_it_says_what_it_is(described: dict[str, Any]) -> None:
    labels = described["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == "9.8.7"
    assert labels["org.opencontainers.image.revision"] == "abcdef0"


def test_a_build_by_hand_cannot_take_the_tag_of_a_release(image: str, checkout: Path) -> None:
    release, other = "0abc123", "20261129"
    build = ("docker", "build", "--progress", "plain", "--output", "type=cacheonly", str(checkout / "backend"))
    refused = run(*build, "--build-arg", f"APP_VERSION={release}", check=False)
    assert refused.returncode
    assert f"{release} is the tag of a release: deploy new code with deploy/release/deploy" in refused.stderr
    run(*build, "--build-arg", f"APP_VERSION={release}", "--build-arg", f"APP_REVISION={release}")
    run(*build, "--build-arg", f"APP_VERSION={other}")


def test_it_runs_as_a_fixed_user_that_owns_the_volumes_and_nothing_else(image: str) -> None:
    assert inside("id -u; id -g; stat -c %u:%g /app/staticfiles /app/media /app /app/todo_project").split() == [
        *("10001", "10001"),
        *("10001:10001", "10001:10001", "0:0", "0:0"),
    ]


@pytest.mark.parametrize("tool", ["uv", "pip", "pip3", "gcc", "cc", "make", "git", "pytest", "ruff"])
def test_it_has_no_tool_to_build_with(image: str, tool: str) -> None:
    assert inside(f"command -v {tool} || echo none").strip() == "none"


@pytest.mark.parametrize("module", ["debug_toolbar", "django_watchfiles", "pytest", "mypy", "pip", "uv", "tests"])
def test_nothing_of_development_can_be_imported(image: str, module: str) -> None:
    program = f"python -c 'import importlib.util as u; print(u.find_spec(\"{module}\"))'"
    assert inside(program).strip() == "None"


def test_it_has_the_files_it_needs_and_no_others(image: str) -> None:
    assert set(inside("ls -A /app").split()) == {
        *("entrypoint.sh", "gunicorn.conf.py", "healthcheck.py", "manage.py", "writable.sh"),
        *("todo_project", "staticfiles", "media"),
    }


def test_its_static_files_are_hashed_and_compressed(image: str) -> None:
    manifest = json.loads(inside("cat /opt/static/staticfiles.json"))
    hashed = manifest["paths"]["admin/css/base.css"]
    assert inside(f"cd /opt/static && ls {hashed} {hashed}.br {hashed}.gz").split()


def test_a_file_of_ours_that_a_derived_image_replaces_is_what_runs(image: str) -> None:
    path = "todo_project/config/paths.py"
    replaced = f"echo 'X = 1' >>{path} && python -c 'from todo_project.config.paths import X; print(X)'"
    assert inside(replaced, "--user", "0").strip() == "1"


def test_it_lists_its_migrations(image: str) -> None:
    asked = "DJANGO_ENV=test DATABASE_URL=postgres://nobody@nowhere/nothing python manage.py known_migrations"
    names = inside(asked).split()
    assert {"todos.0001_initial", "procrastinate.0001_initial"} < set(names)


def test_no_secret_and_no_environment_is_baked_in(described: dict[str, Any], image: str) -> None:
    names = {line.split("=")[0] for line in described["Config"]["Env"]}
    assert not {"DJANGO_ENV", "SECRET_KEY", "DATABASE_URL", "POSTGRES_PASSWORD"} & names
    history = run("docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image).stdout
    assert "SECRET_KEY" not in history


def test_its_healthcheck_needs_no_other_program(described: dict[str, Any]) -> None:
    assert described["Config"]["Healthcheck"]["Test"] == ["CMD", "python", "healthcheck.py"]


def test_without_an_environment_it_starts_nothing_and_says_why(image: str) -> None:
    done = run("docker", "run", "--rm", "--read-only", image, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "DJANGO_ENV" in said
    assert "entrypoint: the configuration check failed" in said
    assert "Traceback" not in said


def test_a_volume_of_another_user_is_named_with_the_command_that_fixes_it(image: str) -> None:
    environ = ("--env", "DJANGO_ENV=test", "--env", "DATABASE_URL=sqlite:////tmp/db.sqlite3")
    foreign = ("--tmpfs", "/app/media:mode=0755,uid=0")
    done = run("docker", "run", "--rm", *environ, *foreign, image, check=False)
    assert done.returncode == 1
    assert "user 10001:10001 cannot write to /app/media (owner 0:0, mode 755)" in done.stdout + done.stderr
    assert "--entrypoint chown backend -R 10001:10001 /app/media" in done.stdout + done.stderr


def test_commands_are_checked_and_then_run_in_its_place(image: str) -> None:
    done = run("docker", "run", "--rm", "--read-only", "--env", "DJANGO_ENV=test", image, "sh", "-c", "echo $$")
    assert done.stdout.split()[-1] == "1"


def test_a_stop_during_the_start_ends_it_at_once(image: str) -> None:
    mute = "import socket; s = socket.create_server(('127.0.0.1', 5432)); held = [s.accept() for _ in iter(int, 1)]"
    beside = run("docker", "run", "--detach", "--entrypoint", "python", image, "-c", mute).stdout.strip()
    database = ("--env", "DJANGO_ENV=test", "--env", "DATABASE_URL=postgres://todo_user:unused@127.0.0.1/todo_db")
    name = run("docker", "run", "--detach", "--network", f"container:{beside}", *database, image).stdout.strip()
    try:
        # then it waits for the database, as others wait for a migration
        wait_for("the migration", lambda: "migrate_locked" in run("docker", "top", name).stdout)
        asked = time.monotonic()
        run("docker", "stop", "--time", "600", name)
        assert time.monotonic() - asked < 300
        assert json.loads(run("docker", "inspect", name).stdout)[0]["State"]["ExitCode"] == 143
    finally:
        run("docker", "rm", "--force", "--volumes", name, beside)
