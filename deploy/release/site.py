"""Send requests to a release: through the proxy as visitors do, or to one replica as the proxy does."""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from host.console import Failure
from host.conversation import Conversation
from host.stack import Stack

from .replicas import Container

SECONDS = 90.0  # for the first certificate: the proxy retries after a minute
AUTHORITY = "/data/caddy/pki/authorities/local/root.crt"
# More than any TRUSTED_PROXY_COUNT: then the client's address is this one, however many proxies there are.
_HOPS = 20
# Runs in the replica's container: requests come as JSON lines on its input, so that no secret is in a process list.
_RELAY = """
import http.client, json, sys
for line in sys.stdin:
    method, path, headers, body = json.loads(line)
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=60)
    try:
        connection.request(method, path, body and body.encode(), headers)
        answer = connection.getresponse()
        said = [answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")]
    except Exception as error:
        said = [0, {}, f"{type(error).__name__}: {error}"]
    connection.close()
    print(json.dumps(said), flush=True)
"""


@dataclass(frozen=True)
class Answer:
    """A response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """Return the decoded body, or None if it is not JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class Site(Protocol):
    """Something that answers requests."""

    name: str

    def send(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
        """Send one request; raises OSError or HTTPException if there is no answer."""


class Proxied:
    """The site as visitors reach it: this machine's own port, with the site's name and certificate."""

    name = "through the proxy"

    def __init__(self, stack: Stack) -> None:
        values = stack.values
        url = urlsplit(values["SITE_URL"])
        served = values.get("SITE_ADDRESS") or values["SITE_URL"]
        self.host = url.hostname or "localhost"
        self.netloc = url.netloc
        self.is_plain = served.startswith((":", "http://"))
        self.port = int(values.get("HTTP_PORT") or 80) if self.is_plain else int(values.get("HTTPS_PORT") or 443)
        self._tls = None if self.is_plain else _trust(stack)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        connection.sock = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        try:
            if self._tls:
                connection.sock = self._tls.wrap_socket(connection.sock, server_hostname=self.host)
            # the scheme stands in for an outer proxy that terminates TLS
            sent = {"Host": self.netloc, "X-Forwarded-Proto": "https", **headers}
            connection.request(method, path, body and body.encode(), sent)
            answer = connection.getresponse()
            return _answer(answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace"))
        finally:
            connection.close()


class Direct:
    """One replica, with the headers that the proxy would add. Nobody else's requests reach it yet."""

    def __init__(self, stack: Stack, replica: Container, relay: Conversation, address: str) -> None:
        host = urlsplit(stack.values["SITE_URL"]).netloc
        self.name = f"to {replica.name}"
        self._relay = relay
        self._headers = {
            "Host": host,
            "X-Forwarded-Host": host,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": ", ".join([address] * _HOPS),
        }

    def send(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
        """Send one request."""
        sent = {**self._headers, "X-Request-ID": f"release-test-{secrets.token_hex(8)}", **headers}
        self._relay.say(json.dumps([method, path, sent, body]))
        line = self._relay.hear()
        if not line:
            raise OSError("the container has ended")
        return _answer(*json.loads(line))


@contextmanager
def direct(stack: Stack, replica: Container, address: str) -> Iterator[Direct]:
    """Give a replica to send requests to, as a client with this address."""
    command = ("docker", "exec", "--interactive", replica.id, "python", "-c", _RELAY)
    relay = Conversation(*command, inherited=stack.inherited)
    try:
        yield Direct(stack, replica, relay, address)
    finally:
        relay.end()


def reach(stack: Stack, seconds: float = SECONDS) -> Proxied:
    """Wait until the proxy answers, and return the site."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            site = Proxied(stack)
            site.send("GET", "/health/live", {}, None)
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() > deadline:
                raise Failure(
                    f"the proxy does not answer: {error}",
                    f"check SITE_URL, and see `docker compose --env-file {stack.env_file} logs proxy`",
                ) from error
            time.sleep(0.2)
        else:
            return site


def _answer(status: int, headers: Mapping[str, str], text: str) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, text)


def _trust(stack: Stack) -> ssl.SSLContext:
    """Return a context that trusts the public authorities and the proxy's own."""
    context = ssl.create_default_context()
    own = stack.compose("exec", "-T", "proxy", "cat", AUTHORITY, check=False)
    if own.returncode == 0 and "BEGIN CERTIFICATE" in own.stdout:
        context.load_verify_locations(cadata=own.stdout)
    return context
