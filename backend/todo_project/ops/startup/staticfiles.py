"""Static files as pages name them: with hashed names, by the manifest of the image's build where there is one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from todo_project.ops.startup.publishing import has_build


class BuildManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Hashed and compressed files whose manifest comes from the image when there is a build in it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Point the manifest at the build; without one (while building) it lies beside the files."""
        if has_build(settings.STATIC_BUILD_DIR):
            kwargs.setdefault("manifest_storage", StaticFilesStorage(location=settings.STATIC_BUILD_DIR))
        super().__init__(*args, **kwargs)
