"""How passwords are kept, and which are good enough."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from todo_project.accounts.models import User
from todo_project.errors import InvalidInput

MAX_LENGTH = 1000


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with the second of OWASP's settings: 19 MiB and two passes.

    Django's own 100 MiB per hash would let four workers that log somebody in take 400 MiB at once.
    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1


class PasswordUnsuitable(InvalidInput):
    """The new password is too short, too common, too much like the account, or unreadable."""


def check_new(*, password: str, user: User, pointer: str = "/password") -> None:
    """Raise PasswordUnsuitable, with every reason, unless the user may have this password."""
    if len(password) > MAX_LENGTH:
        raise PasswordUnsuitable(
            f"A password has at most {MAX_LENGTH} characters.", pointer=pointer, code="max_length"
        )
    if "\0" in password or any("\ud800" <= character <= "\udfff" for character in password):
        raise PasswordUnsuitable(
            "A password has no NUL and no lone surrogate in it.", pointer=pointer, code="invalid_character"
        )
    try:
        validate_password(password, user)
    except ValidationError as error:
        code = error.error_list[0].code or "invalid"
        raise PasswordUnsuitable(" ".join(error.messages), pointer=pointer, code=code) from error
