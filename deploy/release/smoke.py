"""Test a release through the proxy, as a visitor would: with the real host name and certificate."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import time
from urllib.parse import urlsplit

from host.console import Failure
from host.stack import Stack

from .images import Image

ROUNDS = 5  # so that each of several replicas answers
SECONDS = 90.0  # for the first certificate: the proxy retries after a minute
AUTHORITY = "/data/caddy/pki/authorities/local/root.crt"
Answer = tuple[int, http.client.HTTPMessage, bytes]


class Site:
    """The site, reached through this machine's own address."""

    def __init__(self, stack: Stack) -> None:
        values = stack.values
        url = urlsplit(values["SITE_URL"])
        served = values.get("SITE_ADDRESS") or values["SITE_URL"]
        self.host = url.hostname or "localhost"
        self.netloc = url.netloc
        self.is_plain = served.startswith((":", "http://"))
        self.port = int(values.get("HTTP_PORT") or 80) if self.is_plain else int(values.get("HTTPS_PORT") or 443)
        self._tls = None if self.is_plain else _trust(stack)

    def get(self, path: str) -> Answer:
        """Send a GET to the proxy and return status, headers and body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        connection.sock = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        try:
            if self._tls:
                connection.sock = self._tls.wrap_socket(connection.sock, server_hostname=self.host)
            # stands in for an outer proxy that terminates TLS
            connection.request("GET", path, headers={"Host": self.netloc, "X-Forwarded-Proto": "https"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def _trust(stack: Stack) -> ssl.SSLContext:
    """Return a context that trusts the public authorities and the proxy's own."""
    context = ssl.create_default_context()
    own = stack.compose("exec", "-T", "proxy", "cat", AUTHORITY, check=False)
    if own.returncode == 0 and "BEGIN CERTIFICATE" in own.stdout:
        context.load_verify_locations(cadata=own.stdout)
    return context


def test(stack: Stack, image: Image) -> None:
    """Raise Failure at the first wrong answer."""
    site = reach(stack)
    for _ in range(ROUNDS):
        _expect(site, "/health/ready", 200)
        shown = json.loads(_expect(site, "/version", 200)[2])
        if (shown["version"], shown["revision"]) != (image.version, image.revision):
            raise _refusal("/version", f"shows another release: {shown['version']} ({shown['revision']})")
    _, headers, body = _expect(site, "/api/v1/me", 401)
    if headers.get_content_type() != "application/problem+json" or json.loads(body).get("status") != 401:
        raise _refusal("/api/v1/me", f"returned {headers.get_content_type()} instead of application/problem+json")
    page = _expect(site, "/admin/login/", 200)[2].decode("utf-8", "replace")
    sheet = re.search(r'href="(/static/[^"]+\.css)"', page)
    if not sheet:
        raise _refusal("/admin/login/", "links no style sheet")
    _expect(site, sheet[1], 200)


def reach(stack: Stack, seconds: float = SECONDS) -> Site:
    """Wait until the proxy answers, and return the site."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            site = Site(stack)
            site.get("/health/live")
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() > deadline:
                raise Failure(
                    f"the proxy does not answer: {error}",
                    f"check SITE_URL, and see `docker compose --env-file {stack.env_file} logs proxy`",
                ) from error
            time.sleep(0.2)
        else:
            return site


def _expect(site: Site, path: str, status: int) -> Answer:
    try:
        answer = site.get(path)
    except (OSError, http.client.HTTPException) as error:
        raise _refusal(path, f"failed: {error}") from error
    if answer[0] != status:
        raise _refusal(path, f"returned {answer[0]} instead of {status}: {answer[2][:300]!r}")
    return answer


def _refusal(path: str, what: str) -> Failure:
    return Failure(
        f"the smoke test through the proxy failed: {path} {what}",
        "see the logs of backend and proxy; compare SITE_URL and SITE_ADDRESS",
    )
