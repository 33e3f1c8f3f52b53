"""Test a release: its replicas before anybody is sent to them, then the site through the proxy."""

from __future__ import annotations

import re

from host.stack import Stack

from .account import ADDRESS, Account
from .images import Image
from .person import Person, ask, refusal
from .replicas import Container
from .site import Site, direct, reach

ROUNDS = 5  # so that each of several replicas answers


def test_replicas(stack: Stack, image: Image, replicas: list[Container], account: Account | None) -> None:
    """Send requests to each replica, with the headers that the proxy sends. Raise Failure at a wrong answer.

    The account, if there is one, logs in to the first and uses everything there.
    """
    for replica in replicas:
        with direct(stack, replica, account.address if account else ADDRESS) as site:
            _test_pages(site, image)
            if account and replica is replicas[0]:
                person = Person(site, account)
                person.log_in()
                person.use_everything()


def test_site(stack: Stack, image: Image, account: Account | None) -> None:
    """Send the same requests through the proxy. The account goes on with its token, and logs out."""
    site = reach(stack)
    for _ in range(ROUNDS):
        _test_version(site, image)
    _test_pages(site, image)
    if account:
        person = Person(site, account)
        if not account.token:
            person.log_in()
        person.use_everything()
        person.log_out()


def _test_version(site: Site, image: Image) -> None:
    ask(site, "GET", "/health/ready", 200)
    shown = ask(site, "GET", "/version", 200).json()
    if (shown["version"], shown["revision"]) != (image.version, image.revision):
        raise refusal(site, "GET", "/version", f"shows another release: {shown['version']} ({shown['revision']})")


def _test_pages(site: Site, image: Image) -> None:
    """Test what needs no account: readiness, the version, an error of the API, the admin and its style sheet."""
    _test_version(site, image)
    answer = ask(site, "GET", "/api/v1/me", 401)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind != "application/problem+json" or answer.json().get("status") != 401:
        raise refusal(site, "GET", "/api/v1/me", f"returned {kind} instead of application/problem+json")
    page = ask(site, "GET", "/admin/login/", 200).text
    sheet = re.search(r'href="(/static/[^"]+\.css)"', page)
    if not sheet:
        raise refusal(site, "GET", "/admin/login/", "links no style sheet")
    ask(site, "GET", sheet[1], 200)
