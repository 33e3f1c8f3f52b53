"""This will say why a secret is none: too short, too plain, or known to everybody."""

from __future__ import annotations

from itertools import pairwise

from todo_project.config.defaults import DEV_SECRET_KEY, TEST_SECRET_KEY

KEY_LENGTH, KEY_CHARACTERS = 50, 10
PASSWORD_LENGTH, PASSWORD_CHARACTERS = 12, 5
_OWN_CHARACTERS = 4  # beside common words and digits

_KNOWN = {DEV_SECRET_KEY, TEST_SECRET_KEY}
_PLACEHOLDERS = (
    "change-me",
    "changeme",
    "change_me",
    "changethis",
    "change-this",
    "change_this",
    "django-insecure",
    "dev-only",
    "test-only",
    "example",
    "insecure",
    "not-a-secret",
    "placeholder",
    "replace-me",
    "replace_me",
    "replaceme",
    "secret-key",
    "secret_key",
    "secretkey",
    "todo_password",
    "your-secret",
    "your_secret",
    "xxxxxx",
)
_COMMON = {
    "postgres",
    "password",
    "passw0rd",
    "secret",
    "admin",
    "todo_user",
    "todo_db",
    "todo",
    "qwerty",
    "letmein",
}


def placeholder(text: str) -> bool:
    """This will say whether a text was meant to be replaced."""
    plain = text.lower()
    return text in _KNOWN or any(word in plain for word in _PLACEHOLDERS)


def of_key(text: str) -> list[str]:
    """This will list the reasons why a text is no signing key."""
    return _reasons(text, length=KEY_LENGTH, characters=KEY_CHARACTERS)


def of_password(text: str) -> list[str]:
    """This will list the reasons why a text is no password."""
    reasons = _reasons(text, length=PASSWORD_LENGTH, characters=PASSWORD_CHARACTERS)
    rest = text.lower()
    for word in sorted(_COMMON, key=len, reverse=True):
        rest = rest.replace(word, "")
    if rest != text.lower() and len(rest.strip("0123456789!._-")) < _OWN_CHARACTERS:
        reasons.append("it is made of words that anybody tries first")
    return reasons


def _reasons(text: str, *, length: int, characters: int) -> list[str]:
    reasons = []
    if placeholder(text):
        reasons.append("it is a default or a placeholder that everybody knows")
    if len(text) < length:
        reasons.append(f"it is shorter than {length} characters")
    if len(set(text)) < characters:
        reasons.append(f"it has fewer than {characters} different characters")
    if len(text) > 1 and text in (text + text)[1:-1]:
        reasons.append("it repeats itself")
    if 2 * sum(abs(ord(char) - ord(after)) <= 1 for char, after in pairwise(text)) > len(text):
        reasons.append("most of its characters just follow each other, as in abc or 123")
    if any(char.isspace() for char in text):
        reasons.append("there is white space in it")
    return reasons
