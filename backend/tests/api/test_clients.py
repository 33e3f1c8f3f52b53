from __future__ import annotations

import pytest
from django.test import override_settings

from todo_project.api.clients import address_of, network_of

PROXY = "10.0.0.2"


def forwarded(entries: str, *, proxies: int = 1) -> str:
    with override_settings(TRUSTED_PROXY_COUNT=proxies):
        return address_of({"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": entries})


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:5678", "203.0.113.7"),
        ('"203.0.113.7:5678"', "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("2001:DB8:0:0::0001", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:5678", "203.0.113.7"),
    ],
)
def test_the_address_is_read_from_every_form_that_proxies_write(entry: str, address: str) -> None:
    assert forwarded(entry) == address
    assert forwarded(f"6.6.6.6, {entry}, 10.0.0.3:80", proxies=2) == address


@pytest.mark.parametrize(
    "entry",
    [
        "unknown",
        "_hidden",
        "203.0.113.7:",
        "203.0.113.7:http",
        "[2001:db8::1",
        "[2001:db8::1]x",
        "2001:db8::1:x",
        '""',
    ],
)
def test_an_entry_without_an_address_leaves_the_proxys_own(entry: str) -> None:
    assert forwarded(entry) == PROXY


def test_what_the_client_wrote_itself_is_not_trusted() -> None:
    assert forwarded("6.6.6.6:1, 203.0.113.7:5678") == "203.0.113.7"
    assert forwarded("6.6.6.6:1", proxies=2) == PROXY
    assert forwarded("6.6.6.6:1", proxies=0) == PROXY


def test_an_ipv6_client_is_its_network_whatever_its_port() -> None:
    assert network_of(forwarded("[2001:db8::1]:443")) == network_of(forwarded("2001:db8::2")) == "2001:db8::/64"
    assert network_of(forwarded("::ffff:203.0.113.7")) != network_of(forwarded("::ffff:203.0.113.8"))
