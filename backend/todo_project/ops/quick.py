"""Steps of a start that find little or nothing to do, without Django, whose import takes most of a start.

Each returns the line that it says, or nothing where it is not for it to say: then Django's command of the same name
does the step, tells what is wrong, and is right about all that is unusual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg

from todo_project import places
from todo_project.config import load
from todo_project.ops import known
from todo_project.ops.publishing import has_build, publish

if TYPE_CHECKING:
    from collections.abc import Iterable

CONNECT_TIMEOUT_SECONDS: Final = 3


def migrate_locked() -> str | None:
    """Say that nothing is to be migrated, if the database has all of this image's migrations."""
    values = load()
    database = values.DATABASE_DIRECT_URL or values.DATABASE_URL
    if not database["ENGINE"].endswith("postgresql"):
        return None
    try:
        applied = _applied(database)
    except psycopg.Error:
        return None
    return "nothing to migrate" if known.are_all_among(applied) else None


def _applied(database: dict[str, Any]) -> list[tuple[str, str]]:
    parts = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    given = {name: database[key] for name, key in parts.items() if database[key]}
    options = {"connect_timeout": CONNECT_TIMEOUT_SECONDS} | database.get("OPTIONS", {})
    with psycopg.connect(**given, **options, autocommit=True) as connection:
        rows: Iterable[tuple[str, str]] = connection.execute("SELECT app, name FROM django_migrations")
        return list(rows)


def collectstatic() -> str | None:
    """Publish the static files of this image's build."""
    if not has_build(places.STATIC_BUILD_DIR):
        return None
    try:
        return publish(build=places.STATIC_BUILD_DIR, root=places.STATIC_ROOT).told(places.STATIC_ROOT)
    except OSError:
        return None


STEPS: Final = {"migrate_locked": migrate_locked, "collectstatic --noinput": collectstatic}
