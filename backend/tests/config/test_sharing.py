"""Two environments share no secret, no volume, no bucket and no port; the shell does not beat a file unnoticed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.config.conftest import GOOD, KEY, PASSWORD, lines, spoiled
from todo_project.config import __main__ as command
from todo_project.config.examination import examine

Out = pytest.CaptureFixture[str]
OTHER = {
    "DJANGO_ENV": "staging",
    "SITE_URL": "https://staging.example.org",
    "SECRET_KEY": KEY[::-1],
    "POSTGRES_PASSWORD": PASSWORD[::-1],
    "HTTP_PORT": "8080",
    "HTTPS_PORT": "443",
    "COMPOSE_FILE": GOOD["COMPOSE_FILE"],
}


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The shell's variables, which a test may add to."""
    shell: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", shell)
    return shell


def write(path: Path, values: dict[str, str]) -> None:
    path.write_text(lines(values))
    path.chmod(0o600)


@pytest.fixture
def envs(no_env_files: Path) -> Path:
    write(no_env_files / "prod.env", GOOD)
    return no_env_files


def check(*arguments: str, capsys: Out) -> tuple[int, dict[str | None, str]]:
    """Return the exit status of `check`, and what it says about each variable."""
    status = command.main(["check", *arguments, "--json"])
    return status, {row["variable"]: row["problem"] for row in json.loads(capsys.readouterr().out)["problems"]}


def test_two_good_files_share_nothing(envs: Path, capsys: Out) -> None:
    write(envs / "staging.env", OTHER)
    for env in ("staging", "prod"):
        assert check("--env", env, capsys=capsys)[0] == 0


def test_a_file_with_another_name_names_its_project(envs: Path, capsys: Out) -> None:
    """Otherwise Compose would work on that of the environment."""
    write(envs / "qa.env", OTHER | {"ENV_FILE": "envs/qa.env"})
    status, problems = check("--env", "qa", capsys=capsys)
    assert (status, list(problems)) == (1, ["COMPOSE_PROJECT_NAME"])
    write(envs / "qa.env", OTHER | {"ENV_FILE": "envs/qa.env", "COMPOSE_PROJECT_NAME": "todo-qa"})
    assert check("--env", "qa", capsys=capsys)[0] == 0


