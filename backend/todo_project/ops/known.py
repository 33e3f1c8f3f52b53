"""Which migrations this image has, by the list that its build made: to compare it with a database imports none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from todo_project import places

if TYPE_CHECKING:
    from collections.abc import Collection


def are_all_among(applied: Collection[tuple[str, str]]) -> bool:
    """Return whether an image's migrations are all among these (app, name) of a database.

    False where nothing was built (a checkout), and where a squashed migration stands for others that were applied:
    then Django has to say.
    """
    try:
        names = places.MIGRATIONS.read_text(encoding="utf-8").split()
    except OSError:
        return False
    return bool(names) and {f"{app}.{name}" for app, name in applied}.issuperset(names)
