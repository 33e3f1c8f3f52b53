"""Every package in production has a licence from a short list."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from tests.architecture.source import BACKEND

ALLOWED = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD",
    "MIT",
    "MIT-0",
    "MPL-2.0",  # certifi, a list of certificates, used as it is
    "PSF-2.0",
    "LGPL-3.0-only",  # psycopg, imported as a library and not changed
}
# What packages say in other words.
WORDS = {
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
PACKAGES = re.findall(
    r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", (BACKEND / "requirements" / "prod.txt").read_text(), re.MULTILINE
)


def licences(package: str) -> set[str]:
    """Return the licences that a package declares: as an expression, in classifiers, or as text."""
    found = metadata.metadata(package)
    classifiers = [
        each.rpartition(" :: ")[2] for each in found.get_all("Classifier", []) if each.startswith("License")
    ]
    named = [found["License-Expression"]] if "License-Expression" in found else classifiers or [found["License"]]
    parts = {part for text in named if text for part in re.split(r" (?:AND|OR) ", text)}
    return {WORDS.get(part, part) for part in parts}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_licence_is_allowed(package: str) -> None:
    try:
        found = licences(package)
    except metadata.PackageNotFoundError:
        pytest.skip("only for another platform or Python")
    assert found
    assert found <= ALLOWED, found - ALLOWED
