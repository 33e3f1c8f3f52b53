"""How the OpenAPI document is served."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from unittest import mock

import pytest
from django.test import Client

from todo_project.api import document

PATH = "/api/openapi.json"


@pytest.fixture
def client() -> Client:
    return Client()


def test_it_is_built_once(client: Client) -> None:
    first = client.get(PATH).content
    with mock.patch("drf_spectacular.generators.SchemaGenerator.get_schema", side_effect=AssertionError):
        assert client.get(PATH).content == first


def test_threads_do_not_build_it_together() -> None:
    built: list[int] = []
    with ThreadPoolExecutor() as threads:
        others = []

        def build(*_: object, **__: object) -> dict[str, str]:
            built.append(1)
            if len(built) == 1:
                others.append(threads.submit(document.document))
                wait(others, timeout=0.05)  # long enough to begin; it ends after this one has built the document
            return {"openapi": "3.1"}

        document._built.clear()
        with mock.patch("drf_spectacular.generators.SchemaGenerator.get_schema", side_effect=build):
            assert document.document() == others[0].result()
    document._built.clear()
    assert built == [1]


_IN_CHILD = """
import django, sys
django.setup()
from django.urls import get_resolver
from todo_project.api.document import document
get_resolver().url_patterns
print(document(in_child=True).tag, document().tag, "drf_spectacular.generators" in sys.modules)
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: pytest has threads and has imported everything."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "todo_project.settings"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_child_process_builds_the_same_document_without_importing_the_generator_into_the_server() -> None:
    done = python(_IN_CHILD)
    assert done.returncode == 0, done.stderr
    tag = document.document().tag
    assert done.stdout.split() == [tag, tag, "False"]


def test_a_failure_in_the_child_process_is_a_failure_here() -> None:
    done = python(
        _IN_CHILD.replace("print(", "import drf_spectacular.generators as g; del g.SchemaGenerator; print(")
    )
    assert done.returncode == 1
    assert "ImportError" in done.stderr
    assert "EOFError" in done.stderr


@pytest.mark.parametrize(("limit", "name"), [("maxLength", "position"), ("maxItems", "labels")])
def test_only_what_a_client_sends_is_limited_in_length(client: Client, limit: str, name: str) -> None:
    schemas = client.get(PATH).json()["components"]["schemas"]
    assert limit in schemas["TaskRequest"]["properties"][name]
    assert limit not in schemas["Task"]["properties"][name]


def test_it_is_small(client: Client) -> None:
    plain = client.get(PATH)
    operations = sum(len(methods) for methods in plain.json()["paths"].values())
    assert len(plain.content) < 3_300 * operations
    assert len(client.get(PATH, headers={"Accept-Encoding": "gzip"}).content) < 330 * operations


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.8", "*", "GZIP"])
def test_it_is_compressed_for_whom_accepts_that(client: Client, accepted: str) -> None:
    plain, packed = client.get(PATH), client.get(PATH, headers={"Accept-Encoding": accepted})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert packed["ETag"] != plain["ETag"]
    assert "accept-encoding" in packed["Vary"].lower()


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity"])
def test_it_is_plain_for_everybody_else(client: Client, accepted: str) -> None:
    answer = client.get(PATH, headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer
    assert answer.json()["openapi"].startswith("3.1")
    assert "accept-encoding" in answer["Vary"].lower()


@pytest.mark.parametrize("accepted", ["", "gzip"])
def test_who_holds_it_gets_a_304(client: Client, accepted: str) -> None:
    headers = {"Accept-Encoding": accepted}
    tag = client.get(PATH, headers=headers)["ETag"]
    assert not tag.startswith("W/")
    answer = client.get(PATH, headers=headers | {"If-None-Match": tag})
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
    assert "max-age" in answer["Cache-Control"]
    assert client.get(PATH, headers=headers | {"If-None-Match": '"other"'}).status_code == 200


def test_it_is_read_only(client: Client) -> None:
    assert client.head(PATH).status_code == 200
    assert client.post(PATH).status_code == 405
