"""The view that runs many writes in one request."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from typing import Any

import msgspec
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpResponse
from django.urls import Resolver404, resolve
from rest_framework.request import Request

from todo_project.api.endpoint import JSON, Endpoint, answer
from todo_project.api.idempotency import idempotent
from todo_project.api.operations import operation
from todo_project.api.problems import problem_response
from todo_project.todos.api.kinds import tasks_with
from todo_project.todos.api.serializers.batch import BatchIn, BatchOut
from todo_project.todos.models import Role
from todo_project.todos.services import trees

SECONDS_MAX = 20.0
_PREFIX = "/api/v1"
_APPS = ("todo_project.todos.", "todo_project.comments.")
# headers of the batch that do not apply to its operations
_NOT_PASSED_ON = frozenset({"HTTP_IDEMPOTENCY_KEY", "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_CONTENT_ENCODING"})

# the fields that name a place, or a neighbour there
_PLACES = ("project_id", "section_id", "parent_id", "task_id", "before", "after")
# what locks trees that the paths and places do not name
_ALONE = frozenset({"undo", "member", "project_transfer", "invitation", "accept_invitation", "decline_invitation"})


class OperationFailed(Exception):
    """An operation failed, and the batch has to be rolled back."""

    def __init__(self, index: int, response: HttpResponse) -> None:
        super().__init__(index)
        self.index = index
        self.response = response


class Batch(Endpoint):
    """/batch."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count every operation as a request."""
        super().initial(request, *args, **kwargs)
        operations = request.data.get("operations") if isinstance(request.data, dict) else None
        if isinstance(operations, list):
            for _ in operations[1 : settings.BATCH_SIZE_MAX]:
                self.check_throttles(request)

    @operation(
        "run_batch",
        BatchOut,
        body=BatchIn,
        has_etag=False,
        errors={
            404: "Of an atomic batch: an operation names something that does not exist.",
            409: "Of an atomic batch: the current state does not allow an operation.",
            412: "Of an atomic batch: a resource has changed since you read it.",
        },
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Run many writes in one request.

        Writes of accounts, imports, notifications and quick add are excluded. The operations run in their order,
        so a later one can use an id that an earlier PUT created. Each succeeds or fails on its own, and `results`
        has one entry for each. If the batch is atomic and an operation fails, nothing is changed: the response is
        the problem of that operation, and its pointers begin with `/operations/{index}`. Each operation counts as
        a request in the rate limit.
        """
        batch = self.body(BatchIn)
        end = time.monotonic() + SECONDS_MAX
        results = []
        # with a key, all results are stored with what the operations wrote
        is_whole = batch["atomic"] or "HTTP_IDEMPOTENCY_KEY" in self.request.META
        with transaction.atomic() if batch["atomic"] else nullcontext():
            if is_whole:
                self._lock(batch["operations"])
            for index, each in enumerate(batch["operations"]):
                is_late = time.monotonic() >= end
                response = self._too_late() if is_late else self._run(each, is_whole=is_whole)
                if response.status_code >= (400 if batch["atomic"] else 500) and is_whole:
                    raise OperationFailed(index, response)
                results.append(_result(response))
        return answer({"results": results})

    def handle_exception(self, exc: Exception) -> Any:
        """Return the problem of the operation that failed."""
        if not isinstance(exc, OperationFailed):
            return super().handle_exception(exc)
        problem = msgspec.json.decode(exc.response.content)
        pointer = f"/operations/{exc.index}"
        code = problem["type"].rpartition(":")[2]
        errors = [error | {"pointer": f"{pointer}/body{error['pointer']}"} for error in problem.get("errors", ())]
        return problem_response(
            self.request,
            status=problem["status"],
            code=code,
            detail=f"Operation {exc.index} failed, so nothing was changed: {problem['detail']}",
            input_errors=errors or [{"pointer": pointer, "code": code, "detail": problem["detail"]}],
            headers={name: exc.response[name] for name in ("Allow", "Retry-After") if name in exc.response},
        )

    def _lock(self, operations: Iterable[Mapping[str, Any]]) -> None:
        """Lock what the operations of one transaction write; a viewer writes nothing."""
        ids = _ids(operations)
        ids |= tasks_with(ids, user_id=self.owner_id)
        trees.locked_around(user_id=self.owner_id, ids=ids, least_role=Role.COMMENTER)

    def _run(self, each: dict[str, Any], *, is_whole: bool) -> HttpResponse:
        path = _PREFIX + each["path"].removeprefix(_PREFIX)
        try:
            match = resolve(path)
        except Resolver404:
            return self._no_such_operation()
        kind: Any = getattr(match.func, "cls", Batch)
        if kind is Batch or not kind.__module__.startswith(_APPS):
            return self._no_such_operation()
        if is_whole and match.url_name in _ALONE:
            return self._runs_alone()
        # initial() has counted the operation
        run = kind.as_view(throttle_classes=[])
        response: HttpResponse = run(self._request(each, path), *match.args, **match.kwargs)
        return response

    def _request(self, each: dict[str, Any], path: str) -> Any:
        body = b"" if each["body"] is None else msgspec.json.encode(each["body"])
        environ = {name: value for name, value in self.request.META.items() if name not in _NOT_PASSED_ON} | {
            "REQUEST_METHOD": each["method"],
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "CONTENT_TYPE": JSON,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        if each["if_match"] is not None:
            environ["HTTP_IF_MATCH"] = each["if_match"]
        request: Any = WSGIRequest(environ)
        request.request_id = self.plain_request.request_id  # type: ignore[attr-defined] # RequestId sets it
        request._force_auth_user = self.request.user  # noqa: SLF001 - as DRF's force_authenticate
        request._force_auth_token = self.request.auth  # noqa: SLF001 - as above
        return request

    def _no_such_operation(self) -> HttpResponse:
        return problem_response(
            self.request,
            status=404,
            detail="A batch cannot use this path. Use a path such as /tasks, /projects/{id} or /comments.",
        )

    def _runs_alone(self) -> HttpResponse:
        return problem_response(
            self.request,
            status=404,
            detail="A batch that is atomic or has an Idempotency-Key cannot use this path. Send this operation by "
            "itself.",
        )

    def _too_late(self) -> HttpResponse:
        return problem_response(
            self.request,
            status=503,
            detail="The batch takes too long, so this operation did not run. Send it again in a smaller batch.",
            headers={"Retry-After": "1"},
        )


def _ids(operations: Iterable[Mapping[str, Any]]) -> set[uuid.UUID]:
    """Return the ids of what the operations write, and of where they put it."""
    found = set()
    for each in operations:
        body = each["body"] or {}
        for text in (*each["path"].split("/"), *(body.get(name) for name in _PLACES)):
            with suppress(ValueError):
                found.add(uuid.UUID(str(text)))
    return found


def _result(response: HttpResponse) -> dict[str, Any]:
    return {
        "status": response.status_code,
        "body": msgspec.Raw(response.content) if response.content else None,
        "etag": response.get("ETag"),
    }
