"""The views of imports: a file is imported at once or as a background job, and gives a report."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from todo_project.accounts.models import User
from todo_project.api import etag
from todo_project.api.endpoint import Endpoint, answer, answer_if_changed
from todo_project.api.idempotency import idempotent
from todo_project.api.operations import operation
from todo_project.errors import NotFound
from todo_project.imports.api.serializers import IcsIn, ImportOut, ReportOut
from todo_project.imports.models import Import
from todo_project.imports.services import imports

# what the form may contain besides the file
_FORM_BYTES = 64 * 1024
_FIELDS_DIGEST = etag.digest_of_fields(ImportOut().fields)


class _InMemory(MemoryFileUploadHandler):
    """Keeps the upload in memory, because the import needs all of it; one that is too large is never read."""

    def handle_raw_input(self, *arguments: Any, **named: Any) -> None:
        """Refuse an upload whose Content-Length (the third argument) is too large."""
        if arguments[2] > settings.ATTACHMENT_MAX_BYTES + _FORM_BYTES:
            raise RequestDataTooBig
        self.activated = True


class IcsImport(Endpoint):
    """POST /imports/ics."""

    parser_classes = [MultiPartParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Set the upload handler before the check of the CSRF token reads the body."""
        request.upload_handlers = [_InMemory(request)]
        return super().initialize_request(request, *args, **kwargs)

    @operation(
        "import_ics",
        {201: ReportOut, 202: ImportOut},
        body=IcsIn,
        media_type="multipart/form-data",
        has_etag=False,
        errors={409: "The tasks were changed at the same time. Repeat the request."},
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Import the tasks of an iCalendar file.

        Either all tasks are imported or none. Tasks are matched by UID, so importing a file again updates them.
        `skipped` lists what could not be imported, `unsupported` what no field can store. A large file is imported
        in the background: the status is 202, and `Location` is the path of the import.
        """
        given = self.body(IcsIn)
        if given["file"].size > settings.ATTACHMENT_MAX_BYTES:
            raise RequestDataTooBig
        user, project_id = cast(User, request.user), given.get("project_id")
        data = given["file"].read()
        if contents := imports.parse_small(data):
            report = imports.import_ics(user=user, contents=contents, project_id=project_id, now=timezone.now)
            return answer(report.as_values(), status=201)
        started = imports.start_import(user=user, data=data, project_id=project_id, now=timezone.now())
        location = f"{request.path.rpartition('/')[0]}/{started.id}"
        return answer(_values(started), status=202, headers={"Location": location})


class ImportDetail(Endpoint):
    """/imports/{id}."""

    @operation("get_import", ImportOut)
    def get(self, request: Request, import_id: uuid.UUID) -> HttpResponse:
        """Get an import.

        `report` is set if `status` is `done`, `error` if it is `failed`.
        """
        found = Import.objects.visible_to(self.owner_id).without_file().filter(id=import_id).first()
        if found is None:
            raise NotFound("You have no import with this id. Check the id; reports are kept for a week.")
        return answer_if_changed(request, _values(found), tag=etag.make(found.version, _FIELDS_DIGEST))


def _values(found: Import) -> dict[str, Any]:
    return {
        "id": found.id,
        "status": found.status,
        "progress": found.progress,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "report": found.report,
        "error": found.error or None,
    }
