"""The ceiling: what is left when everything is taken away but HTTP, one statement, and the answer's bytes.

A bare WSGI callable on the same gunicorn. It authenticates the caller in the database like the others and sends the
same answers to the requests that are measured. It checks no other input, so nobody should run it as a service.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Any, LiteralString
from urllib.parse import parse_qs

import psycopg

from benchmarks.ceiling import statements
from benchmarks.ids import uuid7

Environ = dict[str, Any]
Answer = tuple[str, bytes, list[tuple[str, str]]]

_LIMIT = 50
_TASKS = "/api/v1/tasks"
_NOT_FOUND: Answer = ("404 Not Found", b"{}", [])
_REFUSED: Answer = ("401 Unauthorized", b"{}", [("WWW-Authenticate", "Bearer")])
_FORBIDDEN: Answer = ("403 Forbidden", b"{}", [])

_connections: list[psycopg.Connection] = []  # one for each worker, made after the fork


def application(environ: Environ, start_response: Callable[..., object]) -> list[bytes]:
    """Answer one request."""
    path = environ["PATH_INFO"]
    headers: list[tuple[str, str]]
    if path == "/health/live":
        status, body, headers = "200 OK", b'{"status": "ok"}', []
    elif path == _TASKS:
        status, body, headers = _create(environ) if environ["REQUEST_METHOD"] == "POST" else _list(environ)
    elif path in _OTHERS:
        status, body, headers = _OTHERS[path](environ)
    elif path.endswith("/complete"):
        status, body, headers = _complete(environ, path[len(_TASKS) + 1 : -len("/complete")])
    else:
        status, body, headers = _one(environ, path[len(_TASKS) + 1 :])
    if body:
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


def _list(environ: Environ) -> Answer:
    query = environ["QUERY_STRING"]
    if "filter=" in query:
        statement = statements.FILTERED
    else:
        statement = statements.SORTED if "sort=" in query else statements.LIST
    refusal, body, _ = _run(statement, environ, limit=_LIMIT)
    return refusal or ("200 OK", body, [])


def _search(environ: Environ) -> Answer:
    word = parse_qs(environ["QUERY_STRING"])["q"][0]
    refusal, body, _ = _run(statements.SEARCH, environ, word=word, pattern=f"%{word}%", limit=_LIMIT)
    return refusal or ("200 OK", body, [])


def _overview(environ: Environ) -> Answer:
    refusal, body, _ = _run(statements.OVERVIEW, environ)
    return refusal or ("200 OK", body, [])


_OTHERS: dict[str, Callable[[Environ], Answer]] = {"/api/v1/search": _search, "/api/v1/overview": _overview}


def _one(environ: Environ, task_id: str) -> Answer:
    held = environ.get("HTTP_IF_NONE_MATCH", "")[1:-1]
    refusal, body, version = _run(statements.ONE, environ, id=task_id, held=int(held) if held else -1)
    if refusal:
        return refusal
    tag = [("ETag", f'"{version}"')]
    return ("200 OK", body, tag) if body else ("304 Not Modified", b"", tag)


def _create(environ: Environ) -> Answer:
    given = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    refusal, body, _ = _run(
        statements.CREATE,
        environ,
        id=uuid7(),
        now=dt.datetime.now(dt.UTC),
        title=given["title"],
        description=given.get("description", ""),
        priority=given.get("priority", 0),
        labels=given.get("labels", []),
        due=(given.get("due") or {}).get("date"),
    )
    return refusal or ("201 Created", body, [("ETag", '"1"')])


def _complete(environ: Environ, task_id: str) -> Answer:
    refusal, body, version = _run(statements.COMPLETE, environ, id=task_id, now=dt.datetime.now(dt.UTC))
    return refusal or ("200 OK", body, [("ETag", f'"{version}"')])


def _run(statement: LiteralString, environ: Environ, **values: Any) -> tuple[Answer | None, bytes, int]:
    """Run a statement for the request's caller: a refusal, or the JSON text and the version."""
    if not _connections:
        _connections.append(psycopg.connect(autocommit=True))
    token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    values["digest"] = hashlib.sha256(token.encode()).hexdigest()
    cursor = _connections[0].execute(statement, values, prepare=True, binary=True)
    is_known, is_allowed, body, version = cursor.fetchone() or (False, False, None, 0)
    if not is_known:
        return _REFUSED, b"", 0
    if not is_allowed:
        return _FORBIDDEN, b"", 0
    return (_NOT_FOUND, b"", 0) if body is None else (None, body, version)
