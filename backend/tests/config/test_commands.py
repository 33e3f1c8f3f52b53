"""python -m todo_project.config: what it prints, what it writes, how it exits."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.config.conftest import KEY, PASSWORD, lines, spoiled
from todo_project.config import __main__ as command
from todo_project.config import generated, paths
from todo_project.config.examination import examine
from todo_project.config.paths import BASE_DIR

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of this process count."""
    monkeypatch.setattr(os, "environ", {"PATH": "/usr/bin"})


@pytest.fixture
def prod(no_env_files: Path) -> Path:
    path = no_env_files / "prod.env"
    path.write_text(spoiled())
    path.chmod(0o600)
    return path


def test_check_exits_0_where_all_is_well(prod: Path, capsys: Out) -> None:
    assert command.main(["check", "--env", "prod"]) == 0
    assert capsys.readouterr().out == "Configuration for prod (envs/prod.env): no problem found.\n"


def test_check_exits_1_with_one_numbered_report(prod: Path, capsys: Out) -> None:
    prod.write_text(spoiled(DEBUG="ture", SITE_URL="todo.example.org"))
    assert command.main(["check", "--env", "prod"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].endswith(": 2 problems.")
    assert out[1].startswith("  1. SITE_URL (line 2) has 'todo.example.org', which is not an origin")
    assert out[2] == "     -> write scheme and host only, such as https://todo.example.org"
    assert out[3].startswith("  2. DEBUG (line 6) is 'ture'")


def test_warnings_alone_do_not_fail(prod: Path, capsys: Out) -> None:
    prod.chmod(0o644)
    assert command.main(["check", "--env", "prod"]) == 0
    said = capsys.readouterr().out
    assert "warning: the file has secrets in it and mode 644" in said
    assert "-> chmod 600 envs/prod.env\n" in said


def test_a_file_of_another_folder_keeps_its_whole_path(
    tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "ENVS_DIR", Path("/envs"))  # as in the image
    other = tmp_path / "other.env"
    other.write_text(spoiled())
    other.chmod(0o644)
    assert command.main(["check", "--env", "prod", "--file", str(other)]) == 0
    assert f"-> chmod 600 {other}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["chek"],
        ["check", "--env", "production"],
        ["init", "--env", "qa"],
        ["check", "--what"],
        ["diff", "prod"],
        ["init"],
    ],
)
def test_a_wrong_call_exits_2(arguments: list[str]) -> None:
    try:
        code = command.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    assert code == 2


@pytest.mark.parametrize(
    ("name", "instead"), [("prdo", "did you mean prod?"), ("qa", "make init ENV=staging NAME=qa")]
)
def test_an_unknown_environment_is_compared_with_the_known_ones(name: str, instead: str, capsys: Out) -> None:
    with pytest.raises(SystemExit):
        command.main(["check", "--env", name])
    assert instead in capsys.readouterr().err


def test_check_speaks_json(prod: Path, capsys: Out) -> None:
    prod.write_text(spoiled(DEBUG="True"))
    assert command.main(["check", "--env", "prod", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["env"], found["file"], found["ok"]) == ("prod", str(prod), False)
    [debug] = [problem for problem in found["problems"] if problem["severity"] == "error"]
    assert (debug["variable"], debug["line"], debug["code"]) == ("DEBUG", 6, "insecure")
    assert debug["instead"] == "write DEBUG=False"


def test_show_names_every_source_and_masks_secrets(
    prod: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"LOG_LEVEL": "ERROR"})
    assert command.main(["show", "--env", "prod", "--json"]) == 0
    rows = {row["name"]: (row["value"], row["source"]) for row in json.loads(capsys.readouterr().out)}
    assert rows["LOG_LEVEL"] == ("ERROR", "process environment")
    assert rows["SECRET_KEY"] == ("****", "envs/prod.env:3")
    assert rows["DEBUG"] == ("False", "default")
    assert rows["ALLOWED_HOSTS"] == ("todo.example.org", "default, from SITE_URL; in dev and test localhost too")
    assert rows["SENTRY_DSN"] == ("(not set)", "not set")
    assert rows["DATABASE_URL"] == (
        "postgres://****@db:5432/todo_db",
        "default, from POSTGRES_PASSWORD and the `db` service",
    )


