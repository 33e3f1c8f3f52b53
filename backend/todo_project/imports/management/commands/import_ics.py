"""`manage.py import_ics`: import the tasks of iCalendar files into an account."""

from __future__ import annotations

import json
import sys
import time
import uuid
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from todo_project.accounts.models import User
from todo_project.errors import DomainError
from todo_project.imports.services import components, imports
from todo_project.imports.services.report import ImportReport
from todo_project.todos.models import Project

USAGE = 2
_SHOWN = 3


class Command(BaseCommand):
    """Imports each file completely or not at all; importing the same file again changes nothing.

    The exit status is 0 if all files were imported, 1 if one could not be, 2 if the account or project is unknown.
    """

    help = "Import tasks (VTODO) from iCalendar files. Importing the same file again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="an .ics file, or - for standard input")
        parser.add_argument("--user", required=True, metavar="EMAIL", help="the account to import into")
        parser.add_argument("--project", metavar="ID|NAME", help="the project for new tasks (default: the Inbox)")
        parser.add_argument("--dry-run", action="store_true", help="report what would change, but change nothing")
        parser.add_argument("--json", action="store_true", help="print a JSON array with an object for each file")

    def handle(self, **options: Any) -> None:
        """Import each file, even if another one cannot be imported."""
        user = _user(options["user"])
        project_id = _project_id(user, options["project"])
        reports: list[dict[str, Any]] = []
        for name in options["files"]:
            try:
                report = self._import(name, user, project_id, dry_run=options["dry_run"])
            except (OSError, DomainError) as error:
                why = error.detail if isinstance(error, DomainError) else error.strerror or str(error)
                self.stderr.write(f"{name}: {why}")
                reports.append({"file": name, "error": why})
            else:
                reports.append({"file": name, **report.as_values()})
                if not options["json"]:
                    self.stdout.write("\n".join(_lines(name, report, dry_run=options["dry_run"])))
        if options["json"]:
            self.stdout.write(json.dumps(reports, indent=2, ensure_ascii=False))
        failed = sum("error" in report for report in reports)
        if failed:
            raise CommandError(
                f"{failed} of {len(reports)} files could not be imported. The messages above say why.", returncode=1
            )

    def _import(self, name: str, user: User, project_id: uuid.UUID | None, *, dry_run: bool) -> ImportReport:
        began = time.monotonic()
        data = _read(name)
        self.stderr.write(f"{name}: {len(data):,} bytes …")
        report = imports.import_ics(
            user=user, contents=components.parse(data), project_id=project_id, now=timezone.now, dry_run=dry_run
        )
        self.stderr.write(f"{name}: done in {time.monotonic() - began:.1f} s")
        return report


def _user(email: str) -> User:
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist as error:
        raise CommandError(f"No account has the address {email}. Check --user.", returncode=USAGE) from error


def _project_id(user: User, wanted: str | None) -> uuid.UUID | None:
    """Return the id of the project with this id, or with this name if only one has it."""
    if wanted is None:
        return None
    mine = Project.objects.visible_to(user.pk).alive()
    try:
        found = list(mine.filter(id=uuid.UUID(wanted)))
    except ValueError:
        found = list(mine.filter(name__iexact=wanted).order_by("id"))
    if not found:
        raise CommandError(f"{user.email} has no project {wanted!r}. Check --project.", returncode=USAGE)
    if len(found) > 1:
        ids = ", ".join(str(project.id) for project in found)
        raise CommandError(
            f"{len(found)} projects are named {wanted!r}. Use --project with one of these ids: {ids}",
            returncode=USAGE,
        )
    return found[0].id


def _read(name: str) -> bytes:
    limit = settings.ATTACHMENT_MAX_BYTES
    if name == "-":
        data = sys.stdin.buffer.read(limit + 1)
    else:
        with Path(name).open("rb") as file:
            data = file.read(limit + 1)
    if len(data) > limit:
        raise DomainError(f"The file is larger than {limit:,} bytes (ATTACHMENT_MAX_BYTES). Split it.")
    return data


def _lines(name: str, report: ImportReport, *, dry_run: bool) -> Iterator[str]:
    """Yield the report as text; a property that several tasks have takes one line."""
    would = " (dry run: nothing was changed)" if dry_run else ""
    yield (
        f"{name}: {report.created} created, {report.updated} updated, {report.unchanged} unchanged, "
        f"{len(report.skipped)} skipped{would}"
    )
    for skipped in report.skipped:
        yield f"  skipped {skipped.uid or 'without a UID'}: {skipped.reason}"
    tasks: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for uid, each in report.unsupported:
        tasks[each.component, each.property, each.detail].append(uid or "the file")
    for (component, prop, detail), uids in tasks.items():
        more = f" and {len(uids) - _SHOWN} more" if len(uids) > _SHOWN else ""
        found_in = ", ".join(uids[:_SHOWN]) + more
        if not detail:
            yield f"  {prop} ({component}) is not supported; found in {found_in}"
        else:
            yield f"  {prop} ({component}): {detail} Found in {found_in}"
