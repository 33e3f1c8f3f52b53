"""Where things are on the disk, also for what runs before Django is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Final

BASE_DIR: Final = Path(__file__).resolve().parents[2]
ENVS_DIR = BASE_DIR.parent / "envs"  # tests name other folders
DOCS_DIR = BASE_DIR.parent / "docs"


def shown(path: Path | str) -> str:
    """Return a path as commands that are typed in the project's root need it: envs/prod.env."""
    path = Path(path)
    return str(Path("envs", path.relative_to(ENVS_DIR)) if path.is_relative_to(ENVS_DIR) else path)