def test_show_is_a_table_and_points_to_check(prod: Path, capsys: Out) -> None:
    prod.write_text(spoiled(DEBUG="ture", DATABASE_URL="postgres://u:p@h/n?sslpassword=hunter2"))
    assert command.main(["show", "--env", "prod"]) == 1
    shown = capsys.readouterr()
    assert "DEBUG" in shown.out
    assert "(not usable, see check)" in shown.out
    assert "hunter2" not in shown.out
    assert "see `check`" in shown.err


def test_diff_shows_values_and_of_secrets_only_whether_they_differ(
    prod: Path, no_env_files: Path, capsys: Out
) -> None:
    values = spoiled(DJANGO_ENV="staging", SITE_URL="https://staging.example.org", POSTGRES_PASSWORD=PASSWORD[::-1])
    (no_env_files / "staging.env").write_text(values.replace(KEY, KEY[::-1]))
    assert command.main(["diff", "staging", "prod", "--json"]) == 0
    rows = {row["name"]: (row["staging"], row["prod"]) for row in json.loads(capsys.readouterr().out)}
    assert rows["SITE_URL"] == ("https://staging.example.org", "https://todo.example.org")
    assert rows["POSTGRES_PASSWORD"] == ("differs", "differs")
    assert rows["SECURE_HSTS_SECONDS"] == ("3600", "31536000")
    assert command.main(["diff", "staging", "prod"]) == 0
    out = capsys.readouterr().out
    assert "staging: envs/staging.env\nprod: envs/prod.env\n" in out
    assert PASSWORD not in out
    assert KEY not in out


def test_diff_fails_where_two_environments_share_a_secret(prod: Path, no_env_files: Path, capsys: Out) -> None:
    (no_env_files / "staging.env").write_text(prod.read_text().replace("=prod", "=staging"))
    assert command.main(["diff", "staging", "prod", "--json"]) == 1
    told = capsys.readouterr()
    assert {"name": "SECRET_KEY", "staging": "same", "prod": "same"} in json.loads(told.out)
    assert "SECRET_KEY (line 3) is the same as SECRET_KEY in envs/staging.env:3" in told.err
    assert KEY not in told.out + told.err


def test_diff_falls_back_to_examples_and_defaults(no_env_files: Path, capsys: Out) -> None:
    (no_env_files / "prod.env.example").write_text(generated.example("prod"))
    assert command.main(["diff", "dev", "prod"]) == 0
    assert "dev: defaults only, there is no file\nprod: envs/prod.env.example\n" in capsys.readouterr().out
    assert command.main(["diff", "dev", "dev"]) == 0
    assert "They do not differ." in capsys.readouterr().out


@pytest.mark.parametrize("env", ["staging", "prod"])
def test_init_writes_a_file_that_passes_at_once(env: str, no_env_files: Path, capsys: Out) -> None:
    assert command.main(["init", "--env", env]) == 0
    told = capsys.readouterr().out
    path = no_env_files / f"{env}.env"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(no_env_files.iterdir()) == [path]
    seen = examine(env, environ={})
    assert seen.findings == []
    assert f"docker compose --env-file envs/{env}.env up -d" in told
    assert seen.values["COMPOSE_FILE"] == "docker-compose.yml:docker-compose.prod.yml"
    assert seen.values["SITE_URL"] in told
    assert seen.values["SITE_ADDRESS"] == "localhost"
    assert "browsers warn" in told
    assert seen.values["SECRET_KEY"] not in told


def test_init_makes_other_secrets_each_time(no_env_files: Path) -> None:
    for env in ("staging", "prod"):
        command.main(["init", "--env", env])
    staging, prod = (examine(env, environ={}).values for env in ("staging", "prod"))
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "METRICS_TOKEN"):
        assert staging[name] != prod[name]
    for name in ("HTTP_PORT", "HTTPS_PORT", "COMPOSE_PROJECT_NAME"):  # so that both can run on one machine
        assert staging[name] != prod[name]


