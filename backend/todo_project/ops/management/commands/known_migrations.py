"""Tells which migrations this image has, so that it is not given a database from a newer release."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db.migrations.loader import MigrationLoader


class Command(BaseCommand):
    """Asks no database."""

    help = "Print the name of every migration of this release, app.name a line."
    requires_system_checks = ()
    requires_migrations_checks = False

    def handle(self, **options: Any) -> str:
        """List what is on the disk, squashed ones too."""
        loader = MigrationLoader(None)
        return "\n".join(sorted(f"{app}.{name}" for app, name in loader.disk_migrations))
