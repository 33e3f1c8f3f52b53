"""docs/architecture.md names every module once."""

from __future__ import annotations

import re

from tests.architecture.source import PACKAGE, REPOSITORY, modules

PAGE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")


def named() -> list[str]:
    """Return the modules that the page names, as paths in the package."""
    found = []
    folder = None
    for line in PAGE.splitlines():
        if heading := re.match(r"#+ (?:`([a-z_/]+)/`)?", line):
            folder = heading[1]
        elif folder and (module := re.match(r"- `(\w+\.py)`: \S", line)):
            found.append(f"{folder}/{module[1]}".removeprefix("todo_project/"))
    return found


def test_every_module_is_named_once() -> None:
    existing = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if path.name != "__init__.py" or "import" in path.read_text(encoding="utf-8")
    }
    optional = {str(path.relative_to(PACKAGE)) for path in modules() if path.name == "__init__.py"}
    page = named()
    assert sorted(page) == sorted(set(page)), "named twice"
    assert existing - set(page) == set(), "docs/architecture.md has no line for these"
    assert set(page) - existing - optional == set(), "docs/architecture.md names these, and they do not exist"
