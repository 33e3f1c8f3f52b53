#!/usr/bin/env python
"""Django's management commands, in the development environment unless DJANGO_ENV says otherwise."""

from __future__ import annotations

import os


def main(arguments: list[str] | None = None) -> None:
    """Run one management command, the command line's if none is given."""
    os.environ.setdefault("DJANGO_ENV", "dev")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - after the environment is named

    execute_from_command_line(arguments)


if __name__ == "__main__":
    main()