@pytest.mark.parametrize(
    ("url", "site", "ports"),
    [
        ("https://todo.example.org", "https://todo.example.org", (80, 443)),
        ("https://todo.example.org/", "https://todo.example.org", (80, 443)),
        ("https://Todo.example.org:9443", "https://todo.example.org:9443", (8080, 9443)),
        ("https://203.0.113.7", "https://203.0.113.7", (80, 443)),
        ("https://[2001:db8::1]:9443", "https://[2001:db8::1]:9443", (8080, 9443)),
    ],
)
def test_init_takes_the_name_that_people_type(url: str, site: str, ports: tuple[int, int]) -> None:
    host = re.sub(r"^https://|:[0-9]+$", "", site)
    assert command.main(["init", "--env", "staging", "--site-url", url]) == 0
    seen = examine("staging", environ={})
    assert seen.findings == []
    assert (seen.values["SITE_URL"], seen.values["SITE_ADDRESS"]) == (site, host)
    assert (seen.values["HTTP_PORT"], seen.values["HTTPS_PORT"]) == ports
    assert seen.values["ALLOWED_HOSTS"] == [host]


@pytest.mark.parametrize(
    "url", ["todo.example.org", "http://todo.example.org", "https://todo/x", "https://change-me.org"]
)
def test_init_refuses_a_name_that_would_not_pass(url: str, no_env_files: Path, capsys: Out) -> None:
    assert command.main(["init", "--env", "prod", "--site-url", url]) == 1
    assert "->" in capsys.readouterr().err
    assert list(no_env_files.iterdir()) == []


def test_init_of_an_unknown_environment_says_how_to_make_another_staging(capsys: Out) -> None:
    with pytest.raises(SystemExit):
        command.main(["init", "--env", "qa"])
    assert "make init ENV=staging NAME=qa" in capsys.readouterr().err


def test_init_never_writes_over_a_file(prod: Path, capsys: Out) -> None:
    before = prod.read_bytes()
    assert command.main(["init", "--env", "prod"]) == 1
    assert "exists and was left as it is" in capsys.readouterr().err
    assert prod.read_bytes() == before


def test_init_never_writes_through_a_dangling_link(no_env_files: Path) -> None:
    (no_env_files / "prod.env").symlink_to(no_env_files / "elsewhere")
    assert command.main(["init", "--env", "prod"]) == 1
    assert not (no_env_files / "elsewhere").exists()


def test_of_two_inits_at_once_one_wins_whole(no_env_files: Path) -> None:
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(command.main(["init", "--env", "prod"]))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0] + [1] * 7
    assert [path.name for path in no_env_files.iterdir()] == ["prod.env"]
    assert examine("prod", environ={}).findings == []


def test_init_says_why_it_cannot_write(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "file").write_text("")
    assert command.main(["init", "--env", "prod", "--file", str(tmp_path / "file" / "prod.env")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_init_leaves_no_file_that_it_could_not_finish(
    no_env_files: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(generated, "examine", fail)
    assert command.main(["init", "--env", "prod"]) == 1
    assert "cannot be written: No space left on device" in capsys.readouterr().err
    assert list(no_env_files.iterdir()) == []


@pytest.mark.parametrize("env", ["dev", "test"])
def test_init_has_nothing_to_do_for_dev_and_test(env: str, no_env_files: Path) -> None:
    assert command.main(["init", "--env", env]) == 0
    assert list(no_env_files.iterdir()) == []


def test_docs_prints_the_page_or_writes_all(capsys: Out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command.main(["docs"]) == 0
    assert capsys.readouterr().out == generated.page()
    monkeypatch.setattr(paths, "DOCS_DIR", tmp_path / "docs")
    assert command.main(["docs", "--write"]) == 0
    assert (tmp_path / "docs" / "configuration.md").read_text() == generated.page()
    assert (tmp_path / "envs" / "prod.env.example").read_text() == generated.example("prod")


def test_the_module_runs_with_no_settings_and_no_environment(tmp_path: Path) -> None:
    path = tmp_path / "prod.env"
    path.write_text(lines({"DJANGO_ENV": "prod", "DEBUG": "True"}))
    done = subprocess.run(
        [sys.executable, "-m", "todo_project.config", "check", "--env", "prod", "--file", str(path)],
        cwd=BASE_DIR,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "DEBUG (line 2) is on in prod" in done.stdout
