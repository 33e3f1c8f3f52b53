"""Small endpoints to meet the shared layer with, served by the `probe` fixture."""

from __future__ import annotations

import datetime as dt
import uuid

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.urls import include, path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from todo_project import errors
from todo_project.api import pagination, problems
from todo_project.api.endpoint import Endpoint, answer, answer_if_changed
from todo_project.api.idempotency import idempotent
from todo_project.api.models import RateCounter
from todo_project.api.operations import operation
from todo_project.api.serializers import (
    ChangesQuery,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
    UtcDateTimeField,
)


class BowlIsEmpty(errors.Conflict):
    """Nothing is left."""


RAISED = {
    "not_found": errors.NotFound("No such thing."),
    "conflict": BowlIsEmpty("Fill it."),
    "stale": errors.StaleVersion("Changed."),
    "forbidden": errors.Forbidden("No."),
    "unauthenticated": errors.Unauthenticated("Who?"),
    "unprocessable": errors.Unprocessable("Another."),
    "limit": errors.LimitReached("Slowly.", retry_after=7),
    "input": errors.InvalidInput("Not this.", pointer="/due/at", code="in_the_past"),
    "unnamed": errors.DomainError("Hm."),
    "http404": Http404("secret path"),
    "denied": PermissionDenied("secret reason"),
    "suspicious": SuspiciousOperation("secret trick"),
    "outage": OperationalError("secret host is down"),
    "defect": ZeroDivisionError("secret detail"),
    "surrogate": errors.Conflict("lone \ud800 surrogate"),
}


class Raise(Endpoint):
    authentication_classes = []
    permission_classes = []

    def get(self, request: Request, name: str) -> HttpResponse:
        raise RAISED[name]


class Inner(StrictSerializer):
    at = UtcDateTimeField()


class Shape(StrictSerializer):
    text = StrictCharField(required=False, max_length=20)
    number = StrictIntegerField(required=False, max_value=10)
    flag = StrictBooleanField(required=False)
    id = StrictUUIDField(required=False)
    labels = serializers.ListField(child=StrictUUIDField(), required=False)
    due = Inner(required=False, allow_null=True)


class Echo(Endpoint):
    """Gives back what it understood."""

    authentication_classes = []
    permission_classes = []

    @operation("echo", query=ChangesQuery)
    def get(self, request: Request) -> HttpResponse:
        return answer(self.query())

    def post(self, request: Request) -> HttpResponse:
        return answer(self.body(Shape))

    def patch(self, request: Request) -> HttpResponse:
        return answer(self.body(Shape, partial=True))


class Cursor(Endpoint):
    authentication_classes = []
    permission_classes = []

    def get(self, request: Request) -> HttpResponse:
        cursor = request.query_params["cursor"]
        key = pagination.decode_time(cursor) if "time" in request.query_params else pagination.decode_ids(cursor)
        return answer(key)


class Once(Endpoint):
    """Counts how often it was really done."""

    @idempotent(redacted="secret")
    def post(self, request: Request) -> HttpResponse:
        name = str(request.data["name"]) if isinstance(request.data, dict) else "list"
        counter, _ = RateCounter.objects.get_or_create(pk=name, defaults={"window_end": 0, "spent": 0})
        counter.spent += 1
        counter.save()
        if name.startswith("fail") and counter.spent == 1:
            raise BowlIsEmpty("Try again.")
        body = {"id": uuid.uuid4(), "at": timezone.now(), "secret": "s3cret"}
        return answer(body, status=201, tag='"1-x"', headers={"Location": "/there"})


class Tagged(Endpoint):
    authentication_classes = []
    permission_classes = []

    def get(self, request: Request) -> HttpResponse:
        return answer_if_changed(request, {"at": dt.date(2026, 11, 30)}, tag='"3-abc"')


handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error

urlpatterns = [
    path("probe/raise/<name>", Raise.as_view()),
    path("probe/echo", Echo.as_view()),
    path("probe/cursor", Cursor.as_view()),
    path("probe/once", Once.as_view()),
    path("probe/tagged", Tagged.as_view()),
    path("", include("todo_project.urls")),
]
