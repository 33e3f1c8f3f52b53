"""The fixture `probe`: small endpoints for testing the shared layer."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.fixture
def probe(settings, db: None) -> Client:
    """Return a client of tests/api/probe.py."""
    settings.ROOT_URLCONF = "tests.api.probe"
    return Client(raise_request_exception=False)
