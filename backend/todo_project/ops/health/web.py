"""An HTTP client for SITE_URL as people reach it: by its name, through the proxy."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS: Final = 10
# The proxy of our Compose files; SITE_URL may be unreachable from a container (localhost, behind a firewall).
NEIGHBOUR: Final = "proxy"


class UnreachableError(Exception):
    """SITE_URL cannot be reached from here; the text says why."""


@dataclass(frozen=True)
class Answer:
    """A response with its whole body."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """Return the parsed body, or None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Site:
    """The server at a URL, or the proxy container in its place."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.netloc = parts.netloc
        self.host = parts.hostname or ""
        self.is_tls = parts.scheme == "https"
        self.port = parts.port or (443 if self.is_tls else 80)
        self.detour = ""

    def connect(self, context: ssl.SSLContext) -> socket.socket:
        """Connect to the site, or else to the proxy container, under the site's name."""
        try:
            plain = socket.create_connection((self.host, self.port), timeout=TIMEOUT_SECONDS)
        except OSError as error:
            plain = self._neighbour(error)
        try:
            return context.wrap_socket(plain, server_hostname=self.host) if self.is_tls else plain
        except OSError:
            plain.close()
            raise

    def _neighbour(self, error: OSError) -> socket.socket:
        try:
            plain = socket.create_connection((NEIGHBOUR, self.port), timeout=TIMEOUT_SECONDS)
        except OSError:
            raise UnreachableError(f"{self.url} cannot be reached from here: {error}") from error
        self.detour = f" (asked the proxy container, because {self.url} cannot be reached from here)"
        return plain

    def request(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        """Send one request, without verifying the certificate, which has its own check."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPConnection(self.netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.sock = self.connect(context)
            connection.request(method, path, headers={"Host": self.netloc, **headers})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read(65536))
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"{self.url} does not answer as a site does: {error!r}") from error
        finally:
            connection.close()

    def certificate(self) -> tuple[dict[str, Any], str]:
        """Return the fields of the server's certificate, and why it is not trusted, or an empty text."""
        try:
            with self.connect(ssl.create_default_context()) as trusted:
                return dict(trusted.getpeercert() or {}), ""  # type: ignore[attr-defined]  # it is a TLS socket
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message
        unverified = ssl.create_default_context()
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        with self.connect(unverified) as socket_:
            shown = socket_.getpeercert(binary_form=True)  # type: ignore[attr-defined]  # it is a TLS socket
        # only a trusted certificate is parsed: trust this one
        itself = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        itself.check_hostname = False
        itself.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        itself.load_verify_locations(cadata=shown)
        try:
            with self.connect(itself) as again:
                return dict(again.getpeercert() or {}), reason  # type: ignore[attr-defined]  # it is a TLS socket
        except ssl.SSLCertVerificationError:
            return {}, reason
