"""Files and functions stay small, and no rule is switched off without a reason."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.architecture.source import BACKEND, PACKAGE, commands, functions, modules, name_of, tree

FILE_MAX = 350  # lines that hold code
FUNCTION_MAX = 50
NESTING_MAX = 3
POSITIONAL_MAX = 4
EXCEPTIONS_PER_1000_LINES = 3
CONFIG_MAX = 1_700  # lines of config/ without schema.py, which grows with each variable
DEVSERVER_MAX = 80
FORBIDDEN_NAMES = {"utils", "helpers", "core", "managers", "util", "helper", "misc"}

OURS = [*modules(), *sorted(BACKEND.glob("*.py")), *commands()]
TESTS = modules(BACKEND / "tests")
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
_EXCEPTION = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma: no)")
# a code in brackets or after a colon, and then why
_EXPLAINED = re.compile(
    r"#\s*(?:noqa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*|type: ignore\[[a-z-]+(?:, ?[a-z-]+)*\])\s*(?:- |# |\().{3,}"
)


def code_lines(path: Path) -> int:
    """Return the number of lines of code, without empty lines, comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                lines -= set(range(value.lineno, (value.end_lineno or value.lineno) + 1))
    return len(lines - {0})


def nesting(node: ast.AST, depth: int = 0) -> int:
    """Return the nesting depth of a function; `elif` is no deeper than its `if`."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        deeper = isinstance(child, _BLOCKS) and not (is_elif and len(node.orelse) == 1)
        deepest = max(deepest, nesting(child, depth + deeper))
    return deepest


@pytest.mark.parametrize("path", [*OURS, *TESTS], ids=name_of)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= FILE_MAX or code_lines(path) <= FILE_MAX  # the second takes longer


def test_configuration_and_development_server_stay_small() -> None:
    config = [path for path in modules(PACKAGE / "config") if path.name != "schema.py"]
    assert sum(path.read_text(encoding="utf-8").count("\n") for path in config) <= CONFIG_MAX
    assert (BACKEND / "devserver.py").read_text(encoding="utf-8").count("\n") <= DEVSERVER_MAX


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_functions_are_small(path: Path) -> None:
    for function in functions(tree(path)):
        where = f"{function.name} at line {function.lineno}"
        assert (function.end_lineno or 0) - function.lineno < FUNCTION_MAX, where
        assert nesting(function) <= NESTING_MAX, where
        names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
        own = [name for name in names if name not in {"self", "cls"}]
        assert len(own) <= POSITIONAL_MAX, where


def test_rules_are_switched_off_rarely() -> None:
    lines = [line for path in modules() for line in path.read_text(encoding="utf-8").splitlines()]
    for kind in ("noqa", "type: ignore"):
        count = sum(f"# {kind}" in line for line in lines)
        assert count <= EXCEPTIONS_PER_1000_LINES * len(lines) / 1000, kind


def test_rules_are_switched_off_for_a_reason() -> None:
    bare = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in OURS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _EXCEPTION.search(line) and not _EXPLAINED.search(line)
    ]
    assert bare == []


def test_no_module_is_named_for_nothing() -> None:
    assert [name_of(path) for path in modules() if path.stem in FORBIDDEN_NAMES] == []
    assert [str(path) for path in PACKAGE.rglob("*") if path.is_dir() and path.name in FORBIDDEN_NAMES] == []
