"""Staging: the same settings as production, with other values."""

from __future__ import annotations

from split_settings.tools import include

include("prod.py")
