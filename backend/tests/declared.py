"""Compares every response that a test sees with the OpenAPI document: clients are generated from it."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from django.test import override_settings
from django.urls import Resolver404, get_resolver

_CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")
_METHOD_NOT_ALLOWED = 405


@functools.cache
def _operations() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the operations of the document by method and path, also for a test that has URLs of its own."""
    from todo_project.api.document import document

    with override_settings(ROOT_URLCONF="todo_project.urls"):
        paths = json.loads(document().plain)["paths"]
    return {(method.upper(), path): each for path, methods in paths.items() for method, each in methods.items()}


def undeclared(method: str, path: str, status: int) -> str | None:
    """Return what is wrong if the document describes the operation, but not this status."""
    try:
        route = get_resolver().resolve(path).route
    except Resolver404:
        return None
    template = "/" + _CONVERTED.sub(r"{\1}", route)
    found = _operations().get((method.replace("HEAD", "GET"), template))
    if found is None or status == _METHOD_NOT_ALLOWED or str(status) in found["responses"]:
        return None
    return f"{method} {template} ({found['operationId']}) does not declare the status {status}"
