"""Tokens open the door exactly as long as they should."""

from __future__ import annotations

from tests.conftest import Person
from todo_project.accounts.models import User
from todo_project.accounts.services import tokens


def test_verify_gives_the_user_and_the_scopes_in_one_query(alice: Person, django_assert_num_queries):
    tokens.verify(alice.token)
    with django_assert_num_queries(1):
        verified = tokens.verify(alice.token)
        assert verified is not None
        user, credentials = verified
        assert (user.pk, user.email, user.name, user.version) == (alice.user.pk, "alice@example.org", "Alice", 1)
        assert isinstance(user, User)
        assert user.created_at == alice.user.created_at
    assert credentials.scopes == {"read", "write", "admin"}
    assert user.check_password("correct horse battery staple")  # deferred, so it is loaded when asked for
