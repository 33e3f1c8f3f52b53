"""Django's settings for the environment that DJANGO_ENV names.

The configuration is loaded once, here, so that manage.py, WSGI, ASGI and the tests reject an invalid one with the
same report. The files below are included in this order and share one scope, so a later file sees the names of the
earlier ones.
https://github.com/wemake-services/django-split-settings
"""

from __future__ import annotations

import os
import sys

from split_settings.tools import include

from todo_project.config import ENVIRONMENTS, ConfigurationError, load

ENVIRONMENT = os.environ.get("DJANGO_ENV", "")
if ENVIRONMENT not in ENVIRONMENTS:
    sys.exit(
        f"DJANGO_ENV is {ENVIRONMENT!r}, which is not an environment. "
        f"Set DJANGO_ENV to one of: {', '.join(ENVIRONMENTS)}."
    )
try:
    config = load(ENVIRONMENT)
except ConfigurationError as error:
    sys.exit(str(error))

include("base.py", f"{ENVIRONMENT}.py")
