"""List the pending migrations before a deploy, and what the previous release cannot work with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory

from todo_project.ops.releases import Pending, check_pending

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "List the pending migrations and every operation that the previous release cannot work with."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object")

    def handle(self, **options: Any) -> str:
        try:
            plan = check_pending(connection)
        except (DatabaseError, InconsistentMigrationHistory) as error:
            raise CommandError(f"The migrations cannot be compared with the database: {error}") from error
        return json.dumps(as_facts(plan), indent=2) if options["as_json"] else as_text(plan)


def as_facts(plan: list[Pending]) -> dict[str, Any]:
    """Return the plan as deploy/release reads it."""
    pending = [
        {"app": each.app, "name": each.name, "operations": [vars(item) for item in each.incompatibilities]}
        for each in plan
    ]
    return {"pending": pending, "incompatible": any(each.incompatibilities for each in plan)}


def as_text(plan: list[Pending]) -> str:
    """Return the plan as people read it."""
    if not plan:
        return "no migration is pending"
    lines = []
    for each in plan:
        verdict = "incompatible" if each.incompatibilities else "compatible"
        lines.append(f"{each.app}.{each.name}: {verdict} with the previous release")
        for item in each.incompatibilities:
            lines += [f"  {item.kind}: {item.reason}", f"    instead: {item.instead}"]
    count = sum(bool(each.incompatibilities) for each in plan)
    outcome = (
        f"{count} incompatible with the previous release" if count else "the previous release can keep running"
    )
    return "\n".join([*lines, f"{len(plan)} pending: {outcome}"])
