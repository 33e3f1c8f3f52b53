"""Registers the accounts app."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who you are: users, sessions, API tokens."""

    name = "todo_project.accounts"
