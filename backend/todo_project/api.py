"""The API's table of contents: one line per app, and its schema."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("v1/", include("todo_project.todos.api.urls")),
    path("v1/", include("todo_project.accounts.api.urls")),
    path("v1/", include("todo_project.imports.api.urls")),
    path(
        "openapi.json",
        SpectacularJSONAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="schema",
    ),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(authentication_classes=[], permission_classes=[], url_name="schema"),
        name="docs",
    ),
    path("docs", RedirectView.as_view(pattern_name="docs")),
]
