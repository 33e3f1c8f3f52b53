"""Who calls, what they may do here, and how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from todo_project.common import clients, ratelimit

SCOPES = ("read", "write", "admin")
ANY_SCOPE = "any"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MINUTE = 60


class Credentials(Protocol):
    """What a verified token tells of itself: its id and what it may do."""

    id: Any
    scopes: frozenset[str]


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer todo_…`, verified by the function that settings.TOKEN_VERIFIER names."""

    def authenticate(self, request: Request) -> tuple[Any, Credentials] | None:
        """Give (user, credentials), or None when the request carries no bearer token."""
        header = get_authorization_header(request).split()
        if not header or header[0].lower() != b"bearer":
            return None
        verify: Callable[[str], tuple[Any, Credentials] | None] = import_string(settings.TOKEN_VERIFIER)
        verified = verify(header[1].decode("latin-1")) if len(header) == 2 else None
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

    def enforce_csrf(self, request: Request) -> None:
        """Refuse a write that another site may have sent, with a code of its own."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(str(error.detail), code="csrf_failed") from error


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


class TokenThrottle(BaseThrottle):
    """REQUESTS_PER_TOKEN requests a minute, counted over all workers and replicas; 0 is no limit."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request; an anonymous one is limited where it costs something (login, registration)."""
        limit = settings.REQUESTS_PER_TOKEN
        if not limit or not request.user or not request.user.is_authenticated:
            return True
        credentials: Any = request.auth
        who = credentials.id if credentials is not None else request.user.pk
        return ratelimit.take_leased(bucket=f"requests:{who}", limit=limit, seconds=_MINUTE)

    def wait(self) -> float:
        """Give the seconds until the window ends."""
        return float(ratelimit.seconds_left(_MINUTE))


def client_network(request: HttpRequest | Request) -> str:
    """Give what tells one client from another: its IPv4 address, or the /64 in which an IPv6 one is free."""
    return clients.network_of(client_address(request))


def client_address(request: HttpRequest | Request) -> str:
    """Give the address of the client, as the outermost of TRUSTED_PROXY_COUNT proxies saw it."""
    return clients.address_of(request.META, proxies=settings.TRUSTED_PROXY_COUNT)
