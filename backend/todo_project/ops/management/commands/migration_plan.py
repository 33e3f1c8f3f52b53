"""Says before a deploy which migrations are pending and whether the release before survives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory

from todo_project.ops.releases import Pending, examine

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Reads only; ends with status 0 whenever it could look."""

    help = "List the pending migrations and every operation that the release before could not live with."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the form of the answer."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object")

    def handle(self, **options: Any) -> str:
        """Look and tell."""
        try:
            plan = examine(connection)
        except (DatabaseError, InconsistentMigrationHistory) as error:
            raise CommandError(f"The migrations cannot be compared with the database: {error}") from error
        return json.dumps(as_facts(plan), indent=2) if options["as_json"] else as_text(plan)


def as_facts(plan: list[Pending]) -> dict[str, Any]:
    """Return what deploy's preflight reads."""
    pending = [
        {"app": each.app, "name": each.name, "operations": [vars(finding) for finding in each.findings]}
        for each in plan
    ]
    return {"pending": pending, "incompatible": any(each.findings for each in plan)}


def as_text(plan: list[Pending]) -> str:
    """Return what people read."""
    if not plan:
        return "no migration is pending"
    lines = []
    for each in plan:
        lines.append(f"{each.app}.{each.name}: {'does not roll' if each.findings else 'rolls'}")
        for finding in each.findings:
            lines += [f"  {finding.kind}: {finding.reason}", f"    instead: {finding.instead}"]
    stuck = sum(bool(each.findings) for each in plan)
    told = f"{stuck} of them the release before could not live with" if stuck else "the release before can go on"
    return "\n".join([*lines, f"{len(plan)} pending: {told}"])
