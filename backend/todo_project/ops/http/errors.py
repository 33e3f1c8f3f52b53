"""Errors that come as HTML or text: Django's technical pages, any view's bare 405."""

from __future__ import annotations

from typing import TYPE_CHECKING

from todo_project.api.problems import problem_response

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def as_problem(response: HttpResponse, *, request: HttpRequest) -> HttpResponse:
    """Give a bare error response the body and type of a problem; keep its other headers."""
    detail = "The request is malformed." if response.status_code == 400 else ""
    problem = problem_response(request, status=response.status_code, detail=detail)
    response.content = problem.content
    response.headers["Content-Type"] = problem.headers["Content-Type"]
    response.headers["Content-Length"] = str(len(problem.content))
    return response
