"""Tells which migrations this image has, so that it is not given a database from a newer release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.db.migrations.loader import MigrationLoader

from todo_project.config import paths
from todo_project.ops.startup import known

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Asks no database."""

    help = "Print the name of every migration of this release, app.name a line."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the image's build asks for."""
        parser.add_argument("--keep", action="store_true", help=f"write them to {paths.MIGRATIONS} instead")

    def handle(self, **options: Any) -> str:
        """List what is on the disk, squashed ones too."""
        loader = MigrationLoader(None)
        names = sorted(f"{app}.{name}" for app, name in loader.disk_migrations)
        if options["keep"]:
            known.keep(names)
            return f"{len(names)} migrations noted in {paths.MIGRATIONS}"
        return "\n".join(names)
