"""The base of views that need the caller's account, not only its id."""

from __future__ import annotations

from typing import cast

from todo_project.accounts.models import User
from todo_project.api.endpoint import Endpoint


class CallerEndpoint(Endpoint):
    """An endpoint that knows who calls it."""

    @property
    def user(self) -> User:
        """The caller."""
        return cast(User, self.request.user)
