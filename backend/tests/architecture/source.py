"""Our own source, as text and as syntax trees, for the tests of the architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[2]
REPOSITORY = BACKEND.parent
PACKAGE = BACKEND / "todo_project"
DEPLOY = REPOSITORY / "deploy"


def modules(below: Path = PACKAGE) -> list[Path]:
    """Yield our own modules, without migrations."""
    return sorted(path for path in below.rglob("*.py") if "migrations" not in path.parts)


def commands() -> list[Path]:
    """Yield the Python files under deploy/: modules, and commands without a suffix."""
    files = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [
        path for path in files if path.suffix == ".py" or path.read_bytes().startswith(b"#!/usr/bin/env python3")
    ]


def tree(path: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(module: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method, nested ones too."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name_of(path: Path) -> str:
    """Return the module's path relative to the repository."""
    return str(path.relative_to(BACKEND if path.is_relative_to(BACKEND) else REPOSITORY))
