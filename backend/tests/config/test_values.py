"""Each loose end of django-environ that docs/configuration.md lists is closed, tried with its own value."""

from __future__ import annotations

import re
from typing import Any

import pytest

from todo_project.config import load
from todo_project.config.environments import ENVIRONMENTS
from todo_project.config.findings import BadValueError, shown
from todo_project.config.schema import BY_NAME, VARIABLES
from todo_project.config.variable import parse


def value(name: str, text: str) -> Any:
    return parse(BY_NAME[name], text)


def refused(name: str, text: str) -> BadValueError:
    with pytest.raises(BadValueError) as caught:
        value(name, text)
    return caught.value


@pytest.mark.parametrize("text", ["true", "True", "YES", "on", "1", " true "])
def test_true_is_true(text: str) -> None:
    assert value("DEBUG", text) is True


@pytest.mark.parametrize("text", ["false", "False", "NO", "off", "0"])
def test_false_is_false(text: str) -> None:
    assert value("DEBUG", text) is False


@pytest.mark.parametrize("text", ["ture", "enabled", "t", "f", "ok", "y", "2", "-1", "none", "disabled"])
def test_a_boolean_is_never_guessed(text: str) -> None:
    assert "not a valid boolean" in refused("DEBUG", text).problem


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES])
@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_no_variable_may_be_empty(name: str, text: str) -> None:
    assert refused(name, text).code == "empty"


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES])
@pytest.mark.parametrize("text", ["$HOME", "$", "${HOME}", "$HOME/x"])
def test_no_variable_follows_a_dollar_to_another_one(name: str, text: str) -> None:
    assert refused(name, text).code == "dollar"


def test_a_dollar_within_a_value_stays() -> None:
    assert value("SECRET_KEY", "pa$word") == "pa$word"


def test_lists_are_trimmed() -> None:
    assert value("ALLOWED_HOSTS", "a, b,,c ,") == ["a", "b", "c"]
    assert value("SECRET_KEY_FALLBACKS", " one , two") == ["one", "two"]


def test_a_list_tells_of_every_bad_item() -> None:
    problem = refused("CORS_ALLOWED_ORIGINS", "https://a, b.c, https://d/").problem
    assert "b.c" in problem
    assert "https://d/" in problem


@pytest.mark.parametrize("text", ["abc", "1.0", "1e3", "0x10", "1_000", "+4", "4 4", "٤", "--1", "1,000", "∞"])
def test_a_number_is_written_in_digits(text: str) -> None:
    assert "whole number from 1 to 256" in refused("GUNICORN_WORKERS", text).instead


@pytest.mark.parametrize("text", ["0", "257", "-4", "9" * 30])
def test_a_number_stays_in_its_range(text: str) -> None:
    assert refused("GUNICORN_WORKERS", text).code == "range"


@pytest.mark.parametrize("text", ["0.25abc", "1e-3", "1.1", "-0.1", ".5", "nan", "0,5"])
def test_a_share_is_a_plain_number_from_0_to_1(text: str) -> None:
    assert "not a valid fraction" in refused("SENTRY_TRACES_SAMPLE_RATE", text).problem


@pytest.mark.parametrize(("text", "expected"), [("0", 0.0), ("0.25", 0.25), ("1", 1.0), ("1.0", 1.0)])
def test_a_share_is_read(text: str, expected: float) -> None:
    assert value("SENTRY_TRACES_SAMPLE_RATE", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://todo.example.org", "https://todo.example.org"),
        ("https://TODO.Example.org:8443", "https://todo.example.org:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://localhost", "https://localhost"),
    ],
)
def test_origins_are_read(text: str, expected: str) -> None:
    assert value("SITE_URL", text) == expected
    assert value("CSRF_TRUSTED_ORIGINS", text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "todo.example.org", "https://", "https:/todo", "//todo", "ftp://todo", "https://todo/", "https://todo/x",
        "https://todo?x", "https://todo#x", "https://todo?", "https://todo:", "https://todo:x", "https://todo:99999",
        "https://a b", "https://-todo", "https://[::1", "https://*.todo", "*", "null", "https://me:hunter2@todo",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(text: str) -> None:
    for name in ("SITE_URL", "CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS"):
        if name == "SITE_URL" or not text.startswith("ftp"):
            assert refused(name, text).instead
            assert "hunter2" not in refused(name, text).problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [("https://todo.example.org:443", "https://todo.example.org"), ("http://localhost:80", "http://localhost"),
     ("https://localhost:80", "https://localhost:80")],
)  # fmt: skip
def test_a_default_port_is_left_out_as_browsers_do(text: str, expected: str) -> None:
    assert value("SITE_URL", text) == expected
    assert value("CORS_ALLOWED_ORIGINS", text) == [expected]


@pytest.mark.parametrize("text", ["capacitor://localhost", "ionic://localhost", "tauri://localhost"])
def test_origins_of_apps_are_read(text: str) -> None:
    assert value("CORS_ALLOWED_ORIGINS", text) == value("CSRF_TRUSTED_ORIGINS", text) == [text]
    assert refused("SITE_URL", text).instead


