"""Random secrets are accepted, however they were made; a phrase of one's own is a password."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

import pytest

from todo_project.config import checks

DJANGO = string.ascii_lowercase + string.digits + "!@#$%^&*(-_=+)"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda source: base64.urlsafe_b64encode(source.randbytes(50)).decode(), id="token_urlsafe"),
        pytest.param(lambda source: source.randbytes(32).hex(), id="openssl rand -hex 32"),
        pytest.param(lambda source: "".join(source.choices(DJANGO, k=50)), id="get_random_secret_key"),
    ],
)
def test_a_random_secret_is_safe(make: Callable[[random.Random], str]) -> None:
    source = random.Random(20261124)
    for _ in range(1000):
        secret = make(source)
        assert checks.weakness_of_key(secret) == "", secret
        assert checks.weakness_of_password(secret) == "", secret


def test_a_phrase_is_a_password() -> None:
    assert checks.weakness_of_password("correct-horse-battery-staple") == ""


@pytest.mark.parametrize(
    "text", ["password1234", "postgres-2026", "todo-prod-2026", "Admin-Password-1", "123456789012"]
)
def test_common_words_and_digits_are_not(text: str) -> None:
    assert checks.weakness_of_password(text) == "it consists of common words and digits"
