"""The API's table of contents: one line per app, and its schema."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from todo_project.accounts.api import urls as accounts
from todo_project.imports.api import urls as imports
from todo_project.todos.api import urls as todos

# Not by `include`, which has Django make a match for each level of each request.
_RESOURCES = (*todos.urlpatterns, *accounts.urlpatterns, *imports.urlpatterns)
urlpatterns = [
    *(path(f"api/v1/{each.pattern}", each.callback, each.default_args, each.name) for each in _RESOURCES),
    path(
        "api/openapi.json",
        SpectacularJSONAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="schema",
    ),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(authentication_classes=[], permission_classes=[], url_name="schema"),
        name="docs",
    ),
    path("api/docs", RedirectView.as_view(pattern_name="docs")),
]
