"""Authentication, scopes and the rate limit per account."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from todo_project.api import ratelimit
from todo_project.db.owned import Read

SCOPES = ("read", "write", "admin")
ANY_SCOPE = "any"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MINUTE = 60


class VerifiedToken(Protocol):
    """The id and the scopes of a verified token."""

    id: Any
    scopes: frozenset[str]


Verifier = Callable[[str, Read | None], tuple[Any, VerifiedToken] | None]


@functools.cache
def _verifier(path: str) -> Verifier:
    verify: Verifier = import_string(path)
    return verify


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer todo_…`, verified by the function that settings.TOKEN_VERIFIER names."""

    def authenticate(self, request: Request) -> tuple[Any, VerifiedToken] | None:
        """Return (user, token), or None if the request has no bearer token."""
        header = request.META.get("HTTP_AUTHORIZATION", "").split()  # not request.headers, which copies them all
        if not header or header[0].lower() != "bearer":
            return None
        verify = _verifier(settings.TOKEN_VERIFIER)
        view = request.parser_context["view"]
        verified = verify(header[1], view.read_before_authentication()) if len(header) == 2 else None
        if verified is None:
            raise AuthenticationFailed(
                "The token is unknown, expired or revoked. Log in or create another.", code="invalid_token"
            )
        return verified

    def authenticate_header(self, request: Request) -> str:
        """Return the value of WWW-Authenticate (RFC 6750, section 3)."""
        return 'Bearer realm="api"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie; a write also needs the CSRF token in X-CSRFToken."""

    help = "Get a token from GET /api/v1/auth/csrf and send it in the header X-CSRFToken."

    def enforce_csrf(self, request: Request) -> None:
        """Refuse a write without a valid CSRF token, and say where to get one."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(f"{error.detail} {self.help}", code="csrf_failed") from error


class HasScope(BasePermission):
    """Requires an authenticated caller whose token has the scope of the view. Sessions have every scope.

    Safe methods need `read` and others need `write`, unless the view's `scope` names another: one for all its
    methods, or one by method. With ANY_SCOPE every token is enough.
    """

    code = "insufficient_scope"

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the caller may call this method; queries restrict which rows they see."""
        if not request.user or not request.user.is_authenticated:
            return False
        token: Any = request.auth
        if token is None:
            return True
        named = getattr(view, "scope", None)
        if isinstance(named, Mapping):
            named = named.get(request.method)
        needed = named or ("read" if request.method in _SAFE else "write")
        self.message = f"The token lacks the scope {needed!r}. Use a token that has it."
        return needed == ANY_SCOPE or needed in token.scopes


class AccountThrottle(BaseThrottle):
    """Allows each account REQUESTS_PER_TOKEN requests a minute, with all its tokens together; 0 is no limit.

    The variable keeps an older name: the limit once applied per token, but an account can create many.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request. Anonymous requests are limited where they are expensive (login, registration)."""
        limit = settings.REQUESTS_PER_TOKEN
        if not limit or not request.user or not request.user.is_authenticated:
            return True
        bucket = f"requests:{request.user.pk}"
        is_allowed = ratelimit.take_leased(bucket=bucket, limit=limit, seconds=_MINUTE)
        # `r` is an estimate, because other processes spend from the same limit
        view.rate_limit = {
            "RateLimit-Policy": f'"requests";q={limit};w={_MINUTE}',
            "RateLimit": f'"requests";r={ratelimit.remaining(bucket=bucket)};t={ratelimit.seconds_left(_MINUTE)}',
        }
        return is_allowed

    def wait(self) -> float:
        """Return the seconds until the window ends."""
        return float(ratelimit.seconds_left(_MINUTE))