def test_a_star_stands_for_subdomains_in_csrf_origins_only() -> None:
    assert value("CSRF_TRUSTED_ORIGINS", "https://*.Example.org:8443") == ["https://*.example.org:8443"]
    assert "CORS_ALLOWED_ORIGIN_REGEXES" in refused("CORS_ALLOWED_ORIGINS", "https://*.example.org").instead
    for text in ("https://*", "https://*.org", "https://*.*.org", "https://a.*.example.org"):
        assert refused("CSRF_TRUSTED_ORIGINS", text).instead == "write it like https://*.example.org"


@pytest.mark.parametrize("text", [r"https://pr-[0-9]+\.example\.org", r"^https://.*\.preview\.example\.org$"])
def test_patterns_are_compared_with_the_whole_origin(text: str) -> None:
    [pattern] = value("CORS_ALLOWED_ORIGIN_REGEXES", text)
    good = "https://pr-12.example.org" if "pr-" in text else "https://a.preview.example.org"
    assert re.match(pattern, good)
    for other in (f"{good}.evil.example", f"{good}\n", f"x{good}", good.replace(".org", "xorg")):
        assert not re.match(pattern, other)


@pytest.mark.parametrize(
    "text", [".*", "https://.*", "https://.*.example.org", r"https://a\.b\.org|.*", r"https://.*\.org", "https://["]
)
def test_patterns_that_match_other_peoples_origins_are_refused(text: str) -> None:
    assert refused("CORS_ALLOWED_ORIGIN_REGEXES", text).instead


@pytest.mark.parametrize(
    "text", ["todo.example.org", ".example.org", "127.0.0.1", "[::1]", "localhost", "*", "a_b"]
)
def test_hosts_are_read(text: str) -> None:
    assert value("ALLOWED_HOSTS", text) == [text]


@pytest.mark.parametrize("text", ["https://a", "a:80", "a/b", "::1", "a..b", "-a", "a b", "*.a"])
def test_what_is_no_host_is_refused(text: str) -> None:
    assert refused("ALLOWED_HOSTS", text).instead


@pytest.mark.parametrize("text", ["todo@example.org", "To-do <todo@example.org>"])
def test_mail_addresses_are_read(text: str) -> None:
    assert value("DEFAULT_FROM_EMAIL", text) == text


@pytest.mark.parametrize("text", ["localhost", "todo.example.org", ":80", "http://todo.example.org", "[::1]"])
def test_addresses_of_the_proxy_are_read(text: str) -> None:
    assert value("SITE_ADDRESS", text) == text


def test_a_sentry_dsn_is_read_and_never_repeated() -> None:
    assert value("SENTRY_DSN", "https://abcdef@sentry.example.org/12") == "https://abcdef@sentry.example.org/12"
    assert "abcdef" not in refused("SENTRY_DSN", "https://abcdef@sentry.example.org/").problem


def test_an_error_of_django_environ_gets_a_name_and_loses_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> None:
        raise ValueError("could not convert: hunter2")

    monkeypatch.setitem(parse.__globals__["READERS"], "secret_key", explode)
    assert "hunter2" not in refused("SECRET_KEY", "hunter2").problem


def test_shown_values_are_short_and_without_credentials() -> None:
    assert shown("https://me:secret@todo") == "'https://****@todo'"
    assert len(shown("x" * 500)) < 70


@pytest.mark.parametrize("env", ["dev", "test"])
def test_dev_and_test_need_nothing(env: str) -> None:
    config = load(env, environ={})
    assert env == config.DJANGO_ENV
    assert config.DEBUG is (env == "dev")
    assert config.DATABASE_URL["ENGINE"] == "django.db.backends.sqlite3"
    assert config.DATABASE_URL["NAME"].endswith(f"/backend/var/{env}.sqlite3")


@pytest.mark.parametrize(
    ("site", "host", "sender"),
    [
        ("https://xn--mnchen-3ya.example", "xn--mnchen-3ya.example", "todo@xn--mnchen-3ya.example"),
        ("https://203.0.113.7:8443", "203.0.113.7", "todo@[203.0.113.7]"),
        ("https://[2001:db8::1]", "[2001:db8::1]", "todo@[IPv6:2001:db8::1]"),
    ],
)
def test_what_follows_from_the_site_can_be_read(site: str, host: str, sender: str) -> None:
    config = load("dev", environ={"SITE_URL": site})
    assert (host, sender) == (config.SITE_ADDRESS, config.DEFAULT_FROM_EMAIL)
    assert host in config.ALLOWED_HOSTS
    assert site in config.CSRF_TRUSTED_ORIGINS


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_default_can_be_read(env: str) -> None:
    for variable in VARIABLES:
        default = variable.default_in(env)
        if isinstance(default, str):
            assert parse(variable, default) is not None
