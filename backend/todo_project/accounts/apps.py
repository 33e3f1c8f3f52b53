"""The configuration of the accounts app, and of the admin, in which operators log in as they do in the API."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class AccountsConfig(AppConfig):
    """Users, sessions and API tokens."""

    name = "todo_project.accounts"
    default = True

    def ready(self) -> None:
        from todo_project.accounts import checks  # noqa: F401, PLC0415 - importing it registers them


class AdminConfig(admin.AdminConfig):
    """Django's admin with our own site."""

    default = False
    default_site = "todo_project.accounts.admin_site.AdminSite"
