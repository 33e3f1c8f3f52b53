"""deploy/host: the stack that a command works on, and its error messages."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from host import volumes
from host.console import Console, Failure
from host.stack import Stack, clean_environment
from release.commands import deploy

from tests.architecture.source import DEPLOY, commands


def test_an_unknown_environment_is_refused_with_the_two_words(repository: Path) -> None:
    with pytest.raises(Failure) as refused:
        Stack("production", repository=repository)

    assert refused.value.hint.startswith(
        "write staging or prod, or create it: make init ENV=staging NAME=production"
    )
    assert refused.value.code == 2


@pytest.mark.parametrize("name", ["", "dev", "test", "../prod", "a/b", "-f"])
def test_what_cannot_be_an_environment_is_refused(repository: Path, name: str) -> None:
    with pytest.raises(Failure, match="is not a deployed environment"):
        Stack(name, repository=repository)


def test_another_env_file_is_a_stack_of_its_own(repository: Path) -> None:
    (repository / "envs/qa.env").write_text("DJANGO_ENV=staging\nCOMPOSE_PROJECT_NAME=todo-qa\n")

    stack = Stack("qa", repository=repository)

    assert (stack.project, stack.state.name) == ("todo-qa", "qa.state")


def test_another_env_file_without_a_project_of_its_own_is_refused(repository: Path) -> None:
    (repository / "envs/qa.env").write_text("DJANGO_ENV=staging\n")

    with pytest.raises(Failure, match="would work on todo-staging") as refused:
        Stack("qa", repository=repository)

    assert refused.value.hint == "add the line COMPOSE_PROJECT_NAME=todo-qa"


@pytest.mark.parametrize(
    ("line", "chosen"),
    [
        ("", "docker-compose.yml:docker-compose.prod.yml"),
        ("COMPOSE_FILE=docker-compose.yml:docker-compose.prod.yml:more.yml\n", None),
    ],
)
def test_the_env_file_chooses_the_compose_files(
    repository: Path, monkeypatch: pytest.MonkeyPatch, line: str, chosen: str | None
) -> None:
    (repository / "envs/prod.env").write_text(f"DJANGO_ENV=prod\n{line}")
    docker = repository / "docker"
    docker.write_text('#!/bin/sh\necho "$@"; echo "$ENV_FILE"; echo "${COMPOSE_FILE-none}"\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{repository}:/usr/bin:/bin")

    said = Stack("prod", repository=repository).compose("ps").stdout.splitlines()

    env_file = str(repository / "envs/prod.env")
    assert said == [f"compose --env-file {env_file} ps", env_file, chosen or "none"]


def test_variables_that_the_shell_exports_with_other_values_are_named(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "from-the-shell")
    monkeypatch.setenv("DJANGO_ENV", "prod")

    assert Stack("prod", repository=repository).shadowed == ["POSTGRES_PASSWORD"]


def test_a_missing_env_file_is_refused_with_the_command_that_makes_it(repository: Path) -> None:
    with pytest.raises(Failure) as refused:
        Stack("staging", repository=repository)

    assert "make init ENV=staging" in refused.value.hint


def test_the_project_and_the_tag_come_from_the_env_file_or_its_environment(repository: Path) -> None:
    stack = Stack("prod", repository=repository)

    assert (stack.project, stack.tag) == ("todo-prod", "one")

    stack.set_values({"COMPOSE_PROJECT_NAME": "other"})

    assert stack.project == "other"


def test_writing_a_value_keeps_the_other_lines_and_the_mode(repository: Path) -> None:
    stack = Stack("prod", repository=repository)

    stack.set_values({"IMAGE_TAG": "two"})

    assert stack.env_file.read_text() == (
        "# ours\nDJANGO_ENV=prod\nIMAGE_TAG=two\n\nPOSTGRES_PASSWORD=a-secret-of-some-length\n"
    )
    assert stack.env_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in stack.env_file.parent.iterdir()] == ["prod.env"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_what_root_writes_belongs_to_the_owner_of_the_env_file(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    os.chown(stack.env_file, 12345, 54321)

    stack.set_values({"IMAGE_TAG": "two"})
    written = (Path(stack.variant({})["ENV_FILE"]), stack.state, stack.env_file)

    assert {(path.stat().st_uid, path.stat().st_gid) for path in written} == {(12345, 54321)}


def test_services_whose_stop_is_interrupted_have_stopped_before_anything_else_is_done(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker goes on with it: a service that is started meanwhile would stop after that."""
    calls: list[tuple[str, ...]] = []

    def compose(stack: Stack, *arguments: str) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Stack, "compose", compose)
    with pytest.raises(KeyboardInterrupt):
        Stack("prod", repository=repository).stop("backend", "worker")
    assert calls == [("stop", "backend", "worker")] * 2


