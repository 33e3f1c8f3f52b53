"""Put deploy/ on the path, because its commands are not part of the package."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.architecture.source import DEPLOY

sys.path.insert(0, str(DEPLOY))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Create a checkout that contains only an env file for production."""
    (tmp_path / "envs").mkdir()
    env_file = tmp_path / "envs/prod.env"
    env_file.write_text("# ours\nDJANGO_ENV=prod\nIMAGE_TAG=one\n\nPOSTGRES_PASSWORD=a-secret-of-some-length\n")
    env_file.chmod(0o600)
    return tmp_path
