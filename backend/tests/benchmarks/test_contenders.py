from __future__ import annotations

import json
import subprocess
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from django.apps import apps

from benchmarks.__main__ import check_programs
from benchmarks.contenders import BACKEND, CONTENDERS, FASTAPI, Contender
from benchmarks.ids import uuid7
from benchmarks.processes import ToolMissing
from todo_project.api import pagination

ID = uuid.UUID("019aaaaa-0000-7000-8000-000000000001")


def fastapi_result(program: str) -> object:
    """Run a program with the packages of FastAPI and read the JSON that it prints."""
    python = next(row.command[0] for row in CONTENDERS if row.name == FASTAPI)
    if not Path(python).exists():
        pytest.skip("the packages of FastAPI are not installed; `make bench` installs them")
    done = subprocess.run([python, "-c", program], cwd=BACKEND, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda row: row.name)
def test_a_contender_listens_on_the_port_that_it_is_given(contender: Contender) -> None:
    assert any("49152" in part for part in contender.command_on(49152))


def test_a_contender_that_is_not_installed_is_named_with_the_way_to_get_it() -> None:
    absent = replace(CONTENDERS[-1], command=("/nowhere/python",))
    with pytest.raises(ToolMissing, match=r"fastapi .*/nowhere/python.*make bench"):
        check_programs([*CONTENDERS[:-1], absent])


def test_new_ids_are_of_version_7_and_in_order() -> None:
    first, second = uuid7(), uuid7()
    assert (first.version, first.variant) == (7, uuid.RFC_4122)
    assert first.int >> 80 <= second.int >> 80


def test_fastapi_knows_the_columns_as_they_are() -> None:
    mapped = fastapi_result(
        "import json; from benchmarks.fastapi_sqlalchemy.models import Base; "
        "print(json.dumps({table.name: {column.name: column.nullable for column in table.columns} "
        "for table in Base.metadata.sorted_tables}))"
    )
    models = {model._meta.db_table: model for model in apps.get_models()}
    assert isinstance(mapped, dict)
    assert len(mapped) == 8
    for table, columns in mapped.items():
        ours = {field.column: field.null for field in models[table]._meta.concrete_fields}
        assert columns.items() <= ours.items(), table


def test_fastapi_gives_the_same_cursors_and_reads_them() -> None:
    cursor, read = fastapi_result(
        "import json, uuid; from benchmarks.fastapi_sqlalchemy import pagination as p; "
        f"cursor = p.encode(uuid.UUID('{ID}')); print(json.dumps([cursor, str(p.decode(cursor))]))"
    )
    assert cursor == pagination.encode(ID)
    assert read == str(ID)


def test_fastapi_refuses_other_cursors() -> None:
    others = ["", "x", "!", "é", "bnVsbA", "WzFd", "W10", "WyJ4Il0"]
    statuses = fastapi_result(
        "import fastapi, json; from benchmarks.fastapi_sqlalchemy import pagination as p\n"
        "def status(cursor):\n"
        "    try: return str(p.decode(cursor))\n"
        "    except fastapi.HTTPException as error: return error.status_code\n"
        f"print(json.dumps([status(cursor) for cursor in {others!r}]))"
    )
    assert statuses == [400] * len(others)
