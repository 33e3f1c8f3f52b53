"""Staging: production in all but values."""

from __future__ import annotations

from split_settings.tools import include

include("prod.py")
