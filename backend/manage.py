#!/usr/bin/env python
"""Run Django's commands, in the development environment unless DJANGO_ENV names another."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command that the command line names."""
    os.environ.setdefault("DJANGO_ENV", "dev")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - the environment first

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
