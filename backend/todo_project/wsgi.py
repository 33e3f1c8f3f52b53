"""The WSGI application. It has no default environment: DJANGO_ENV must name one."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
os.environ.setdefault("DATABASE_THROUGH_POOLER", "True")

application = get_wsgi_application()
