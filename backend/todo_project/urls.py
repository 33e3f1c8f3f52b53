"""The doors of the service: the API, the admin, and what operators look at."""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from todo_project import api

handler400 = "todo_project.common.api.errors.bad_request"
handler403 = "todo_project.common.api.errors.permission_denied"
handler404 = "todo_project.common.api.errors.not_found"
handler500 = "todo_project.common.api.errors.server_error"

urlpatterns = [
    *api.urlpatterns,
    path("admin/", admin.site.urls),
    path("", include("todo_project.ops.urls")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
]

if settings.DEBUG and find_spec("debug_toolbar"):
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()
