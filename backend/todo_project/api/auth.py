"""Who calls, what they may do here, and how often."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from todo_project.api import clients, ratelimit
from todo_project.db.owned import Read

SCOPES = ("read", "write", "admin")
ANY_SCOPE = "any"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MINUTE = 60


class Credentials(Protocol):
    """What a verified token tells of itself: its id and what it may do."""

    id: Any
    scopes: frozenset[str]


Verifier = Callable[[str, Read | None], tuple[Any, Credentials] | None]


@functools.cache
def _verifier(path: str) -> Verifier:
    verify: Verifier = import_string(path)
    return verify


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer todo_…`, verified by the function that settings.TOKEN_VERIFIER names."""

    def authenticate(self, request: Request) -> tuple[Any, Credentials] | None:
        """Give (user, credentials), or None when the request carries no bearer token."""
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
        """Name the scheme in WWW-Authenticate (RFC 6750, section 3)."""
        return 'Bearer realm="api"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie; a write needs the CSRF token in X-CSRFToken too."""

    help = "GET /api/v1/auth/csrf gives a token; send it in the header X-CSRFToken."

    def enforce_csrf(self, request: Request) -> None:
        """Refuse a write that another site may have sent, with a code of its own, and tell where the token is."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(f"{error.detail} {self.help}", code="csrf_failed") from error


class HasScope(BasePermission):
    """A signed-in caller whose token has the scope that the view asks for. A session may all.

    `read` for safe methods and `write` for others, unless the view's `scope` names another: one for all its
    methods, or one by method. ANY_SCOPE asks for a token and nothing more.
    """

    code = "insufficient_scope"

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the caller may call this method at all; whose rows they see is the query's business."""
        if not request.user or not request.user.is_authenticated:
            return False
        credentials: Any = request.auth
        if credentials is None:
            return True
        named = getattr(view, "scope", None)
        if isinstance(named, Mapping):
            named = named.get(request.method)
        needed = named or ("read" if request.method in _SAFE else "write")
        self.message = f"The token lacks the scope {needed!r}."
        return needed == ANY_SCOPE or needed in credentials.scopes


class AccountThrottle(BaseThrottle):
    """REQUESTS_PER_TOKEN requests a minute for each account, counted over its tokens, all workers and replicas.

    0 is no limit. The variable's name is older than the rule: an account may make many tokens.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request; anonymous ones are limited where they cost something (login, registration)."""
        limit = settings.REQUESTS_PER_TOKEN
        if not limit or not request.user or not request.user.is_authenticated:
            return True
        bucket = f"requests:{request.user.pk}"
        is_allowed = ratelimit.take_leased(bucket=bucket, limit=limit, seconds=_MINUTE)
        # the answer says how much is left; a hint, because other processes give from the same limit
        view.rate_limit = {
            "RateLimit-Policy": f'"requests";q={limit};w={_MINUTE}',
            "RateLimit": f'"requests";r={ratelimit.left_of(bucket=bucket)};t={ratelimit.seconds_left(_MINUTE)}',
        }
        return is_allowed

    def wait(self) -> float:
        """Give the seconds until the window ends."""
        return float(ratelimit.seconds_left(_MINUTE))


def client_network(request: HttpRequest | Request) -> str:
    """Give what tells one client from another: its IPv4 address, or the /64 in which an IPv6 one is free."""
    return clients.network_of(client_address(request))


def client_address(request: HttpRequest | Request) -> str:
    """Give the address of the client, as the outermost of TRUSTED_PROXY_COUNT proxies saw it."""
    return clients.address_of(request.META, proxies=settings.TRUSTED_PROXY_COUNT)