@pytest.fixture
def _another_owner(envs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to open envs/prod.env, as for a user who is not its owner."""
    opened = Path.open

    def open_(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == envs / "prod.env":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", open_)


@pytest.mark.usefixtures("_another_owner")
def test_of_a_file_that_may_not_be_read_nothing_else_is_said(envs: Path, capsys: Out) -> None:
    write(envs / "staging.env", OTHER)
    assert check("--env", "prod", capsys=capsys) == (1, {None: "cannot be read: Permission denied"})


@pytest.mark.usefixtures("_another_owner")
def test_nothing_is_the_same_as_in_a_file_that_may_not_be_read(envs: Path, capsys: Out) -> None:
    write(envs / "staging.env", OTHER | {"HTTP_PORT": "80"})
    status, problems = check("--env", "staging", capsys=capsys)
    assert (status, list(problems)) == (0, [None])
    assert problems[None].startswith("is not compared with envs/prod.env, which cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SECRET_KEY", KEY),
        ("SECRET_KEY_FALLBACKS", KEY),
        ("POSTGRES_PASSWORD", PASSWORD),
        ("METRICS_TOKEN", "m3TkQw8xVb5LrZ1cNp6HdYj2"),
        ("DATABASE_URL", f"postgres://todo:{PASSWORD}@pg.example.org/todo"),
        ("COMPOSE_PROJECT_NAME", "todo"),
        ("BACKUP_S3_URL", "s3://bucket/todo"),
    ],
)
def test_what_two_files_share_is_an_error_that_names_both(*, envs: Path, name: str, text: str, capsys: Out) -> None:
    write(envs / "prod.env", {**GOOD, name: text} if name != "SECRET_KEY_FALLBACKS" else GOOD)
    write(envs / "staging.env", {**OTHER, name: text})
    status, told = check("--env", "staging", capsys=capsys)
    assert status == 1
    assert "envs/prod.env:" in told[name]
    assert text not in told[name]


def test_a_copy_is_told_in_full(envs: Path, capsys: Out) -> None:
    write(envs / "staging.env", GOOD | {"DJANGO_ENV": "staging", "COMPOSE_PROJECT_NAME": "todo-prod"})
    status, told = check("--env", "staging", capsys=capsys)
    assert status == 1
    assert {"SECRET_KEY", "POSTGRES_PASSWORD", "COMPOSE_PROJECT_NAME"} <= set(told)


def test_the_file_that_compose_hands_on_is_the_file_itself(envs: Path, capsys: Out) -> None:
    write(envs / "staging.env", OTHER | {"ENV_FILE": "envs/prod.env"})
    assert "but this file is envs/staging.env" in check("--env", "staging", capsys=capsys)[1]["ENV_FILE"]
    write(envs / "qa.env", OTHER | {"COMPOSE_PROJECT_NAME": "todo-qa"})
    assert "envs/staging.env" in check("--name", "qa", capsys=capsys)[1]["ENV_FILE"]


def test_the_same_ports_are_a_warning(envs: Path, capsys: Out) -> None:
    write(envs / "staging.env", OTHER | {"HTTP_PORT": "80"})
    status, told = check("--env", "staging", capsys=capsys)
    assert (status, list(told)) == (0, ["HTTP_PORT"])
    write(envs / "staging.env", OTHER | {"HTTP_PORT": "80", "HTTP_BIND": "127.0.0.1"})
    assert check("--env", "staging", capsys=capsys) == (0, {})


def test_variables_of_the_shell_that_beat_the_file_are_named(
    envs: Path, environ: dict[str, str], capsys: Out
) -> None:
    environ |= {"DJANGO_ENV": "dev", "POSTGRES_PASSWORD": PASSWORD[::-1], "SITE_URL": GOOD["SITE_URL"]}
    status, told = check("--env", "prod", capsys=capsys)
    assert (status, set(told)) == (0, {"DJANGO_ENV", "POSTGRES_PASSWORD"})
    assert "differs from envs/prod.env" in told["DJANGO_ENV"]


# --- a second staging ---


def test_a_named_environment_shares_nothing_with_the_others(envs: Path, capsys: Out) -> None:
    (envs / "prod.env").unlink()
    for arguments in (("--env", "prod"), ("--env", "staging"), ("--env", "staging", "--name", "qa")):
        assert command.main(["init", *arguments]) == 0
    assert command.main(["init", "--env", "prod", "--name", "demo", "--site-url", "https://demo.example.org"]) == 0
    assert "docker compose --env-file envs/qa.env up -d" in capsys.readouterr().out
    files = [envs / f"{name}.env" for name in ("prod", "staging", "qa", "demo")]
    seen = [examine(env_file=path, environ={}) for path in files]
    assert [each.env for each in seen] == ["prod", "staging", "staging", "prod"]
    for name in ("SECRET_KEY", "COMPOSE_PROJECT_NAME", "ENV_FILE", "HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT"):
        assert len({each.texts[name] for each in seen}) == len(files), name
    for name in ("prod", "staging", "qa", "demo"):
        assert check("--name", name, capsys=capsys)[0] == 0
        assert check("--env", name, capsys=capsys)[0] == 0
    assert check("--env", "staging", "--name", "qa", capsys=capsys)[0] == 0
    for other in ("prod", "staging", "demo"):
        assert command.main(["diff", "qa", other]) == 0


def test_a_named_environment_is_shown_whatever_the_shell_says(
    envs: Path, environ: dict[str, str], capsys: Out
) -> None:
    environ["DJANGO_ENV"] = "dev"
    assert command.main(["init", "--env", "staging", "--name", "qa"]) == 0
    capsys.readouterr()
    assert command.main(["show", "--name", "qa", "--json"]) == 0
    rows = {row["name"]: row["value"] for row in json.loads(capsys.readouterr().out)}
    assert (rows["DJANGO_ENV"], rows["COMPOSE_PROJECT_NAME"]) == ("staging", "todo-qa")


@pytest.mark.parametrize("name", ["prod", "dev"])
def test_a_name_is_not_that_of_another_environment(name: str) -> None:
    assert command.main(["init", "--env", "staging", "--name", name]) == 2


def test_an_unknown_name_is_a_wrong_call(capsys: Out) -> None:
    assert command.main(["diff", "qa", "prod"]) == 2
    assert "envs/qa.env does not exist" in capsys.readouterr().err


def test_a_first_edit_is_one_line(envs: Path) -> None:
    (envs / "prod.env").unlink()
    assert command.main(["init", "--env", "prod"]) == 0
    text = (envs / "prod.env").read_text()
    (envs / "prod.env").write_text(
        text.replace("SITE_URL=https://localhost\n", "SITE_URL=https://todo.example.org\n")
    )
    seen = examine("prod", environ={})
    assert seen.findings == []
    assert seen.values["SITE_ADDRESS"] == "todo.example.org"


def test_behind_another_proxy_it_is_counted(envs: Path) -> None:
    (envs / "prod.env").write_text(spoiled(SITE_ADDRESS=":80"))
    assert examine("prod", environ={}).values["TRUSTED_PROXY_COUNT"] == 2
