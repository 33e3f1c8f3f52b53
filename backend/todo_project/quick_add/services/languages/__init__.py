"""The languages that quick add reads: every module of this folder has a LANGUAGE."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from todo_project.quick_add.services.meanings import Language


@functools.cache
def languages() -> tuple[Language, ...]:
    """Return the languages, in the order of their modules' names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").LANGUAGE for name in names)
