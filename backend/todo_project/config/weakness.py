"""Why a secret is not safe: too short, too plain, or known to everyone."""

from __future__ import annotations

import re
from typing import Final

_PLACEHOLDER: Final = re.compile(
    r"change[-_]?(?:me|this)|replace[-_]?(?:me|this)|your[-_]?(?:key|password|secret)|"
    r"django-insecure|dev-only|test-only|example|insecure|not-a-secret|placeholder|secret[-_]?key|todo_password|x{6}|"
    # what a template leaves to be filled in: <password>, {{ password }}, %PASSWORD%
    r"^(?:<.*>|\{\{.*\}\}|\[.*\]|%[a-z_]+%)$",
    re.IGNORECASE,
)
# Tried first by whoever guesses.
_COMMON: Final = re.compile(
    r"postgres(?:ql)?|database|passw(?:or|0r)?d|pass|secret|token|admin(?:istrator)?|root|user|todo(?:_user|_db)?|"
    r"prod(?:uction)?|staging|server|test|demo|qwerty(?:uiop)?|asdfgh(?:jkl)?|zxcvbnm|letmein|welcome|master|hello|"
    r"1q2w3e4r|1qaz2wsx|abc|[0-9!._-]",
    re.IGNORECASE,
)


def is_placeholder(text: str) -> bool:
    """Return whether a text was meant to be replaced."""
    return bool(_PLACEHOLDER.search(text))


def of_key(text: str) -> list[str]:
    """Return why a text is not a signing key; the numbers are those of Django's check security.W009."""
    return _reasons(text, length=50)


def of_password(text: str) -> list[str]:
    """Return why a text is not a password."""
    common = len(_COMMON.sub("", text)) < 4
    return _reasons(text, length=12) + ["it consists of common words and digits"] * common


def _reasons(text: str, *, length: int) -> list[str]:
    reasons = {
        "it is a default or a placeholder that everyone knows": is_placeholder(text),
        f"it is shorter than {length} characters": len(text) < length,
        "it has fewer than 5 different characters": len(set(text)) < 5,
        "it has white space or an invisible character in it": " " in text or not text.isprintable(),
    }
    return [reason for reason, applies in reasons.items() if applies]
