"""What the tests of notifications begin with."""

from __future__ import annotations

import pytest


@pytest.fixture
def watched(transactional_db: None) -> None:
    """Read the log up to now, as the periodic job has done before what a test does."""
    from tests.notifications.stories import tick

    tick()
