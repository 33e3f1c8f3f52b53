"""An env file that cannot be read as it stands is refused, and still read as far as it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.conftest import KEY, Check, spoiled, told, warned
from todo_project.config import problems
from todo_project.config.examination import examine


def test_a_missing_file_is_an_error_only_where_it_was_asked_for(tmp_path: Path) -> None:
    seen = examine("dev", env_file=tmp_path / "none.env", environ={})
    [problem] = seen.problems
    assert "No such file" in problem.problem
    assert examine("dev", environ={}).problems == []


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "Is a directory" in examine("dev", env_file=tmp_path, environ={}).problems[0].problem


def test_a_huge_file_is_refused(check: Check) -> None:
    assert (None, "file") in told(check("#" * 1_100_000))


def test_a_byte_order_mark_is_told_and_the_first_line_read(check: Check) -> None:
    seen = check("\ufeff" + spoiled())
    assert told(seen) == {(None, "encoding")}
    assert "DJANGO_ENV" in seen.found


def test_utf_16_is_told_and_read(check: Check) -> None:
    seen = check(spoiled(DEBUG="True").encode("utf-16"))
    assert told(seen) == {(None, "encoding"), ("DEBUG", "insecure")}


def test_bytes_that_are_not_utf_8_are_told_with_their_line(check: Check) -> None:
    seen = check(spoiled().encode() + b"IMAGE_TAG=caf\xe9\n")
    [problem] = [problem for problem in seen.problems if problem.code == "encoding"]
    assert (problem.variable, problem.line) == ("IMAGE_TAG", 6)


def test_nul_bytes_are_told_with_their_line(check: Check) -> None:
    seen = check(spoiled().encode() + b"LOG_LEVEL=IN\0FO\n")
    [problem] = seen.problems
    assert (problem.variable, problem.line, problem.code) == ("LOG_LEVEL", 6, "nul")


def test_windows_line_ends_are_fine(check: Check) -> None:
    assert check(spoiled().replace("\n", "\r\n")).problems == []


def test_comments_and_empty_lines_are_fine(check: Check) -> None:
    assert check("# one\n\n" + spoiled() + "#two=2").problems == []


def test_an_indented_comment_is_fine_too(check: Check) -> None:
    assert check("   # one\n" + spoiled()).problems == []


@pytest.mark.parametrize(("mode", "warns"), [(0o600, False), (0o640, False), (0o644, True), (0o660, True)])
def test_a_file_of_secrets_that_others_can_read_is_a_warning(tmp_path: Path, mode: int, warns: bool) -> None:
    path = tmp_path / "a.env"
    path.write_text(spoiled())
    path.chmod(mode)
    seen = examine("prod", env_file=path, environ={})
    assert told(seen) == set()
    assert warned(seen) == ({(None, "mode")} if warns else set())


def test_readings_of_a_plain_variable_are_shown(check: Check) -> None:
    [problem] = check(spoiled() + 'IMAGE_TAG="1.0" # first\n').problems
    assert problem.line == 6
    assert problem.problem == (
        "is not read alike: Compose reads '1.0'; django-environ reads '\"1.0\" # first'; "
        "`docker run --env-file` reads '\"1.0\" # first'"
    )
    assert problem.instead == "write IMAGE_TAG=1.0"


@pytest.mark.parametrize(
    ("line", "told_of"),
    [
        (f"SECRET_KEY = {KEY}", "django-environ drops the line"),
        (f"SECRET_KEY = {KEY}", "refuses the file, since there is white space in the name"),
        (f"SECRET_KEY='{KEY}'", "Compose takes what is between the quotes"),
        (f"SECRET_KEY={KEY} # mine", "Compose takes only the part before the comment"),
        (f"SECRET_KEY={KEY}$x", "Compose replaces what follows `$`"),
        (f"SECRET_KEY={KEY}  ", "Compose leaves out the white space around the value"),
        (f'SECRET_KEY="{KEY}', "Compose refuses the file, since the quoted value does not end"),
        (f'SECRET_KEY="{KEY}\nx"', "Compose reads on over several lines"),
        (f"export  SECRET_KEY={KEY}", "django-environ drops the line"),
    ],
)
def test_readings_of_a_secret_are_described(check: Check, line: str, told_of: str) -> None:
    seen = check(spoiled(without="SECRET_KEY") + line + "\n")
    [problem] = [problem for problem in seen.problems if problem.code == "portability"]
    assert (problem.variable, problem.line) == ("SECRET_KEY", 5)
    assert told_of in problem.problem
    assert KEY[:12] not in problems.report(seen.problems, env="prod", path="x")


def test_what_a_late_quote_swallows_is_still_examined(check: Check) -> None:
    seen = check(spoiled(without="SECRET_KEY") + f'SECRET_KEY="{KEY}\nDEBUG=True\nGUNICORN_WORKERS=x"\n')
    assert told(seen) == {("SECRET_KEY", "portability"), ("DEBUG", "insecure"), ("GUNICORN_WORKERS", "invalid")}


def test_pieces_of_a_wrapped_secret_are_not_taken_for_names(check: Check) -> None:
    seen = check(spoiled(without="SECRET_KEY") + 'SECRET_KEY="MIIEpAIBAAKCAQEA\nq9Zt+Jw3Lk8=\nhV2bXc=="\n')
    assert {problem.variable for problem in seen.problems} == {"SECRET_KEY"}


def test_a_line_without_a_value_is_told_without_its_text(check: Check) -> None:
    seen = check(spoiled() + "hunter2hunter2\n")
    [problem] = seen.problems
    assert (problem.variable, problem.line, problem.code) == (None, 6, "portability")
    assert "hunter2" not in str(problem)


def test_what_compose_would_put_in_for_a_dollar_is_not_shown(check: Check) -> None:
    seen = check(spoiled() + "IMAGE_TAG=$SECRET_KEY\n", environ={"SECRET_KEY": KEY})
    assert KEY not in problems.report(seen.problems, env="prod", path="x")


def test_lines_that_end_as_long_ago_are_told_and_read(check: Check) -> None:
    assert told(check(spoiled(DEBUG="True").replace("\n", "\r"))) >= {
        ("DJANGO_ENV", "portability"),
        ("DEBUG", "insecure"),
    }


def test_what_compose_expands_is_told_beside_what_is_written(check: Check) -> None:
    [problem] = check(spoiled() + "IMAGE_TAG=1.${MINOR:-0}\n").problems
    assert "Compose replaces what follows `$`" in problem.problem
    assert "django-environ reads '1.${MINOR:-0}'" in problem.problem


def test_two_assignments_on_one_line_are_refused(check: Check) -> None:
    assert (None, "portability") in told(check(spoiled() + 'IMAGE_TAG="1"LOG_LEVEL=INFO\n'))


def test_the_same_name_twice_is_told_with_both_lines(check: Check) -> None:
    [problem] = check(spoiled() + "LOG_LEVEL=INFO\n\nLOG_LEVEL=ERROR\n").problems
    assert (problem.variable, problem.line) == ("LOG_LEVEL", 8)
    assert "lines 6 and 8" in problem.problem
