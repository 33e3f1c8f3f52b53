"""Development: everything visible, hot reload, nothing between an error and the person who made it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from todo_project.settings.base import INSTALLED_APPS, MIDDLEWARE

# https://github.com/adamchainz/django-watchfiles
if find_spec("django_watchfiles"):
    INSTALLED_APPS += ["django_watchfiles"]

# https://django-debug-toolbar.readthedocs.io/en/latest/installation.html
if find_spec("debug_toolbar"):
    INSTALLED_APPS += ["debug_toolbar"]
    DEBUG_TOOLBAR_CONFIG = {
        "SHOW_COLLAPSED": True,
        # Pages and its own panels, and never JSON: the toolbar reads that, so hostile JSON would fail in it.
        "SHOW_TOOLBAR_CALLBACK": lambda request: (
            (request.path == "/" or request.path.startswith(("/admin/", "/__debug__/")))
            and request.content_type != "application/json"
        ),
    }
    MIDDLEWARE.insert(
        MIDDLEWARE.index("whitenoise.middleware.WhiteNoiseMiddleware") + 1,
        "debug_toolbar.middleware.DebugToolbarMiddleware",
    )
