"""The deploy checks find each fault and are silent otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from todo_project.ops.checks import check_deployment

GOOD: dict[str, Any] = {
    "SITE_URL": "https://todo.example.org",
    "ALLOWED_HOSTS": ["todo.example.org"],
    "CSRF_TRUSTED_ORIGINS": ["https://todo.example.org"],
    "CORS_ALLOWED_ORIGINS": ["https://app.example.org"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}},
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "STORAGES": {"staticfiles": {"BACKEND": "todo_project.ops.startup.staticfiles.BuildManifestStorage"}},
}


@pytest.fixture
def good(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Settings without a fault; the `settings` fixture warns of DATABASES, which no query reads here."""
    for name, value in GOOD.items():
        monkeypatch.setattr(settings, name, value)
    return monkeypatch


def found() -> list[str]:
    return [str(message.id) for message in check_deployment(None)]


def test_nothing_is_found_in_good_settings(good: pytest.MonkeyPatch) -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SITE_URL", "http://todo.example.org", ["ops.E003"]),
        ("ALLOWED_HOSTS", ["other.example.org"], ["ops.E004"]),
        ("CSRF_TRUSTED_ORIGINS", ["http://todo.example.org"], ["ops.E005"]),
        ("CORS_ALLOWED_ORIGINS", ["http://localhost:3000"], ["ops.E005"]),
        ("INSTALLED_APPS", ["debug_toolbar"], ["ops.E006"]),
        ("DATABASES", {"default": {"ENGINE": "django.db.backends.sqlite3"}}, ["ops.E007"]),
        ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", ["ops.W001"]),
        ("STORAGES", {"staticfiles": {"BACKEND": "x.Y"}}, ["ops.E008"]),
    ],
)
def test_each_fault_is_found(good: pytest.MonkeyPatch, name: str, value: Any, expected: list[str]) -> None:
    good.setattr(settings, name, value)
    assert found() == expected


def test_the_order_of_the_middleware_is_held(good: pytest.MonkeyPatch) -> None:
    ours = settings.MIDDLEWARE
    for wrong in (["x.First", *ours], [name for name in ours if "ResponseHeaders" not in name]):
        good.setattr(settings, "MIDDLEWARE", wrong)
        assert found() == ["ops.E001"]
