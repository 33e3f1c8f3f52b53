"""Steps of a start that find little or nothing to do, without Django, whose import takes most of a start.

Each returns the line that it says, or nothing where it is not for it to say: then Django's command of the same name
does the step, tells what is wrong, and is right about all that is unusual.
"""

from __future__ import annotations

from typing import Final

import psycopg

from todo_project.config import paths
from todo_project.ops.startup import known
from todo_project.ops.startup.connecting import connect
from todo_project.ops.startup.publishing import has_build, publish

CONNECT_TIMEOUT_SECONDS: Final = 3


def migrate_locked() -> str | None:
    """Say that nothing is to be migrated, if the database has all of this image's migrations."""
    try:
        connection = connect(connect_timeout=CONNECT_TIMEOUT_SECONDS)
        if connection is None:
            return None
        with connection:
            applied = connection.execute("SELECT app, name FROM django_migrations").fetchall()
    except psycopg.Error:
        return None
    return "nothing to migrate" if known.are_all_among(applied) else None


def collectstatic() -> str | None:
    """Publish the static files of this image's build."""
    if not has_build(paths.STATIC_BUILD_DIR):
        return None
    try:
        return publish(build=paths.STATIC_BUILD_DIR, root=paths.STATIC_ROOT).told(paths.STATIC_ROOT)
    except OSError:
        return None


STEPS: Final = {"migrate_locked": migrate_locked, "collectstatic --noinput": collectstatic}
