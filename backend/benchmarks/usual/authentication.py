"""Who calls: REST framework's own TokenAuthentication, over our table of digests."""

from __future__ import annotations

import hashlib

from django.db.models import Q
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import TokenAuthentication

from todo_project.accounts.models import ApiToken, User


class BearerAuthentication(TokenAuthentication):
    """`Authorization: Bearer …`."""

    keyword = "Bearer"

    def authenticate_credentials(self, key: str) -> tuple[User, ApiToken]:
        """Find the token by its digest; it must be neither revoked nor expired."""
        is_alive = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        digest = hashlib.sha256(key.encode()).hexdigest()
        try:
            token = ApiToken.objects.select_related("user").get(is_alive, digest=digest, revoked_at=None)
        except ApiToken.DoesNotExist as error:
            raise exceptions.AuthenticationFailed("Invalid token.") from error
        if not token.user.is_active:
            raise exceptions.AuthenticationFailed("User inactive or deleted.")
        return token.user, token
