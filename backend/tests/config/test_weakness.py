"""A random key is never taken for words, whichever way it was made; a phrase of one's own is a password."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

import pytest

from todo_project.config import weakness

DJANGO = string.ascii_lowercase + string.digits + "!@#$%^&*(-_=+)"


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda source: base64.urlsafe_b64encode(source.randbytes(50)).decode(), id="token_urlsafe"),
        pytest.param(lambda source: source.randbytes(32).hex(), id="openssl rand -hex 32"),
        pytest.param(lambda source: "".join(source.choices(DJANGO, k=50)), id="get_random_secret_key"),
        pytest.param(lambda source: "".join(source.choices(string.ascii_lowercase, k=60)), id="lower case"),
    ],
)
def test_a_random_key_is_safe(made: Callable[[random.Random], str]) -> None:
    source = random.Random(20261124)
    for _ in range(1000):
        key = made(source)
        assert weakness.of_key(key) == [], key


def test_a_phrase_may_be_a_password_but_no_signing_key() -> None:
    phrase = "correct-horse-battery-staple-on-a-window-sill-of-ours"
    assert weakness.of_password(phrase) == []
    assert weakness.of_key(phrase) == ["it is made of words, not of random characters"]
