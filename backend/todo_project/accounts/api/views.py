"""The views of accounts: registration, login, profile, API tokens."""

from __future__ import annotations

import uuid
from typing import Any, cast

import msgspec
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from rest_framework.request import Request

from todo_project.accounts.api import serializers
from todo_project.accounts.models import User
from todo_project.accounts.services import profiles, registration, sessions, tokens
from todo_project.api import etag
from todo_project.api.auth import ANY_SCOPE
from todo_project.api.clients import client_network
from todo_project.api.endpoint import Endpoint, answer, answer_if_changed, no_content
from todo_project.api.idempotency import idempotent
from todo_project.api.operations import operation, page_of
from todo_project.api.serializers import ChangesQuery, NoBody

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_NOT_KEPT = {"Cache-Control": "no-store"}


class Open(Endpoint):
    """The base of views that need no authentication."""

    authentication_classes = []
    permission_classes = []


class Register(Open):
    """POST /auth/register."""

    @operation(
        "register",
        {201: serializers.UserSerializer},
        body=serializers.RegisterIn,
        errors={
            403: "Registration is closed. Ask an operator for an account.",
            409: "An account with this e-mail address already exists.",
            429: "Too many registrations from this address.",
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Create an account.

        The account has one project, the Inbox.
        """
        given = self.body(serializers.RegisterIn)
        registration.admit(network=client_network(request.META))
        user = registration.register_user(**given, now=timezone.now())
        headers = {"Location": "/api/v1/me"}
        return answer(serializers.user_shape(user), status=201, tag=serializers.user_tag(user), headers=headers)


class Login(Open):
    """POST /auth/login."""

    @operation(
        "login",
        serializers.LoginOut,
        body=serializers.LoginIn,
        has_etag=False,
        errors={
            401: "The e-mail address or the password is wrong, or the account is not active.",
            429: "Too many failed logins.",
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Log in.

        The response contains a token. With `session` it sets the session cookie instead.
        """
        given = self.body(serializers.LoginIn)
        is_session = given.pop("session")
        user = sessions.authenticate(**given, network=client_network(request.META), now=timezone.now())
        login = _session_login(self.plain_request, user) if is_session else _token_login(user)
        return answer({**login, "user": serializers.user_shape(user)}, headers=_NOT_KEPT)


def _token_login(user: Any) -> dict[str, Any]:
    new = sessions.log_in(user=user, now=timezone.now())
    return {"token": new.token, "expires_at": new.row.expires_at}


def _session_login(request: HttpRequest, user: Any) -> dict[str, Any]:
    request.session.flush()  # against session fixation: Django keeps the old key if the user is the same
    auth.login(request, user, backend=_BACKEND)
    return {"token": None, "expires_at": request.session.get_expiry_date(), "csrf_token": get_token(request)}


class Csrf(Open):
    """GET /auth/csrf."""

    @operation("get_csrf_token", serializers.CsrfOut, has_etag=False)
    def get(self, request: Request) -> HttpResponse:
        """Get the CSRF token.

        The response also sets the CSRF cookie. A browser with a session sends the token as `X-CSRFToken` with every
        write.
        """
        return answer({"csrf_token": get_token(self.plain_request)}, headers=_NOT_KEPT)


class Logout(Endpoint):
    """POST /auth/logout."""

    scope = ANY_SCOPE

    @operation("logout")
    def post(self, request: Request) -> HttpResponse:
        """Log out.

        Ends the token or the session of this request.
        """
        self.body(NoBody)
        credentials: Any = request.auth
        if credentials is None:
            auth.logout(self.plain_request)
        else:
            tokens.revoke_token(user_id=self.owner_id, token_id=credentials.id, now=timezone.now())
        return no_content()


class Password(Endpoint):
    """POST /auth/password."""

    scope = "admin"

    @operation("change_password", body=serializers.PasswordIn)
    def post(self, request: Request) -> HttpResponse:
        """Change the password.

        All other tokens and sessions of the account end.
        """
        caller: Any = request.user
        credentials: Any = request.auth
        user = sessions.change_password(
            user=caller,
            **self.body(serializers.PasswordIn),
            network=client_network(request.META),
            present_token=credentials.id if credentials else None,
            now=timezone.now(),
        )
        if credentials is None:
            auth.update_session_auth_hash(self.plain_request, user)
        return no_content()


class Me(Endpoint):
    """/me."""

    scope = {"PATCH": "admin"}

    @operation("get_me", serializers.UserSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Get your account."""
        user: Any = request.user
        return answer_if_changed(request, serializers.user_shape(user), tag=serializers.user_tag(user))

    @operation("update_me", serializers.UserSerializer, body=serializers.UserSerializer, if_match=True)
    def patch(self, request: Request) -> HttpResponse:
        """Change your name, time zone, or which mails you get.

        The body is a JSON merge patch.
        """
        user = profiles.update_profile(
            user_id=self.owner_id,
            changes=serializers.user_changes(
                self.body(
                    serializers.UserSerializer,
                    partial=True,
                    current=lambda: serializers.user_now(cast(User, request.user)),
                )
            ),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return answer(serializers.user_shape(user), tag=serializers.user_tag(user))


class TokenList(Endpoint):
    """/tokens."""

    scope = "admin"
    resource = serializers.TOKENS

    @operation("list_tokens", page_of(serializers.TokenSerializer), query=ChangesQuery)
    def get(self, request: Request) -> HttpResponse:
        """List your API tokens.

        The tokens are ordered by id. `include_deleted` includes revoked tokens.
        """
        return self.answer_read()

    @operation(
        "create_token",
        {201: serializers.NewTokenOut},
        body=serializers.TokenIn,
        errors={409: "The account has reached its limit of tokens. Revoke one first."},
    )
    @idempotent(redacted="token")
    def post(self, request: Request) -> HttpResponse:
        """Create an API token.

        Only this response contains the token itself. Store it now.
        """
        caller, credentials = cast(User, request.user), cast("tokens.TokenCredentials | None", request.auth)
        new = tokens.create_token(
            user=caller, **self.body(serializers.TokenIn), held=credentials, now=timezone.now()
        )
        shaped, tag = serializers.TOKENS.from_instance(new.row)
        headers = _NOT_KEPT | {"Location": f"{request.path}/{new.row.pk}"}
        return answer(msgspec.structs.asdict(shaped) | {"token": new.token}, status=201, tag=tag, headers=headers)


class TokenDetail(Endpoint):
    """/tokens/{id}."""

    scope = "admin"
    resource = serializers.TOKENS

    @operation("get_token", serializers.TokenSerializer)
    def get(self, request: Request, token_id: uuid.UUID) -> HttpResponse:
        """Get an API token, without its secret."""
        return self.answer_read()

    @operation("update_token", serializers.TokenSerializer, body=serializers.TokenSerializer, if_match=True)
    def patch(self, request: Request, token_id: uuid.UUID) -> HttpResponse:
        """Rename an API token.

        The body is a JSON merge patch.
        """
        row = tokens.update_token(
            user_id=self.owner_id,
            token_id=token_id,
            changes=self.body(
                serializers.TokenSerializer,
                partial=True,
                current=lambda: serializers.TOKENS.current(self.owner_id, token_id),
            ),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return serializers.TOKENS.answer_row(row)

    @operation("revoke_token", if_match=True)
    def delete(self, request: Request, token_id: uuid.UUID) -> HttpResponse:
        """Revoke an API token.

        It stops working immediately.
        """
        tokens.revoke_token(
            user_id=self.owner_id,
            token_id=token_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()
