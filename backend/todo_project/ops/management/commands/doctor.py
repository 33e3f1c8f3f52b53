"""Examines the running service and says what to do."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from todo_project.ops.health.doctor import examine

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Changes nothing; ends with status 1 when something does not work."""

    help = "Examine volumes, disk, proxy, certificate, database, queue and backups; each finding says what to do."
    requires_migrations_checks = False
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the form of the answer."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object")

    def handle(self, **options: Any) -> None:
        """Look at everything, tell all of it."""
        found = list(examine())
        is_well = all(finding.level != "failure" for _, finding in found)
        if options["as_json"]:
            facts = [{"check": name, **vars(finding)} for name, finding in found]
            self.stdout.write(json.dumps({"ok": is_well, "findings": facts}, indent=2))
        else:
            for name, finding in found:
                self.stdout.write(f"{finding.level:8} {name}: {finding.told}")
                if finding.hint:
                    self.stdout.write(f"{'':8} next: {finding.hint}")
        if not is_well:
            sys.exit(1)
