"""Tests: fast password hashing, and files in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from todo_project.settings.base import STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["default"] = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
# Without this, WhiteNoise warns at the start that a checkout has no collected static files.
WHITENOISE_AUTOREFRESH = True
