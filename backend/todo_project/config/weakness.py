"""Why a secret is not safe: too short, too plain, or known to everyone."""

from __future__ import annotations

import re
from typing import Final

from todo_project.config.environments import DEV_SECRET_KEY, TEST_SECRET_KEY

_KNOWN: Final = {DEV_SECRET_KEY, TEST_SECRET_KEY}
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
    return text in _KNOWN or bool(_PLACEHOLDER.search(text))


def of_key(text: str) -> list[str]:
    """Return why a text is not a signing key; the numbers are those of Django's check security.W009."""
    return _reasons(text, length=50)


def of_password(text: str) -> list[str]:
    """Return why a text is not a password."""
    reasons = _reasons(text, length=12)
    if len(_COMMON.sub("", text)) < 4:
        reasons.append("it consists of common words and digits")
    return reasons


def _reasons(text: str, *, length: int) -> list[str]:
    reasons = []
    if is_placeholder(text):
        reasons.append("it is a default or a placeholder that everyone knows")
    if len(text) < length:
        reasons.append(f"it is shorter than {length} characters")
    if len(set(text)) < 5:
        reasons.append("it has fewer than 5 different characters")
    if any(char.isspace() or not char.isprintable() for char in text):
        reasons.append("it has white space or an invisible character in it")
    return reasons
