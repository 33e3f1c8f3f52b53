"""This will ask a release through the proxy, as people do: the real host name, the real certificate."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import time
from urllib.parse import urlsplit

from host.console import Refused
from host.stack import Stack

from .images import Image

ROUNDS = 5  # so that each of several replicas is asked
SECONDS = 90.0  # for the certificate: the proxy tries again after a minute to get its first
AUTHORITY = "/data/caddy/pki/authorities/local/root.crt"
Answer = tuple[int, http.client.HTTPMessage, bytes]


class Site:
    """The site as its visitors reach it, on this machine's own address."""

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
        """This will send one GET to the proxy and return status, headers and body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        connection.sock = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        try:
            if self._tls:
                connection.sock = self._tls.wrap_socket(connection.sock, server_hostname=self.host)
            # behind somebody else's TLS, this stands for that proxy
            connection.request("GET", path, headers={"Host": self.netloc, "X-Forwarded-Proto": "https"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def _trust(stack: Stack) -> ssl.SSLContext:
    """Return the public authorities and the proxy's own."""
    context = ssl.create_default_context()
    own = stack.compose("exec", "-T", "proxy", "cat", AUTHORITY, check=False)
    if own.returncode == 0 and "BEGIN CERTIFICATE" in own.stdout:
        context.load_verify_locations(cadata=own.stdout)
    return context


def test(stack: Stack, image: Image) -> None:
    """This will raise Refused with the first thing that is not as it must be."""
    site = reach(stack)
    for _ in range(ROUNDS):
        _expect(site, "/health/ready", 200)
        told = json.loads(_expect(site, "/version", 200)[2])
        if (told["version"], told["revision"]) != (image.version, image.revision):
            raise _refusal("/version", f"shows {told['version']} ({told['revision']}), another release")
    _, headers, body = _expect(site, "/api/v1/me", 401)
    if headers.get_content_type() != "application/problem+json" or json.loads(body).get("status") != 401:
        raise _refusal("/api/v1/me", f"is no problem+json: {headers.get_content_type()}")
    page = _expect(site, "/admin/login/", 200)[2].decode("utf-8", "replace")
    sheet = re.search(r'href="(/static/[^"]+\.css)"', page)
    if not sheet:
        raise _refusal("/admin/login/", "names no style sheet")
    _expect(site, sheet[1], 200)


def reach(stack: Stack, seconds: float = SECONDS) -> Site:
    """Return the site once the proxy answers at all."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            site = Site(stack)
            site.get("/health/live")
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() > deadline:
                raise Refused(
                    f"the proxy does not answer: {error}",
                    f"see `docker compose --env-file {stack.env_file} logs proxy`; is SITE_URL right?",
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
        raise _refusal(path, f"answered {answer[0]} instead of {status}: {answer[2][:300]!r}")
    return answer


def _refusal(path: str, what: str) -> Refused:
    return Refused(
        f"the smoke test through the proxy failed: {path} {what}", "see the backend's and the proxy's logs"
    )
