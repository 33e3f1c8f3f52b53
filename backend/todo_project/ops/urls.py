"""Paths of the operators' pages; ops/http/probes.py answers /health/* and /metrics before any of these."""

from __future__ import annotations

from django.urls import path

from todo_project.ops.http import pages

urlpatterns = [
    path("", pages.start, name="start"),
    path("self-test", pages.self_test, name="self_test"),
    path("version", pages.version, name="version"),
]
