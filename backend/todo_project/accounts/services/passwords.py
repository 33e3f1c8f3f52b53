"""How passwords are hashed and validated."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from todo_project.accounts.models import User
from todo_project.errors import InvalidInput

MAX_LENGTH = 1000


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with the second of OWASP's recommended settings: 19 MiB and two passes.

    With Django's default of 100 MiB per hash, four workers could use 400 MiB at once.
    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1


class PasswordUnsuitable(InvalidInput):
    """The new password is too short, too common, similar to the account's data, or has invalid characters."""


def check_new(*, password: str, user: User, pointer: str = "/password") -> None:
    """Raise PasswordUnsuitable, with every reason, if the password is not good enough for this user."""
    if len(password) > MAX_LENGTH:
        raise PasswordUnsuitable(
            f"Use a password of at most {MAX_LENGTH} characters.", pointer=pointer, code="max_length"
        )
    if "\0" in password or any("\ud800" <= character <= "\udfff" for character in password):
        raise PasswordUnsuitable(
            "Use a password without NUL characters or lone surrogates.", pointer=pointer, code="invalid_character"
        )
    try:
        validate_password(password, user)
    except ValidationError as error:
        code = error.error_list[0].code or "invalid"
        raise PasswordUnsuitable(" ".join(error.messages), pointer=pointer, code=code) from error
