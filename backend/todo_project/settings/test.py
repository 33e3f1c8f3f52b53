"""Tests: fast hashing, files in memory, nothing that leaves the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from todo_project.settings.base import STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["default"] = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
# A checkout has no collected files, which WhiteNoise would warn about at start.
WHITENOISE_AUTOREFRESH = True
