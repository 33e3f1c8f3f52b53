"""The URL patterns of the search."""

from __future__ import annotations

from django.urls import path

from todo_project.search.api import views

urlpatterns = [path("search", views.Search.as_view(), name="search")]
