"""Signs requests of `manage.py doctor`, so that the service recognises them."""

from __future__ import annotations

from typing import Final

from django.core.signing import BadSignature, TimestampSigner

HEADER: Final = "X-Self-Test"
PATH: Final = "/self-test"
_SALT: Final = "ops.self-test"
_VALUE: Final = "doctor"
_SECONDS: Final = 60


def sign() -> str:
    """Return a header value that is valid for a minute."""
    return TimestampSigner(salt=_SALT).sign(_VALUE)


def is_signed(value: str) -> bool:
    """Return whether this service signed the value within the last minute."""
    try:
        return TimestampSigner(salt=_SALT).unsign(value, max_age=_SECONDS) == _VALUE
    except BadSignature:
        return False