def test_the_last_of_two_lines_is_the_one_that_counts_and_is_written(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    stack.env_file.write_text("IMAGE_TAG=one\nIMAGE_TAG=two\n")

    stack.set_values({"IMAGE_TAG": "three"})

    assert stack.env_file.read_text() == "IMAGE_TAG=one\nIMAGE_TAG=three\n"
    assert stack.tag == "three"


def test_a_value_is_taken_out_again(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    before = stack.env_file.read_text()

    stack.set_values({"PROXY_TAG": "two", "IMAGE_TAG": "two"})
    stack.set_values({"PROXY_TAG": None, "IMAGE_TAG": "one"})

    assert stack.env_file.read_text() == before


@pytest.mark.parametrize(
    ("values", "is_own"),
    [
        ({}, True),
        ({"DATABASE_URL": "postgres://todo_user:x@db:5432/todo_db"}, True),
        ({"DATABASE_URL": "postgres://todo_user:x@db.example.org:5432/todo_db"}, False),
        ({"DATABASE_URL_FILE": "/run/secrets/url"}, False),
        (
            {
                "DATABASE_URL": "postgres://todo_user:x@pooler:6432/todo_db?disable_server_side_cursors=true",
                "DATABASE_DIRECT_URL": "postgres://todo_user:x@db:5432/todo_db",
            },
            True,
        ),
    ],
)
def test_an_external_database_is_distinguished_from_the_service_db(
    repository: Path, values: dict[str, str], is_own: bool
) -> None:
    stack = Stack("prod", repository=repository)
    stack.set_values(dict(values))
    assert stack.has_own_database is is_own


def test_a_variant_changes_no_file_that_counts(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    before = stack.env_file.read_text()

    extra = stack.variant({"IMAGE_TAG": "two", "PROXY_TAG": None})

    assert extra == {"IMAGE_TAG": "two", "ENV_FILE": str(stack.state / "variant.env")}
    assert Path(extra["ENV_FILE"]).read_text() == before.replace("IMAGE_TAG=one", "IMAGE_TAG=two")
    assert Path(extra["ENV_FILE"]).stat().st_mode & 0o777 == 0o600
    assert stack.env_file.read_text() == before


def test_variables_of_the_shell_do_not_beat_the_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IMAGE_TAG", "COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "POSTGRES_PASSWORD"):
        monkeypatch.setenv(name, "from-the-shell")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")
    monkeypatch.setenv("SUDO_UID", "1000")  # without it, git refuses a user's checkout to root

    kept = clean_environment({"APP_REVISION": "abc"})

    assert "from-the-shell" not in kept.values()
    assert kept["DOCKER_HOST"] == "unix:///run/other.sock"
    assert kept["SUDO_UID"] == "1000"
    assert kept["APP_REVISION"] == "abc"


def test_a_failing_command_is_refused_with_its_last_words(repository: Path) -> None:
    with pytest.raises(Failure, match="exited with 3:\nthe reason"):
        Stack("prod", repository=repository).run(
            sys.executable, "-c", "import sys; sys.exit(print('the reason') or 3)"
        )


def test_a_traceback_within_a_log_line_is_shown_as_one(repository: Path) -> None:
    line = json.dumps({"event": "unhandled_exception", "exception": "Traceback\n  File\nNameError: no such name"})
    with pytest.raises(Failure, match="exited with 3:\nTraceback\n  File\nNameError: no such name"):
        Stack("prod", repository=repository).run(
            sys.executable, "-c", "import sys; sys.exit(print(sys.argv[1]) or 3)", line
        )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (json.dumps({"level": "error", "event": 'relation "task" exists'}), 'relation "task" exists'),
        ('{"other": 1}', '{"other": 1}'),
        ("[1]", r"\[1\]"),
        ("5", "5"),
    ],
)
def test_an_error_within_a_log_line_is_shown_without_the_json(repository: Path, line: str, said: str) -> None:
    with pytest.raises(Failure, match=f"exited with 3:\n{said}$"):
        Stack("prod", repository=repository).run(
            sys.executable, "-c", "import sys; sys.exit(print(sys.argv[1]) or 3)", line
        )


