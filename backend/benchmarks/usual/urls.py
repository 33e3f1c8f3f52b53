"""The addresses of the usual way."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from rest_framework.routers import DefaultRouter

from benchmarks.usual.api import TaskViewSet
from benchmarks.usual.overview import Overview
from benchmarks.usual.search import Search

router = DefaultRouter(trailing_slash=False)
router.register("tasks", TaskViewSet, basename="task")


def live(request: HttpRequest) -> JsonResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("api/v1/", include(router.urls)),
    path("api/v1/search", Search.as_view()),
    path("api/v1/overview", Overview.as_view()),
    path("health/live", live),
]
