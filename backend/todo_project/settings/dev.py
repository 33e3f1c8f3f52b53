"""Development: hot reload, and the debug toolbar if it is installed."""

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
        # Only for pages and its own panels. Not for JSON bodies, which the toolbar parses and may fail on.
        "SHOW_TOOLBAR_CALLBACK": lambda request: (
            (request.path == "/" or request.path.startswith(("/admin/", "/__debug__/")))
            and request.content_type != "application/json"
        ),
    }
    MIDDLEWARE.insert(
        MIDDLEWARE.index("whitenoise.middleware.WhiteNoiseMiddleware") + 1,
        "debug_toolbar.middleware.DebugToolbarMiddleware",
    )