def test_a_command_that_hangs_is_refused(repository: Path) -> None:
    with pytest.raises(Failure, match=r"took more than 0\.2 s"):
        Stack("prod", repository=repository).run("sleep", "60", timeout=0.2)


def test_a_missing_program_is_refused_with_what_to_install(repository: Path) -> None:
    with pytest.raises(Failure, match="is not installed"):
        Stack("prod", repository=repository).run("no-such-program")


def test_a_failed_step_is_announced_with_its_time_and_passes_the_error_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyError), Console().step("migrate"):
        raise KeyError

    assert re.match(r"migrate …\nmigrate: failed after \d+\.\d s\n", capsys.readouterr().err)


def test_giving_up_names_the_cause_and_the_next_step_for_people_and_machines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        Console(as_json=True).give_up(Failure("the disk is full", "free 2 GB"))

    printed = capsys.readouterr()
    assert ended.value.code == 1
    assert printed.err == "error: the disk is full\n  next: free 2 GB\n"
    assert json.loads(printed.out) == {"ok": False, "error": "the disk is full", "next": "free 2 GB"}


def test_the_commands_compile_for_python_3_9() -> None:
    assert len(commands()) >= 3
    for path in commands():
        ast.parse(path.read_text(), filename=str(path), feature_version=(3, 9))


def test_the_commands_import_nothing_but_the_standard_library() -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import release.commands; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(DEPLOY)], capture_output=True, text=True, check=True
    )

    imported = {name.split(".")[0] for name in done.stdout.split()}
    assert imported - sys.stdlib_module_names == {"host", "release", "__main__"}


def test_an_env_file_that_is_no_text_is_refused(repository: Path) -> None:
    stack = Stack("prod", repository=repository)
    stack.env_file.write_bytes(b"DJANGO_ENV=prod\n\xff\xfe\n")

    with pytest.raises(Failure, match=r"prod\.env cannot be read"):
        _ = stack.project
    with pytest.raises(Failure, match=r"prod\.env cannot be read"):
        stack.set_values({"IMAGE_TAG": "two"})


def test_deploy_names_the_exported_variables_before_it_starts(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("release.commands.Stack", functools.partial(Stack, repository=repository))
    monkeypatch.setenv("DJANGO_ENV", "prod")
    monkeypatch.setenv("POSTGRES_PASSWORD", "from-the-shell")
    monkeypatch.setenv("PATH", str(repository))  # where no docker is

    with pytest.raises(SystemExit):
        deploy(["prod", "--image", "two"])

    printed = capsys.readouterr().err
    assert printed.startswith("warning: these variables have different values in this shell")
    assert "unset POSTGRES_PASSWORD\n" in printed
    assert "from-the-shell" not in printed


def test_the_volumes_of_backups_and_certificates_become_external(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(Stack, "run", lambda _, *command: ran.append(command))
    stack = Stack("prod", repository=repository)

    volumes.keep(stack, Console())
    assert "now outlive" in capsys.readouterr().err
    volumes.keep(stack, Console())

    assert capsys.readouterr().err == ""
    assert stack.values["EXTERNAL_VOLUMES"] == "true"
    created = [("docker", "volume", "create", f"todo-prod_{name}") for name in ("backup_volume", "proxy_data")]
    assert ran == created * 2
