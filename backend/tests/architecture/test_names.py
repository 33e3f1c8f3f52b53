"""A name stands for one thing in the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.architecture.source import modules, name_of, tree

# classes that Django finds by their name
SHARED = {"Command"}


def test_no_two_modules_define_a_class_with_the_same_name() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in modules():
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(name_of(path))
    shared = {name: places for name, places in found.items() if len(places) > 1}
    assert {name: places for name, places in shared.items() if name not in SHARED} == {}
    assert set(shared) == SHARED  # what is no longer shared leaves the list
