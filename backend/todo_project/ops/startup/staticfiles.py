"""The static files storage: hashed names, from the manifest of the image's build if there is one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from todo_project.ops.startup.publishing import has_build


class BuildManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Hashed and compressed files, with the manifest of the image's build if there is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Read the manifest from the build; during the build itself it is beside the files."""
        if has_build(settings.STATIC_BUILD_DIR):
            kwargs.setdefault("manifest_storage", StaticFilesStorage(location=settings.STATIC_BUILD_DIR))
        super().__init__(*args, **kwargs)
