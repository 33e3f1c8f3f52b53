"""A URL conf whose views fail, for tests of how failures are answered."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import OperationalError
from django.urls import path

from todo_project.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def crash(request: Any) -> NoReturn:
    raise RuntimeError("a secret plan")


def outage(request: Any) -> NoReturn:
    raise OperationalError("a secret host is down")


urlpatterns = [path("crash", crash), path("api/crash", crash), path("outage", outage)]
