"""Check the running service and say what to do."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from todo_project.ops.health.doctor import diagnose

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Check volumes, disk, proxy, certificate, database, queue and backups; each finding says what to do."
    requires_migrations_checks = False
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object")

    def handle(self, **options: Any) -> None:
        found = list(diagnose())
        is_well = all(finding.level != "failure" for _, finding in found)
        if options["as_json"]:
            facts = [
                {"check": name, "level": finding.level, "message": finding.message, "hint": finding.hint}
                for name, finding in found
            ]
            self.stdout.write(json.dumps({"ok": is_well, "findings": facts}, indent=2))
        else:
            for name, finding in found:
                self.stdout.write(f"{finding.level:8} {name}: {finding.message}")
                if finding.hint:
                    self.stdout.write(f"{'':8} next: {finding.hint}")
        if not is_well:
            sys.exit(1)
