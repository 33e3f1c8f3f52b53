"""This will say why a secret is none: too short, too plain, or known to everybody."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    "replace-this",
    "replace_this",
    "secret-key",
    "secret_key",
    "secretkey",
    "todo_password",
    "your-key",
    "your-password",
    "your-secret",
    "your_key",
    "your_password",
    "your_secret",
    "xxxxxx",
)
# What a template leaves to be filled in: <password>, {{ password }}, %PASSWORD%.
_BLANK = re.compile(r"<.*>|\{\{.*\}\}|\[.*\]|%[A-Za-z_]+%")
_COMMON = sorted(
    re.findall(
        r"\w+",
        "postgresql postgres database password passw0rd passwd pass secret token admin administrator root user "
        "todo_user todo_db todo production prod staging server test demo qwertyuiop qwerty asdfghjkl asdfgh "
        "zxcvbnm 1q2w3e4r 1qaz2wsx letmein welcome iloveyou dragon monkey sunshine princess football baseball "
        "master hello hunter trustno1 abc123 summer winter spring autumn",
    ),
    key=len,
    reverse=True,
)
# Pairs of characters beside each other on a keyboard, and pairs of letters that every English text is full of.
_NEIGHBOURS = {
    pair for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz", "2wsx", "3edc") for pair in pairwise(row)
}
_ENGLISH = set(
    re.findall(
        "..",
        "thheineranreonatenndtiesorteofeditisalarsttontngsehaasouioleveco"
        "medehiriroicneearacelichllbemasiomurkeyepawordsspriductcret",
    )
)


def placeholder(text: str) -> bool:
    """This will say whether a text was meant to be replaced."""
    plain = text.lower()
    return text in _KNOWN or bool(_BLANK.fullmatch(text)) or any(word in plain for word in _PLACEHOLDERS)


def _share(pairs: Iterable[bool]) -> float:
    found = list(pairs)
    return sum(found) / max(len(found), 1)


def _reads_like_words(plain: str) -> bool:
    """Say whether letters follow each other as in English; of 100,000 random keys of each usual kind none does."""
    pairs = ["".join(pair) for pair in pairwise(plain)]
    letters = [pair for pair in pairs if pair.isalpha()]
    return _share(pair in _ENGLISH for pair in pairs) > 0.3 and _share(pair in _ENGLISH for pair in letters) > 0.5


def of_key(text: str) -> list[str]:
    """This will list the reasons why a text is no signing key."""
    reasons = _reasons(text, length=KEY_LENGTH, characters=KEY_CHARACTERS)
    if _reads_like_words(text.lower()):
        reasons.append("it is made of words, not of random characters")
    return reasons


def of_password(text: str) -> list[str]:
    """This will list the reasons why a text is no password."""
    reasons = _reasons(text, length=PASSWORD_LENGTH, characters=PASSWORD_CHARACTERS)
    rest = text.lower()
    for word in _COMMON:
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
    if _share(_follows(char, after) for char, after in pairwise(text.lower())) > 0.5:
        reasons.append("most of its characters just follow each other, as in abc, 123 or qwerty")
    if any(char.isspace() or not char.isprintable() for char in text):
        reasons.append("there is white space or an invisible character in it")
    return reasons


def _follows(char: str, after: str) -> bool:
    return abs(ord(char) - ord(after)) <= 1 or (char, after) in _NEIGHBOURS or (after, char) in _NEIGHBOURS
