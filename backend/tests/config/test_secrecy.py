"""No report, table or JSON shows a secret, however its line is spoilt."""

from __future__ import annotations

import json
import os
import random
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.config.conftest import GOOD, lines
from todo_project.config import __main__ as command
from todo_project.config.examination import examine
from todo_project.config.schema import VARIABLES

SECRETS = [variable.name for variable in VARIABLES if variable.secret]
SECRET = "zQ8vKx3LmT7w"
SHAPES = [
    "{name}={text}", "{name} = {text}", "export  {name}={text}", "{name}: {text}", "{name}='{text}'",
    '{name}="{text}', '{name}="{text}" # {text}', "{name}={text} # {text}", "{name}=${text}",
    "{name}={text}${{{text}}}", "{name}={text}$", "{name}{text}", "{text}", "{text}=1", "{name}_{text}={text}",
    "{name}X={text}", "{lower}={text}", "{name}=\"\n{text}\n", "{name}='\n{text}='", "SITE_URL={text}",
    "SITE_URL=https://u:{text}@x", "SITE_URL=\"x\n{name}={text}\"",
    "{name}=postgres://u:{text}@db:5432/todo_db", "{name}=postgres://u:{text}/x@db/n",
    "{name}=smtp://u:{text}@h:x", "{name}=smtp+tls://u:{text}@mail.example.org",
    "{name}=https://{text}@sentry.example.org/1", "{name}=foo://{text}", "{name}=a,{text},{text}",
    "{name}={text}\n{name}={text}2", "{name}_FILE=/nonexistent/x", "{name}={text}\u2028{text}",
]  # fmt: skip


def outputs(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path = folder / "a.env"
    path.write_text(text)
    found = []
    for arguments in (["check"], ["check", "--json"], ["show"], ["show", "--json"]):
        command.main([*arguments, "--env", "prod", "--file", str(path)])
        found.append("".join(capsys.readouterr()))
    return "".join(found)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_is_never_printed(
    *, name: str, shape: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"DJANGO_ENV": "prod"})
    line = shape.format(name=name, lower=name.lower(), text=SECRET)
    kept = {key: text for key, text in GOOD.items() if key != name}
    told = outputs(lines(kept) + line + "\n", tmp_path, capsys)
    allowed = shape.startswith(("{text}=", "SITE_URL={text}", "{name}_{text}"))  # there it is no secret's value
    assert allowed or SECRET not in told
    assert GOOD["SECRET_KEY"] not in told
    assert GOOD["POSTGRES_PASSWORD"] not in told


@settings(
    max_examples=300, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_damage_to_a_file_is_survived_and_shows_no_secret(data: st.DataObject, tmp_path: Path) -> None:
    text = lines(GOOD | {"DATABASE_URL": "postgres://todo_user:kJ4nB8vC2xZ6@db:5432/todo_db"})
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 3))
        new = data.draw(st.text(st.sampled_from("\"'#$ =:\n\t\\{}xX\x00\u2028\r,/@%*"), max_size=3))
        text = text[:at] + new + text[at + cut :]
    path = tmp_path / "damaged.env"
    path.write_text(text, newline="")
    seen = examine("prod", env_file=path, environ={})
    told = seen.report() + json.dumps(command.rows(seen))
    for secret in (GOOD["SECRET_KEY"], GOOD["POSTGRES_PASSWORD"], "kJ4nB8vC2xZ6"):
        assert secret not in told


def test_a_thousand_lines_of_noise_are_survived(tmp_path: Path) -> None:
    generator = random.Random(7)
    path = tmp_path / "noise.env"
    path.write_text("".join(generator.choice(string.printable) for _ in range(30_000)), newline="")
    assert examine("prod", env_file=path, environ={}).errors
