"""What the tests of the log begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from todo_project.todos.models import Change


@contextmanager
def logged() -> Iterator[Callable[[], list[Change]]]:
    """Yield a function that returns the rows of the log that were written since the block began."""
    last = Change.objects.newest_first().values_list("id", flat=True).first() or 0
    yield lambda: list(Change.objects.filter(id__gt=last).order_by("id"))


def brief(rows: list[Change]) -> list[tuple[str, str]]:
    """Return the kind and the action of each row."""
    return [(row.kind, row.action) for row in rows]
