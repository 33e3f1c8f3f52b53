"""Values that deploy/proxy/Caddyfile repeats from the settings are equal."""

from __future__ import annotations

import re
from pathlib import Path

from corsheaders.defaults import default_methods
from django.conf import settings

REPOSITORY = Path(__file__).resolve().parents[3]
CADDYFILE = (REPOSITORY / "deploy/proxy/Caddyfile").read_text()


def listed(header: str) -> list[str]:
    """Return the values that the proxy sends in a header."""
    [values] = re.findall(rf'\b{header} "(.+)"$', CADDYFILE, re.MULTILINE)
    return [value.strip() for value in values.split(",")]


def test_the_proxys_cors_headers_are_the_applications() -> None:
    assert listed("Access-Control-Expose-Headers") == list(settings.CORS_EXPOSE_HEADERS)
    assert listed("Access-Control-Allow-Headers") == list(settings.CORS_ALLOW_HEADERS)
    assert listed("Access-Control-Allow-Methods") == list(getattr(settings, "CORS_ALLOW_METHODS", default_methods))
    assert settings.CORS_ALLOW_CREDENTIALS
    assert settings.CORS_URLS_REGEX == "^/api/"


def test_the_proxys_problem_types_are_documented() -> None:
    types = re.findall(r"^\t+(?:\d{3}|default) (\w+) \"", CADDYFILE, re.MULTILINE)
    assert "request_too_large" in types
    page = (REPOSITORY / "docs/api.md").read_text()
    assert [code for code in types if f"urn:todo:problem:{code}`" not in page and code != "not_found"] == []
