"""List the migrations of this image, so that deploy/backup does not give it a database of a newer release."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from todo_project.ops.startup.database import migration_files


class Command(BaseCommand):
    help = "Print the name of every migration of this release, app.name a line. It needs no database."
    requires_system_checks = ()
    requires_migrations_checks = False

    def handle(self, **options: Any) -> str:
        return "\n".join(sorted(f"{app}.{name}" for app, name in migration_files()))
