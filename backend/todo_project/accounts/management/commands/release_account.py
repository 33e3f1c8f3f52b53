"""`manage.py release_account`: create or remove the account with which deploy/release tests a release."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from todo_project.accounts.services import release_accounts


class Command(BaseCommand):
    help = "Create the account with which deploy/release tests a release, or remove it with all its data."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["create", "remove"], help="`create` prints the account as JSON")

    def handle(self, *, action: str, **options: Any) -> str:
        """Print the new account, or how many were removed, as JSON for deploy/release."""
        if action == "remove":
            return json.dumps({"removed": release_accounts.remove(now=timezone.now())})
        account = release_accounts.create(now=timezone.now())
        return json.dumps({**account._asdict(), "address": release_accounts.ADDRESS})
