"""`manage.py createsuperuser`: create an operator, who has every permission in the admin.

It replaces Django's command of the same name, which would not create what registration does, such as the Inbox.
"""

from __future__ import annotations

import getpass
import os
from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils import timezone

from todo_project.accounts.services import registration
from todo_project.errors import DomainError


class Command(BaseCommand):
    """Prompts for the address and the password, unless the options or environment variables provide them."""

    help = (
        "Create an operator for the admin. Prompts for the address and the password; with --no-input it takes them "
        "from DJANGO_SUPERUSER_EMAIL and DJANGO_SUPERUSER_PASSWORD."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options, which are those of Django's own command."""
        email = os.environ.get("DJANGO_SUPERUSER_EMAIL")
        parser.add_argument("--email", default=email, help="the e-mail address (default: DJANGO_SUPERUSER_EMAIL)")
        parser.add_argument("--name", default="", help="the name to display")
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="do not prompt for input"
        )

    def handle(self, *, email: str | None, name: str, interactive: bool, **options: Any) -> None:
        """Create the operator; raise CommandError if that is not possible."""
        password = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
        if interactive:
            with suppress(EOFError):  # standard input is closed
                email = email or input("E-mail address: ")
                password = password or _ask_password()
        if not email or not password:
            raise CommandError(
                "The e-mail address or the password is missing. "
                "Set --email and DJANGO_SUPERUSER_PASSWORD, or run this in a terminal without --no-input."
            )
        try:
            validate_email(email.strip())
            user = registration.register_operator(email=email, password=password, name=name, now=timezone.now())
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"Created the operator {user.email}.")


def _ask_password() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password (again): ") != password:
        raise CommandError("The passwords do not match. Run the command again.")
    return password
