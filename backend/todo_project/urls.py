"""The root URL configuration: the API, the admin, and the pages for operators."""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from todo_project.accounts.api import urls as accounts
from todo_project.api import urls as api
from todo_project.comments.api import urls as comments
from todo_project.imports.api import urls as imports
from todo_project.notifications.api import urls as notifications
from todo_project.notifications.api.views import Unsubscribe
from todo_project.quick_add.api import urls as quick_add
from todo_project.search.api import urls as search
from todo_project.todos.api import urls as todos

handler400 = "todo_project.api.problems.bad_request"
handler403 = "todo_project.api.problems.permission_denied"
handler404 = "todo_project.api.problems.not_found"
handler500 = "todo_project.api.problems.server_error"

# Listed here rather than with include(), which adds a level to the resolution of every request.
_RESOURCES = (
    *todos.urlpatterns,
    *accounts.urlpatterns,
    *comments.urlpatterns,
    *imports.urlpatterns,
    *notifications.urlpatterns,
    *quick_add.urlpatterns,
    *search.urlpatterns,
)

urlpatterns = [
    *(path(f"api/v1/{each.pattern}", each.callback, each.default_args, each.name) for each in _RESOURCES),
    *api.urlpatterns,
    path("admin/", admin.site.urls),
    path("", include("todo_project.ops.urls")),
    path("unsubscribe", csrf_exempt(Unsubscribe.as_view())),  # from a mail program, which has no CSRF token
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
]

if settings.DEBUG and find_spec("debug_toolbar"):
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()
