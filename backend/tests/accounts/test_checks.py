"""The checks find what the settings get wrong, and nothing else."""

from __future__ import annotations

from todo_project.accounts import checks


def test_good_settings_pass(settings):
    settings.PASSWORD_HASHERS = ["todo_project.accounts.services.passwords.Argon2Hasher"]
    assert checks.check_login_limits(None) == []
    assert checks.check_hasher(None) == []


def test_an_address_limit_below_the_accounts_is_reported(settings):
    settings.LOGIN_FAILURES_PER_ADDRESS = settings.LOGIN_FAILURES_PER_ACCOUNT - 1
    assert [message.id for message in checks.check_login_limits(None)] == ["accounts.W001"]


def test_another_hasher_is_reported(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    assert [message.id for message in checks.check_hasher(None)] == ["accounts.E001"]
