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
    help = "Check volumes, disk, proxy, certificate, database, queue and backups, and say what to do."
    requires_migrations_checks = False
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object")

    def handle(self, **options: Any) -> None:
        found = list(diagnose())
        is_well = all(diagnosis.level != "failure" for _, diagnosis in found)
        if options["as_json"]:
            facts = [
                {"check": name, "level": diagnosis.level, "message": diagnosis.message, "hint": diagnosis.hint}
                for name, diagnosis in found
            ]
            self.stdout.write(json.dumps({"ok": is_well, "findings": facts}, indent=2))
        else:
            for name, diagnosis in found:
                self.stdout.write(f"{diagnosis.level:8} {name}: {diagnosis.message}")
                if diagnosis.hint:
                    self.stdout.write(f"{'':8} next: {diagnosis.hint}")
        if not is_well:
            sys.exit(1)
