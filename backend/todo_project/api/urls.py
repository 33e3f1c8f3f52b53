"""The OpenAPI document and the page that shows it."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from todo_project.api.document import openapi

urlpatterns = [
    path("api/openapi.json", openapi, name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(authentication_classes=[], permission_classes=[], url_name="schema"),
        name="docs",
    ),
    path("api/docs", RedirectView.as_view(pattern_name="docs")),
]
