"""The application for WSGI servers. DJANGO_ENV has no default here: a server must name its environment."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
os.environ.setdefault("DATABASE_THROUGH_POOLER", "True")

application = get_wsgi_application()
