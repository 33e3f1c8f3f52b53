"""Checks of SITE_URL: what the proxy passes on, and how long the certificate is valid."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from todo_project.ops.health import self_test as ours
from todo_project.ops.health.diagnosis import Diagnosis, failure, ok, warning
from todo_project.ops.health.web import Site, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from todo_project.ops.health.web import Answer

FORGED: Final = "203.0.113.7"  # from the block for documentation
# Of the lifetime; certificates of public authorities are renewed with a third left.
EXPIRY_WARNING: Final = 0.25
_ELSEWHERE: Final = "check it from a place that can reach SITE_URL"


def self_test() -> Iterator[Diagnosis]:
    """Send a request to SITE_URL and compare scheme, host and client on arrival; then send a write with CSRF."""
    site = Site(settings.SITE_URL)
    try:
        answer = site.request("GET", ours.PATH, {ours.HEADER: ours.sign(), "X-Forwarded-For": FORGED})
        yield from compare(answer, site)
        if answer.status == 200:
            yield _written(site, answer)
    except UnreachableError as error:
        yield warning(str(error), _ELSEWHERE)


def compare(answer: Answer, site: Site) -> Iterator[Diagnosis]:
    """Compare the request that arrived with the one that was sent."""
    arrived: Any = answer.json()
    if answer.status != 200 or not isinstance(arrived, dict):
        yield _refused(answer, site)
        return
    if arrived["scheme"] != urlsplit(site.url).scheme:
        yield failure(
            f"the request came by {urlsplit(site.url).scheme} and arrived as {arrived['scheme']}",
            "let the proxy set X-Forwarded-Proto: cookies and redirects depend on it",
        )
    if arrived["host"] != site.netloc:
        yield failure(
            f"the request asked for {site.netloc} and arrived for {arrived['host']}",
            "let the proxy pass the Host header on: CSRF and links depend on it",
        )
    hops, trusted = len([hop for hop in arrived["forwarded"] if hop != FORGED]), settings.TRUSTED_PROXY_COUNT
    if hops != trusted:
        yield failure(
            f"{hops} proxies have added an address to X-Forwarded-For, TRUSTED_PROXY_COUNT is {trusted}",
            f"write TRUSTED_PROXY_COUNT={hops}, or let each proxy append to X-Forwarded-For: "
            "limits and logs take the wrong address for the client's",
        )
    else:
        yield ok(f"scheme, host and client ({arrived['address']}) arrive as they are{site.detour}")


def _refused(answer: Answer, site: Site) -> Diagnosis:
    location = answer.headers.get("Location", "")
    if location:
        return failure(
            f"{site.url} redirects to {location}",
            "if that is itself, the scheme does not arrive: let the proxy set X-Forwarded-Proto",
        )
    if answer.status == 400:
        return failure(f"{site.url} is refused with 400", f"put {site.host} into ALLOWED_HOSTS")
    return failure(
        f"{site.url} answers {answer.status} where this service would recognise its own request",
        "another service, or one with another SECRET_KEY, answers there",
    )


def _written(site: Site, read: Answer) -> Diagnosis:
    cookies = [cookie.partition(";")[0] for cookie in read.headers.get_all("Set-Cookie", [])]
    sent = {
        ours.HEADER: ours.sign(),
        "Cookie": "; ".join(cookies),
        "X-CSRFToken": read.json()["csrf_token"],
        "Origin": site.url,
        "Referer": f"{site.url}/",
        "Content-Length": "0",
    }
    answer = site.request("POST", ours.PATH, sent)
    if answer.status == 200:
        return ok(f"a form of the site itself is accepted{site.detour}")
    message: Any = answer.json() or {}
    return failure(
        f"a form of the site itself is refused with {answer.status}: {message.get('detail', '')}",
        f"put {site.url} into CSRF_TRUSTED_ORIGINS, and let the proxy keep the Host, Origin and Referer headers",
    )


def certificate() -> Iterator[Diagnosis]:
    """Report how long the certificate of SITE_URL is valid, and whether it is trusted."""
    site = Site(settings.SITE_URL)
    if not site.is_tls:
        return
    try:
        found, reason = site.certificate()
    except (UnreachableError, OSError) as error:
        yield warning(str(error), _ELSEWHERE)
        return
    if reason:
        yield warning(
            f"the certificate is not trusted here: {reason}{site.detour}",
            "fine for the proxy's own authority (localhost); else see the proxy's log for what its issuer says",
        )
    if "notAfter" in found:
        begins, ends = (ssl.cert_time_to_seconds(found[name]) for name in ("notBefore", "notAfter"))
        yield expiry(begins, ends, time.time())
    elif "expired" in reason:
        yield failure("the certificate has expired", "see the proxy's log for what its issuer says")


def expiry(begins: float, ends: float, now: float) -> Diagnosis:
    """Compare the remaining lifetime with the whole."""
    message = f"the certificate is valid until {time.strftime('%Y-%m-%d %H:%M', time.gmtime(ends))} UTC"
    hint = "it should have been renewed: see the proxy's log, and whether port 80 can be reached from outside"
    if now >= ends:
        return failure(message, hint)
    return warning(message, hint) if ends - now < EXPIRY_WARNING * (ends - begins) else ok(message)
