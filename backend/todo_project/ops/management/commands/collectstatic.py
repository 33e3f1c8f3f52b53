"""Publishes the image's static files where there are any; otherwise it is Django's own command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.management.base import CommandError

from todo_project.ops.startup.publishing import has_build, publish


class Command(collectstatic.Command):
    """Brings STATIC_BUILD_DIR into STATIC_ROOT."""

    help = "Publish this build's static files into STATIC_ROOT, or collect them when nothing was built."

    def handle(self, **options: Any) -> str | None:
        """Compare bytes, copy what differs, prune what only long-gone releases needed."""
        build = settings.STATIC_BUILD_DIR
        if not has_build(build):
            return super().handle(**options)
        root = Path(str(settings.STATIC_ROOT))
        if options["dry_run"]:
            return f"would publish {build} into {root}"
        try:
            return publish(build=build, root=root).told(root)
        except OSError as error:
            raise CommandError(f"The static files could not be published into {root}: {error}") from error
