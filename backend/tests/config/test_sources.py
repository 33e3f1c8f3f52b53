"""A value comes from the process environment, else a NAME_FILE, else the env file, else the default."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.config.conftest import KEY, PASSWORD, Check, spoiled, told
from todo_project.config import ConfigurationError, load
from todo_project.config.examination import examine


def secret(folder: Path, content: str | bytes) -> Path:
    path = folder / "secret"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_process_environment_comes_first(check: Check, tmp_path: Path) -> None:
    path = secret(tmp_path, "WARNING")
    seen = check(spoiled(LOG_LEVEL_FILE=str(path)), environ={"LOG_LEVEL": "ERROR"})
    assert (seen.values["LOG_LEVEL"], seen.sources["LOG_LEVEL"]) == ("ERROR", "process environment")
    seen = check(spoiled(LOG_LEVEL="INFO"), environ={"LOG_LEVEL": "ERROR"})
    assert seen.values["LOG_LEVEL"] == "ERROR"


def test_a_fault_of_the_process_environment_says_so(check: Check) -> None:
    [problem] = check(spoiled(DEBUG="False"), environ={"DEBUG": "True"}).findings
    assert str(problem).startswith("DEBUG (process environment) is on in prod")
    assert problem.as_dict()["file"] is None


def test_a_file_named_in_the_environment_comes_before_the_env_file(check: Check, tmp_path: Path) -> None:
    path = secret(tmp_path, "WARNING\n")
    seen = check(spoiled(LOG_LEVEL="INFO"), environ={"LOG_LEVEL_FILE": str(path)})
    assert seen.values["LOG_LEVEL"] == "WARNING"
    assert seen.sources["LOG_LEVEL"] == "LOG_LEVEL_FILE, process environment"


def test_the_env_file_comes_before_the_default(check: Check) -> None:
    seen = check(spoiled(LOG_LEVEL="WARNING"))
    assert seen.values["LOG_LEVEL"] == "WARNING"
    assert seen.sources["LOG_LEVEL"].endswith("a.env:6")
    assert check(spoiled()).sources["LOG_LEVEL"] == "default"


def test_every_value_may_come_from_a_file_without_the_white_space_around_it(check: Check, tmp_path: Path) -> None:
    path = secret(tmp_path, f"\n {KEY}\r\n\n")
    seen = check(spoiled(without="SECRET_KEY", SECRET_KEY_FILE=str(path)))
    assert (seen.findings, seen.values["SECRET_KEY"]) == ([], KEY)


def test_the_database_url_follows_a_password_from_a_file(check: Check, tmp_path: Path) -> None:
    path = secret(tmp_path, "p7R/kQm2@xVt9Lw#Z4%cNs8\n")
    seen = check(spoiled(without="POSTGRES_PASSWORD"), environ={"POSTGRES_PASSWORD_FILE": str(path)})
    assert seen.findings == []
    assert seen.values["DATABASE_URL"]["PASSWORD"] == "p7R/kQm2@xVt9Lw#Z4%cNs8"


def test_the_password_that_compose_hands_to_the_database_is_in_the_env_file_itself(
    check: Check, tmp_path: Path
) -> None:
    path = secret(tmp_path, PASSWORD)
    [problem] = check(spoiled(without="POSTGRES_PASSWORD", POSTGRES_PASSWORD_FILE=str(path))).errors
    assert (problem.variable, problem.code) == ("POSTGRES_PASSWORD", "file")
    assert problem.instead == "write POSTGRES_PASSWORD itself"


@pytest.mark.parametrize(("name", "text"), [("TRUSTED_PROXY_COUNT", "0"), ("IMAGE_TAG", "local")])
def test_what_works_and_is_hardly_meant_is_a_warning(check: Check, name: str, text: str) -> None:
    seen = check(spoiled(**{name: text}))
    assert [(finding.variable, finding.warning) for finding in seen.findings] == [(name, True)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n\t\n", "the file is empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a\0b", "NUL byte"),
        (b"x" * 70_000, "larger than 64 KiB"),
    ],
)
def test_a_file_without_a_usable_value_is_refused(
    check: Check, tmp_path: Path, content: bytes, reason: str
) -> None:
    seen = check(spoiled(without="SECRET_KEY", SECRET_KEY_FILE=str(secret(tmp_path, content))))
    [problem] = seen.findings
    assert (problem.variable, problem.line) == ("SECRET_KEY_FILE", 5)
    assert reason in problem.problem


@pytest.mark.parametrize(
    "name", ["CORS_ALLOWED_ORIGINS", "GUNICORN_WORKERS", "IMAGE_TAG", "BACKUP_AT", "DJANGO_ENV"]
)
def test_a_file_is_refused_for_what_compose_hands_on(check: Check, tmp_path: Path, name: str) -> None:
    [problem] = check(spoiled(**{f"{name}_FILE": str(secret(tmp_path, "x"))}, without=name)).errors
    assert (problem.variable, problem.code) == (f"{name}_FILE", "file")
    assert "Compose" in problem.problem
    assert problem.instead == f"set {name} itself"


def test_a_pipe_is_not_waited_for(check: Check, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert told(check(spoiled(without="SECRET_KEY", SECRET_KEY_FILE=str(tmp_path / "pipe")))) == {
        ("SECRET_KEY_FILE", "file")
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(check: Check, tmp_path: Path) -> None:
    path = secret(tmp_path, KEY)
    path.chmod(0)
    assert told(check(spoiled(without="SECRET_KEY", SECRET_KEY_FILE=str(path)))) == {("SECRET_KEY_FILE", "file")}


def test_a_secret_in_a_file_that_starts_with_a_dollar_is_not_followed(check: Check, tmp_path: Path) -> None:
    path = secret(tmp_path, "$HOME-and-more-characters-than-are-needed-for-a-key-0123456789")
    assert told(check(spoiled(without="SECRET_KEY", SECRET_KEY_FILE=str(path)))) == {("SECRET_KEY", "dollar")}


def test_both_forms_in_one_place_are_an_error_and_in_two_places_are_not(check: Check, tmp_path: Path) -> None:
    path = str(secret(tmp_path, PASSWORD))
    both = {"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_PASSWORD_FILE": path}
    assert told(check(spoiled(without="POSTGRES_PASSWORD"), environ=both)) == {("POSTGRES_PASSWORD", "twice")}
    assert ("POSTGRES_PASSWORD", "twice") in told(check(spoiled(POSTGRES_PASSWORD_FILE=path)))
    assert told(check(spoiled(), environ={"POSTGRES_PASSWORD_FILE": path})) == set()


def test_the_file_of_the_environment_is_found_by_its_name(no_env_files: Path) -> None:
    (no_env_files / "prod.env").write_text(spoiled(LOG_LEVEL="WARNING"))
    assert load("prod", environ={}).LOG_LEVEL == "WARNING"
    assert load(environ={"DJANGO_ENV": "prod"}).LOG_LEVEL == "WARNING"


def test_without_a_file_the_process_environment_alone_is_enough() -> None:
    values = {"SITE_URL": "https://todo.example.org", "SECRET_KEY": KEY, "POSTGRES_PASSWORD": PASSWORD}
    config = load("prod", environ=values)
    assert config.ALLOWED_HOSTS == ["todo.example.org"]
    assert config.CSRF_TRUSTED_ORIGINS == config.CORS_ALLOWED_ORIGINS == ["https://todo.example.org"]
    assert config.DATABASE_URL["HOST"] == "db"


def test_where_nothing_was_read_the_way_to_a_file_is_told() -> None:
    [hint] = [problem for problem in examine("prod", environ={}).findings if problem.warning]
    assert "make init ENV=prod" in hint.instead


@pytest.mark.parametrize(
    ("environ", "name", "text", "env"),
    [
        ({"DJANGO_ENV": "staging"}, "a.env", "", "staging"),
        ({}, "a.env", "DJANGO_ENV=test\n", "test"),
        ({}, "dev.env", "", "dev"),
        ({}, "a.env", "", "prod"),
    ],
)
def test_the_environment_is_the_one_that_is_named(
    *, check: Check, environ: dict[str, str], name: str, text: str, env: str
) -> None:
    assert check(text, env=None, environ=environ, name=name).env == env


@pytest.mark.parametrize("shell", ["", "dev", "produktion"])
def test_an_environment_that_was_asked_for_beats_the_shells(check: Check, shell: str) -> None:
    assert check(spoiled(), environ={"DJANGO_ENV": shell}).findings == []


def test_no_environment_is_an_error_that_names_the_four() -> None:
    with pytest.raises(ConfigurationError, match="names no environment"):
        load("produktion", environ={})
    with pytest.raises(ConfigurationError, match="write one of dev, staging, prod, test"):
        load(environ={})
    with pytest.raises(ConfigurationError, match="'produktion', which is not a valid choice"):
        load(environ={"DJANGO_ENV": "produktion"})


def test_an_environment_contradicts_the_files_name(check: Check) -> None:
    assert told(check(spoiled(), name="staging.env")) == {("DJANGO_ENV", "contradiction")}
    assert told(check(spoiled(DJANGO_ENV="staging"), env="staging", name="staging.env")) == set()


def test_the_report_is_the_error_and_the_values_are_attributes() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load("prod", environ={"DEBUG": "ture"})
    assert "4 problems and 1 warning" in str(caught.value)
    config = load("dev", environ={})
    assert repr(config) == "<Config of dev>"
    with pytest.raises(AttributeError, match="NOTHING"):
        _ = config.NOTHING


def test_an_emptied_variable_of_the_backups_is_not_given_and_any_other_empty_value_is_refused() -> None:
    emptied = {"BACKUP_IDENTITY": "", "BACKUP_S3_ACCESS_KEY_ID": "", "BACKUP_S3_SECRET_ACCESS_KEY": ""}
    assert examine("test", environ=emptied).findings == []
    assert {problem.code for problem in examine("test", environ={"LOG_LEVEL": ""}).findings} == {"empty"}
