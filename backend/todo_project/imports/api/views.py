"""Imports: a file in, a report out."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from todo_project.accounts.models import User
from todo_project.api.endpoint import Endpoint, answer
from todo_project.api.idempotency import idempotent
from todo_project.imports.api.serializers import IcsIn, ReportOut

# The form's other fields and the lines between them.
_FORM_BYTES = 64 * 1024


class _InMemory(MemoryFileUploadHandler):
    """Keeps the upload in memory, where it is needed whole anyway; one that is too large is never read."""

    def handle_raw_input(self, *arguments: Any, **named: Any) -> None:
        """Refuse by the announced length (the third argument), more than which nobody reads."""
        if arguments[2] > settings.ATTACHMENT_MAX_BYTES + _FORM_BYTES:
            raise RequestDataTooBig
        self.activated = True


class IcsImport(Endpoint):
    """iCalendar files."""

    parser_classes = [MultiPartParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Say how to take uploads before anything, such as the check of the CSRF token, reads the body."""
        request.upload_handlers = [_InMemory(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(operation_id="imports_ics", request={"multipart/form-data": IcsIn}, responses={201: ReportOut})
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Import the tasks of an iCalendar file, all or none.

        A task is known by its UID in the project: a changed one is updated, an unchanged one stays as it is here.
        What cannot be imported is in `skipped`, what no field holds in `unsupported`; nothing else is lost.
        """
        given = self.body(IcsIn)
        if given["file"].size > settings.ATTACHMENT_MAX_BYTES:
            raise RequestDataTooBig
        from todo_project.imports.services import imports  # noqa: PLC0415 - with a library that few processes need

        report = imports.import_ics(
            user=cast(User, request.user),
            data=given["file"].read(),
            project_id=given.get("project_id"),
            now=timezone.now(),
        )
        return answer(report.as_values(), status=201)
