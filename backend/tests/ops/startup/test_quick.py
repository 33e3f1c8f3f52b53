"""What a start can say without Django, and what it leaves to Django's commands."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tests.ops.startup.test_staticfiles import make_build
from todo_project.config import paths
from todo_project.ops.startup import connecting, known, quick
from todo_project.ops.startup.database import pending_migrations

BACKEND = Path(__file__).resolve().parents[3]


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The list of an image that has the migrations of this checkout."""
    path = tmp_path / "migrations"
    monkeypatch.setattr(paths, "MIGRATIONS", path)
    call_command("known_migrations", "--keep", stdout=StringIO())
    return path


def configured(monkeypatch: pytest.MonkeyPatch, *, direct: Any = None, **other: Any) -> None:
    given = {name: connection.settings_dict[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    database = given | {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {}} | other
    values = SimpleNamespace(DATABASE_URL=database, DATABASE_DIRECT_URL=direct)
    monkeypatch.setattr(connecting, "load", lambda: values)


@pytest.mark.postgres
class TestMigrations:
    def test_nothing_is_to_be_done_where_the_database_has_them_all(
        self, db: None, image: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configured(monkeypatch, OPTIONS={"application_name": "start", "pool": True})
        assert quick.migrate_locked() == "nothing to migrate"

    def test_django_is_asked_where_one_is_missing(
        self, db: None, image: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configured(monkeypatch)
        known.keep(["todos.0001_initial", "todos.9999_of_tomorrow"])
        assert quick.migrate_locked() is None

    @pytest.mark.parametrize("text", ["", None, "todos.0001_initial"])
    def test_django_is_asked_where_none_is_known(
        self, db: None, image: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
    ) -> None:
        configured(monkeypatch)
        image.unlink() if text is None else image.write_text(text)
        assert quick.migrate_locked() is None

    @pytest.mark.parametrize("changed", ["code/todos/migrations/9999_mine.py", "packages/mine-1.0.dist-info"])
    def test_django_is_asked_in_an_image_that_somebody_has_made_of_this_one(
        self, db: None, image: Path, monkeypatch: pytest.MonkeyPatch, changed: str
    ) -> None:
        configured(monkeypatch)
        for folder in ("code/todos/migrations", "packages"):
            (image.parent / folder).mkdir(parents=True)
        monkeypatch.setattr(paths, "CODE", image.parent / "code")
        monkeypatch.setattr(known.sysconfig, "get_path", lambda _: str(image.parent / "packages"))
        known.keep(["todos.0001_initial"])
        assert quick.migrate_locked() == "nothing to migrate"
        (image.parent / changed).touch()
        assert quick.migrate_locked() is None

    def test_django_is_asked_where_the_settings_are_somebody_elses(
        self, db: None, image: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configured(monkeypatch)
        monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
        assert quick.migrate_locked() == "nothing to migrate"
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mine.settings")
        assert quick.migrate_locked() is None

    @pytest.mark.parametrize(
        "other", [{"PORT": 1}, {"NAME": "nobody_made_it"}, {"OPTIONS": {"sslmode": "verify-full"}}], ids=str
    )
    def test_django_tells_what_is_wrong_with_the_database(
        self, db: None, image: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
    ) -> None:
        configured(monkeypatch, **other)
        assert quick.migrate_locked() is None

    def test_django_makes_the_first_table(self, db: None, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        configured(monkeypatch, NAME="postgres")
        assert quick.migrate_locked() is None

    def test_the_way_past_a_pooler_is_taken(self, db: None, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        configured(monkeypatch)
        direct = connecting.load().DATABASE_URL
        configured(monkeypatch, direct=direct, PORT=1)
        assert quick.migrate_locked() == "nothing to migrate"


def test_sqlite_is_left_to_django(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, ENGINE="django.db.backends.sqlite3")
    assert quick.migrate_locked() is None


def test_no_migration_is_read_where_the_database_has_them_all(
    db: None, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("todo_project.ops.startup.database.MigrationLoader", None)
    assert pending_migrations(connection) == []


def test_a_migration_that_only_the_image_has_is_pending(db: None, image: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'todos' AND name LIKE '0002%'")
    assert pending_migrations(connection) == ["todos.0002_task_open"]


class TestStaticFiles:
    def test_are_published(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(paths, "STATIC_BUILD_DIR", make_build(tmp_path, "one", {"a.css": "a"}))
        monkeypatch.setattr(paths, "STATIC_ROOT", tmp_path / "volume")
        said = quick.collectstatic()
        assert (
            said == f"static files of build one published into {tmp_path}/volume: 1 copied, 0 unchanged, 0 pruned"
        )
        assert (tmp_path / "volume/a.css").read_text() == "a"

    def test_are_left_to_django_where_none_were_built(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(paths, "STATIC_BUILD_DIR", tmp_path / "nothing")
        assert quick.collectstatic() is None

    def test_that_cannot_be_published_are_left_to_django(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "volume").touch()
        monkeypatch.setattr(paths, "STATIC_BUILD_DIR", make_build(tmp_path, "one", {"a.css": "a"}))
        monkeypatch.setattr(paths, "STATIC_ROOT", tmp_path / "volume")
        assert quick.collectstatic() is None


def test_a_step_that_can_be_quick_imports_no_django(tmp_path: Path) -> None:
    build = make_build(tmp_path, "one", {"a.css": "a"})
    program = (
        "import sys; from pathlib import Path; from todo_project.config import paths; import steps; "
        f"paths.STATIC_BUILD_DIR = Path({str(build)!r}); paths.STATIC_ROOT = Path({str(tmp_path / 'volume')!r}); "
        "status = steps.main('check', 'collectstatic --noinput'); "
        "sys.exit(status or 'django.apps' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=BACKEND,
        env={"PATH": os.environ["PATH"], "DJANGO_ENV": "test"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 copied" in done.stderr
