"""Others' middleware, left out of requests in which it has nothing to do.

Most requests come from an app with a token: without an Origin, and without a page that could show a message.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware
from django.middleware.common import CommonMiddleware

from todo_project.api.headers import vary_on

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, HttpResponseBase

    Handler = Callable[[HttpRequest], HttpResponseBase]

NOT_MODIFIED: Final = 304

# SecurityHeaders sends the header of the last one too.
_FOR_PAGES: Final = (
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


class Cors(CorsMiddleware):
    """CORS; an answer to a request without an Origin says only that it would depend on it."""

    async_capable = False  # under ASGI Django runs it, like our own middleware, in a thread

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add the headers that the browser asks for."""
        if "HTTP_ORIGIN" in request.META:
            answered: HttpResponseBase = super().__call__(request)  # type: ignore[assignment] # never async
            return answered
        response: HttpResponseBase = self.get_response(request)  # type: ignore[assignment] # as above
        if self.is_enabled(request):
            vary_on(response, "origin")
        return response


class Common(CommonMiddleware):
    """Django's; a 304 gets no Content-Length, which would have to be that of the answer that it stands for.

    RFC 9110, section 8.6.
    """

    async_capable = False

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the length where there is none."""
        return response if response.status_code == NOT_MODIFIED else super().process_response(request, response)


class Sessions(SessionMiddleware):
    """Sessions; of a request without cookies only one that somebody has looked at.

    A request of the API with a token and without cookies has none, and goes past what there is for pages. Logging
    in does not: it gives a session or a CSRF cookie.
    """

    async_capable = False

    def __init__(self, get_response: Handler) -> None:
        """Find what is behind the middleware for pages."""
        super().__init__(get_response)
        self._past_pages = _past_pages(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Read and keep the session."""
        if request.META.get("HTTP_COOKIE"):
            answered: HttpResponseBase = super().__call__(request)  # type: ignore[assignment] # as above
            return answered
        if self._past_pages and "HTTP_AUTHORIZATION" in request.META and _is_for_tokens(request.path_info):
            request.user = AnonymousUser()
            past: HttpResponseBase = self._past_pages(request)
            return past
        session = request.session = self.SessionStore()
        response: HttpResponse = self.get_response(request)  # type: ignore[assignment] # as above
        if request.session is session and not session.accessed and not session.modified:
            return response
        return self.process_response(request, response)


def _is_for_tokens(path: str) -> bool:
    return path.startswith("/api/v1/") and not path.startswith("/api/v1/auth/")


def _past_pages(handler: Any) -> Any:
    """Give the handler behind what is there for pages; nothing where that is not to be found.

    Django puts each middleware into the one before. What it is, its name in the settings tells: Sentry wraps all.
    """
    names = settings.MIDDLEWARE
    behind = names[names.index(f"{__name__}.Sessions") + 1 :]
    found = handler
    for _ in itertools.takewhile(_FOR_PAGES.__contains__, behind):
        if not hasattr(found, "__wrapped__"):  # under ASGI
            return None
        found = found.__wrapped__.get_response
    return found
