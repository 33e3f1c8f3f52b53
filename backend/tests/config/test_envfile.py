"""One shape of line is accepted, which three programs read alike; everything else is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import environ
import pytest

from tests.config.conftest import KEY, Check, spoiled, told, warned
from todo_project.config import envfile
from todo_project.config.examination import examine

# Each line with what Compose and `docker run` made of it; tests/e2e/test_env_parsers.py asks them again.
RECORDED = json.loads(Path(__file__).with_name("env_lines.json").read_text())


class Reader(environ.Env):  # type: ignore[misc] # has no type marker
    ENVIRON: Any = {}


def by_django(text: str) -> dict[str, str]:
    Reader.ENVIRON = {}
    Reader.read_env(io.StringIO(text))
    return dict(Reader.ENVIRON)


def accepted(tmp_path: Path, text: str) -> dict[str, str] | None:
    path = tmp_path / "a.env"
    path.write_bytes(text.encode())
    file = envfile.read(path)
    return None if file.findings else {entry.name: entry.text for entry in file.entries}


@pytest.mark.parametrize("line", RECORDED, ids=lambda line: ascii(line["text"]))
def test_what_is_accepted_is_read_alike_by_all(line: dict[str, Any], tmp_path: Path) -> None:
    read = accepted(tmp_path, line["text"])
    if read is not None:
        assert read == line["compose"] == dict(line["docker_run"]) == by_django(line["text"])


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (r"x'y", "A"), ("a=b=c", "A"), ("x#y", "A"), ("", "A"), ("é", "A"), ("=", "_A9"),
        ("To-do <todo@example.org>", "a"),
        (r"https://pr-[0-9]+\.example\.org", "A"), ("!%&()*+,-./:;<=>?@[]^_`{|}~", "A"),
    ],
)  # fmt: skip
def test_a_plain_value_is_accepted(value: str, name: str, tmp_path: Path) -> None:
    assert accepted(tmp_path, f"{name}={value}\n") == by_django(f"{name}={value}\n") == {name: value}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('IMAGE_TAG="1.0" # first', "in quotes"),
        ("IMAGE_TAG='1.0'", "in quotes"),
        ("IMAGE_TAG=1.0 # first", "a comment after its value"),
        ("IMAGE_TAG = 1.0", "not NAME=value"),
        ("  IMAGE_TAG=1.0", "not NAME=value"),
        ("IMAGE_TAG=1.0 ", "a space before or after its value"),
        ("export IMAGE_TAG=1.0", "not NAME=value"),
        ("IMAGE_TAG: 1.0", "not NAME=value"),
        ("IMAGE_TAG=1.${MINOR:-0}", "has a `$` in its value"),
        (f"SECRET_KEY={KEY}$x", "has a `$` in its value"),
        (f"SECRET_KEY='{KEY}'", "in quotes"),
        (f"SECRET_KEY={KEY}\t", "a space before or after its value"),
        (f'SECRET_KEY="{KEY}\nx', "in quotes"),
    ],
)
def test_any_other_line_is_refused_with_how_to_write_it(check: Check, line: str, says: str) -> None:
    seen = check(spoiled(without="SECRET_KEY") + line + "\n")
    problem = next(problem for problem in seen.findings if problem.code == "portability")
    assert (problem.variable, problem.line) == (
        line.strip().removeprefix("export ").split("=")[0].split(":")[0].strip(),
        5,
    )
    assert says in problem.problem
    assert problem.instead.startswith("write NAME=value")
    assert KEY[:12] not in seen.report()


def test_a_variable_on_a_refused_line_is_not_called_missing(check: Check) -> None:
    assert told(check(spoiled(without="SECRET_KEY") + f"export SECRET_KEY={KEY}\n")) == {
        ("SECRET_KEY", "portability")
    }


def test_lines_within_quotes_are_lines_of_their_own(check: Check) -> None:
    seen = check(spoiled(without="SECRET_KEY") + f'SECRET_KEY="{KEY}\nDEBUG=True\nGUNICORN_WORKERS=4"\n')
    assert told(seen) == {("SECRET_KEY", "portability"), ("DEBUG", "insecure"), ("GUNICORN_WORKERS", "invalid")}


def test_pieces_of_a_wrapped_secret_are_not_printed(check: Check) -> None:
    seen = check(spoiled(without="SECRET_KEY") + 'SECRET_KEY="MIIEpAIBAAKCAQEA\nq9Zt+Jw3Lk8=\nhV2bXc=="\n')
    assert {problem.variable for problem in seen.findings} == {"SECRET_KEY", None}
    assert "hV2bXc" not in seen.report()


def test_a_line_without_a_value_is_refused_without_its_text(check: Check) -> None:
    [problem] = check(spoiled() + "hunter2hunter2\n").findings
    assert (problem.variable, problem.line, problem.code) == (None, 6, "portability")
    assert "hunter2" not in str(problem)


def test_a_missing_file_is_an_error_only_where_it_was_asked_for(tmp_path: Path) -> None:
    [problem] = examine("dev", env_file=tmp_path / "none.env", environ={}).findings
    assert "No such file" in problem.problem
    assert examine("dev", environ={}).findings == []


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "Is a directory" in examine("dev", env_file=tmp_path, environ={}).findings[0].problem


def test_a_huge_file_is_refused(check: Check) -> None:
    assert (None, "file") in told(check("#" * 1_100_000))


@pytest.mark.parametrize(
    "raw", [("\ufeff" + spoiled()).encode(), spoiled().encode("utf-16")], ids=["bom", "utf-16"]
)
def test_another_encoding_is_refused(check: Check, raw: bytes) -> None:
    codes = [each.code for each in check(raw).findings]
    assert (codes.count("encoding"), codes.count("portability")) == (1, 0)


def test_bytes_that_are_not_utf_8_are_refused_with_their_line(check: Check) -> None:
    [problem] = [
        each for each in check(spoiled().encode() + b"IMAGE_TAG=caf\xe9\n").findings if each.code == "encoding"
    ]
    assert problem.line == 6


def test_nul_bytes_are_refused_with_their_line(check: Check) -> None:
    seen = check(spoiled().encode() + b"LOG_LEVEL=IN\0FO\n")
    assert (seen.findings[0].variable, seen.findings[0].line) == ("LOG_LEVEL", 6)


def test_windows_line_ends_comments_and_blank_lines_are_fine(check: Check) -> None:
    assert check(spoiled().replace("\n", "\r\n")).findings == []
    assert check("# one\n\n   # two\n" + spoiled() + "#three=3").findings == []


@pytest.mark.parametrize(("mode", "warns"), [(0o600, False), (0o640, False), (0o644, True), (0o660, True)])
def test_a_file_of_secrets_that_others_can_read_is_a_warning(tmp_path: Path, mode: int, warns: bool) -> None:
    path = tmp_path / "a.env"
    path.write_text(spoiled())
    path.chmod(mode)
    seen = examine("prod", env_file=path, environ={})
    assert told(seen) == set()
    assert warned(seen) == ({(None, "mode")} if warns else set())


def test_the_same_name_twice_is_reported_with_both_lines(check: Check) -> None:
    [problem] = check(spoiled() + "LOG_LEVEL=INFO\n\nLOG_LEVEL=ERROR\n").findings
    assert (problem.variable, problem.line) == ("LOG_LEVEL", 8)
    assert "lines 6 and 8" in problem.problem
