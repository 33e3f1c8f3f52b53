#!/usr/bin/env python
"""Run Django's commands, in the development environment unless DJANGO_ENV names another."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command that the command line names."""
    # Process 1 ignores signals without a handler; the worker sets its own only after its imports.
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    os.environ.setdefault("DJANGO_ENV", "dev")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - the environment first

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
