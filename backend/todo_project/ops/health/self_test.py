"""How the doctor recognises itself: a request of its own carries a value that only this service can sign."""

from __future__ import annotations

from typing import Final

from django.core.signing import BadSignature, TimestampSigner

HEADER: Final = "X-Self-Test"
PATH: Final = "/self-test"
_SALT: Final = "ops.self-test"
_VALUE: Final = "doctor"
_SECONDS: Final = 60


def sign() -> str:
    """Return a value for the header, good for a minute."""
    return TimestampSigner(salt=_SALT).sign(_VALUE)


def is_signed(value: str) -> bool:
    """Tell whether a header's value was signed here within the last minute."""
    try:
        return TimestampSigner(salt=_SALT).unsign(value, max_age=_SECONDS) == _VALUE
    except BadSignature:
        return False
