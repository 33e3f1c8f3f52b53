"""Registration, logins, people's own data, tokens: HTTP in, one call of a service, HTTP out."""

from __future__ import annotations

import uuid
from typing import Any, cast

import msgspec
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from todo_project.accounts.api import serializers as shapes
from todo_project.accounts.models import User
from todo_project.accounts.services import profiles, registration, sessions, tokens
from todo_project.api import etag
from todo_project.api.auth import ANY_SCOPE, client_network
from todo_project.api.endpoint import Endpoint, answer, answer_if_changed, no_content
from todo_project.api.idempotency import idempotent
from todo_project.api.listing import page_of, reads
from todo_project.api.serializers import ChangesQuery

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_NOT_KEPT = {"Cache-Control": "no-store"}


class Open(Endpoint):
    """For those who are not known yet."""

    authentication_classes = []
    permission_classes = []


class Register(Open):
    """Accounts, made by the people themselves."""

    @extend_schema(request=shapes.RegisterIn, responses={201: shapes.UserOut}, operation_id="register")
    def post(self, request: Request) -> HttpResponse:
        """Make an account, with its Inbox."""
        given = self.body(shapes.RegisterIn)
        registration.admit(network=client_network(request))
        user = registration.register_user(**given, now=timezone.now())
        headers = {"Location": "/api/v1/me"}
        return answer(shapes.user_shape(user), status=201, tag=shapes.user_tag(user), headers=headers)


class Login(Open):
    """Logins with e-mail address and password."""

    @extend_schema(request=shapes.LoginIn, responses=shapes.LoginOut, operation_id="login")
    def post(self, request: Request) -> HttpResponse:
        """Log in: give a token, or set the session cookie when `session` is true."""
        given = self.body(shapes.LoginIn)
        is_session = given.pop("session")
        user = sessions.authenticate(**given, network=client_network(request), now=timezone.now())
        login = _session_login(self.plain_request, user) if is_session else _token_login(user)
        return answer({**login, "user": shapes.user_shape(user)}, headers=_NOT_KEPT)


def _token_login(user: Any) -> dict[str, Any]:
    new = sessions.log_in(user=user, now=timezone.now())
    return {"token": new.token, "expires_at": new.row.expires_at}


def _session_login(request: HttpRequest, user: Any) -> dict[str, Any]:
    request.session.flush()  # whoever knows the key of before has nothing; Django keeps it for the same user
    auth.login(request, user, backend=_BACKEND)
    return {"token": None, "expires_at": request.session.get_expiry_date(), "csrf_token": get_token(request)}


class Csrf(Open):
    """What a browser needs before it writes with its session."""

    @extend_schema(responses=shapes.CsrfOut, operation_id="csrf_token")
    def get(self, request: Request) -> HttpResponse:
        """Give the CSRF token and set its cookie."""
        return answer({"csrf_token": get_token(self.plain_request)}, headers=_NOT_KEPT)


class Logout(Endpoint):
    """The end of a login."""

    scope = ANY_SCOPE

    @extend_schema(request=None, responses={204: None}, operation_id="logout")
    def post(self, request: Request) -> HttpResponse:
        """End the token or the session that this request came with."""
        credentials: Any = request.auth
        if credentials is None:
            auth.logout(self.plain_request)
        else:
            tokens.revoke_token(user_id=self.owner_id, token_id=credentials.id, now=timezone.now())
        return no_content()


class Password(Endpoint):
    """The password of an account."""

    scope = "admin"

    @extend_schema(request=shapes.PasswordIn, responses={204: None}, operation_id="change_password")
    def post(self, request: Request) -> HttpResponse:
        """Set another password; every other token and session of the account ends."""
        caller: Any = request.user
        credentials: Any = request.auth
        user = sessions.change_password(
            user=caller,
            **self.body(shapes.PasswordIn),
            network=client_network(request),
            present_token=credentials.id if credentials else None,
            now=timezone.now(),
        )
        if credentials is None:
            auth.update_session_auth_hash(self.plain_request, user)
        return no_content()


class Me(Endpoint):
    """The account that the caller speaks for."""

    scope = {"PATCH": "admin"}

    @extend_schema(responses=shapes.UserOut, operation_id="me_retrieve")
    def get(self, request: Request) -> HttpResponse:
        """Give the account."""
        user: Any = request.user
        return answer_if_changed(request, shapes.user_shape(user), tag=shapes.user_tag(user))

    @extend_schema(request=shapes.ProfileIn(partial=True), responses=shapes.UserOut, operation_id="me_update")
    def patch(self, request: Request) -> HttpResponse:
        """Change the name or the time zone."""
        user = profiles.update_profile(
            user_id=self.owner_id,
            changes=self.body(shapes.ProfileIn, partial=True),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return answer(shapes.user_shape(user), tag=shapes.user_tag(user))


class TokenList(Endpoint):
    """The tokens of an account."""

    scope = "admin"

    @extend_schema(parameters=[ChangesQuery], responses=page_of(shapes.TokenOut), operation_id="tokens_list")
    @reads(lambda view: shapes.TOKENS.page(view.query(ChangesQuery)))
    def get(self, request: Request) -> HttpResponse:
        """List the tokens, by id; revoked ones with `include_deleted`."""
        return self.answer_read()

    @extend_schema(request=shapes.TokenIn, responses={201: shapes.NewTokenOut}, operation_id="tokens_create")
    @idempotent(redacted="token")
    def post(self, request: Request) -> HttpResponse:
        """Make a token. Its secret is in this answer and nowhere else."""
        caller, credentials = cast(User, request.user), cast("tokens.TokenCredentials | None", request.auth)
        new = tokens.create_token(user=caller, **self.body(shapes.TokenIn), held=credentials, now=timezone.now())
        shaped, tag = shapes.TOKENS.of(new.row)
        headers = _NOT_KEPT | {"Location": f"{request.path}/{new.row.pk}"}
        return answer(msgspec.structs.asdict(shaped) | {"token": new.token}, status=201, tag=tag, headers=headers)


class TokenDetail(Endpoint):
    """One token."""

    scope = "admin"

    @extend_schema(responses=shapes.TokenOut, operation_id="tokens_retrieve")
    @reads(lambda view: shapes.TOKENS.one(view.kwargs["token_id"], is_held=etag.is_conditional(view.request)))
    def get(self, request: Request, token_id: uuid.UUID) -> HttpResponse:
        """Give the token, without its secret."""
        return self.answer_read()

    @extend_schema(
        request=shapes.TokenChangeIn(partial=True), responses=shapes.TokenOut, operation_id="tokens_update"
    )
    def patch(self, request: Request, token_id: uuid.UUID) -> HttpResponse:
        """Give the token another name."""
        row = tokens.update_token(
            user_id=self.owner_id,
            token_id=token_id,
            changes=self.body(shapes.TokenChangeIn, partial=True),
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return shapes.TOKENS.answer_row(row)

    @extend_schema(request=None, responses={204: None}, operation_id="tokens_revoke")
    def delete(self, request: Request, token_id: uuid.UUID) -> HttpResponse:
        """Revoke the token: it stops working at once."""
        tokens.revoke_token(
            user_id=self.owner_id,
            token_id=token_id,
            expected_versions=etag.expected_versions(request),
            now=timezone.now(),
        )
        return no_content()
