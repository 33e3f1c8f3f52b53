"""Make an operator, who may do everything in the admin and has an account like everybody.

It stands in for Django's command of this name, whose operators would lack what registration gives.
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
    """Asks for what is not given; with --no-input, DJANGO_SUPERUSER_EMAIL and _PASSWORD may give it."""

    help = "Make an operator for the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take Django's own options."""
        parser.add_argument("--email", default=os.environ.get("DJANGO_SUPERUSER_EMAIL"))
        parser.add_argument("--name", default="")
        parser.add_argument("--noinput", "--no-input", action="store_false", dest="interactive")

    def handle(self, *, email: str | None, name: str, interactive: bool, **options: Any) -> None:
        """Make the operator, or say why not."""
        password = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
        if interactive:
            with suppress(EOFError):  # nobody is there to be asked
                email = email or input("E-mail address: ")
                password = password or _asked_password()
        if not email or not password:
            raise CommandError(
                "Give --email and DJANGO_SUPERUSER_PASSWORD, or run it in a terminal without --no-input."
            )
        try:
            validate_email(email.strip())
            user = registration.register_operator(email=email, password=password, name=name, now=timezone.now())
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{user.email} is an operator now.")


def _asked_password() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password (again): ") != password:
        raise CommandError("The two passwords differ.")
    return password
