"""Which migrations this image has, by the list that its build made: to compare it with a database imports none.

The list counts only beside the settings, the code and the packages that it was made of. An image that somebody
makes of this one, with a migration or an app more, asks Django.
"""

from __future__ import annotations

import hashlib
import os
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from todo_project.config import paths

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def keep(names: Iterable[str]) -> None:
    """Write the list, for are_all_among; a build does it last. The names are app.name."""
    paths.MIGRATIONS.write_text("\n".join([_fingerprint(), *names]), encoding="utf-8")


def are_all_among(applied: Collection[tuple[str, str]]) -> bool:
    """Return whether an image's migrations are all among these (app, name) of a database.

    False where nothing was built (a checkout), and where a squashed migration stands for others that were applied:
    then Django has to say.
    """
    try:
        made_of, *names = paths.MIGRATIONS.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return False
    return made_of == _fingerprint() and {f"{app}.{name}" for app, name in applied}.issuperset(names)


def _fingerprint() -> str:
    """Return a hash of our code, of the names and versions of the packages, and of whose settings are used."""
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "todo_project.settings")
    found = hashlib.blake2b(settings.encode(), digest_size=16)
    for path in sorted(paths.CODE.rglob("*.py")):
        found.update(f"{path.relative_to(paths.CODE)}\0{path.stat().st_size}\0".encode())
        found.update(path.read_bytes())
    packages = sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))
    found.update("\0".join(packages).encode())
    return found.hexdigest()
