"""Addresses of the operators' pages; /health/* is answered by middleware before any of this."""

from __future__ import annotations

from django.urls import path

from todo_project.ops.http import views

urlpatterns = [
    path("", views.start, name="start"),
    path("metrics", views.metrics, name="metrics"),
    path("self-test", views.self_test, name="self_test"),
    path("version", views.version, name="version"),
]
