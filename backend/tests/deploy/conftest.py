"""The commands under deploy/ are no part of the package: they are found the way they find each other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.architecture.source import DEPLOY

sys.path.insert(0, str(DEPLOY))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with nothing in it but an env file for production."""
    (tmp_path / "envs").mkdir()
    env_file = tmp_path / "envs/prod.env"
    env_file.write_text("# ours\nDJANGO_ENV=prod\nIMAGE_TAG=one\n\nPOSTGRES_PASSWORD=a-secret-of-some-length\n")
    env_file.chmod(0o600)
    return tmp_path
