"""Imports: a file in, a report out."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from todo_project.accounts.models import User
from todo_project.api.endpoint import Endpoint, answer
from todo_project.api.idempotency import idempotent
from todo_project.api.operations import operation
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

    @operation(
        "import_ics",
        {201: ReportOut},
        body=IcsIn,
        media_type="multipart/form-data",
        has_etag=False,
        errors={409: "The tasks were changed at the same moment. Repeat the request."},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Import the tasks of an iCalendar file.

        All of them are imported, or none. Tasks are matched by their UID: importing a file again updates them.
        `skipped` lists what could not be imported, `unsupported` what no field holds.
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
