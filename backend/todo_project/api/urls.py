"""The OpenAPI document and the page that shows it."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from todo_project.api.document import docs, openapi

urlpatterns = [
    path("api/openapi.json", openapi, name="schema"),
    path("api/docs/", docs, name="docs"),
    path("api/docs", RedirectView.as_view(pattern_name="docs")),
]
