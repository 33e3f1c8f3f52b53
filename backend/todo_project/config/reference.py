"""Write docs/configuration.md: introduction.md beside this file, and a table of the schema."""

from __future__ import annotations

from pathlib import Path

from todo_project.config.environments import ENVIRONMENTS
from todo_project.config.paths import BASE_DIR
from todo_project.config.schema import VARIABLES
from todo_project.config.variable import Derived, Variable

PATH = BASE_DIR.parent / "docs" / "configuration.md"


def page() -> str:
    """Return docs/configuration.md."""
    parts = [Path(__file__).with_name("introduction.md").read_text(encoding="utf-8")]
    for group in dict.fromkeys(row.group for row in VARIABLES):
        parts.append(f"\n### {group}\n")
        parts.append("| variable | type | default | read by | |\n| --- | --- | --- | --- | --- |")
        parts += [_row(row) for row in VARIABLES if row.group == group]
    return "\n".join(parts) + "\n"


def _row(row: Variable) -> str:
    name = f"`{row.name}`" + (" (secret)" if row.secret else "")
    cells = [name, _type(row), _default(row), row.reader, row.doc]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(row: Variable) -> str:
    if row.choices:
        return ", ".join(f"`{choice}`" for choice in row.choices)
    if row.minimum is not None:
        return f"{row.kind} {row.minimum}–{row.maximum}"
    return row.kind.replace("_", " ")


def _default(row: Variable) -> str:
    grouped: dict[str, list[str]] = {}
    for env in ENVIRONMENTS:
        grouped.setdefault(_cell(row, env), []).append(env)
    if len(grouped) == 1:
        return next(iter(grouped))
    return "; ".join(f"{', '.join(envs)}: {text}" for text, envs in grouped.items())


def _cell(row: Variable, env: str) -> str:
    default = row.default_in(env)
    if isinstance(default, Derived):
        return default.text + (", or **required**" if row.required else "")
    if default is not None:
        return "a throw-away key" if row.kind == "secret_key" else f"`{default}`"
    return "**required**" if row.required else "none"
