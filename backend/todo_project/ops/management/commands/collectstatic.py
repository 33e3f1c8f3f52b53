"""Publish the image's static files if it has any; otherwise collect them as Django does."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.management.base import CommandError

from todo_project.ops.startup.commands import StartCommand
from todo_project.ops.startup.publishing import has_build, publish

logger = logging.getLogger(__name__)


class Command(StartCommand, collectstatic.Command):
    help = "Publish this build's static files into STATIC_ROOT, or collect them if nothing was built."

    def handle(self, **options: Any) -> None:
        root = Path(str(settings.STATIC_ROOT))
        build = settings.STATIC_BUILD_DIR
        try:
            if not has_build(build):
                logger.info("%s", (super().handle(**options) or "").strip())
            elif options["dry_run"]:
                logger.info("would publish the static files of %s into %s", build, root)
            else:
                logger.info("%s", publish(build=build, root=root))
        except OSError as error:
            uid = os.getuid()
            raise CommandError(
                f"User {uid} could not write the static files into {root}: {error}. "
                f"Give the folder to this user (chown -R {uid} {root}), then start again."
            ) from error
