"""A bucket in memory: as much of S3 as a client needs to store, list, read and remove small objects."""

from __future__ import annotations

import hashlib
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

OBJECTS: dict[str, bytes] = {}


class Bucket(BaseHTTPRequestHandler):
    """Accepts requests that name the right key; signatures are not verified."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("X-Amz-Content-Sha256", "").startswith("STREAMING-"):
            body = _joined(body)
        if self._is_allowed():
            OBJECTS[self._key()] = body
            self._answer(200)

    def do_GET(self) -> None:
        if self._is_allowed():
            parts = urlsplit(self.path)
            if "location" in parts.query:
                self._answer(200, b"<LocationConstraint></LocationConstraint>")
            elif "list-type" in parts.query:
                self._list(parse_qs(parts.query).get("prefix", [""])[0])
            else:
                self._content()

    def do_HEAD(self) -> None:
        if self._is_allowed():
            self._content()

    def do_DELETE(self) -> None:
        if self._is_allowed():
            OBJECTS.pop(self._key(), None)
            self._answer(204)

    def _is_allowed(self) -> bool:
        allowed = self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential=the-key/")
        if not allowed:
            self._answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        return allowed

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/the-bucket/")

    def _content(self) -> None:
        body = OBJECTS.get(self._key())
        if body is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code><Message>no</Message></Error>")
        elif wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(wanted[1]), int(wanted[2] or len(body) - 1)
            self._answer(206, body[first : last + 1])
        else:
            self._answer(200, body)

    def _list(self, prefix: str) -> None:
        rows = [
            f"<Contents><Key>{escape(key)}</Key><Size>{len(body)}</Size>"
            "<LastModified>2026-11-24T12:00:00.000Z</LastModified></Contents>"
            for key, body in sorted(OBJECTS.items())
            if key.startswith(prefix)
        ]
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(rows)}</ListBucketResult>"
        self._answer(200, text.encode())

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.md5(body).hexdigest()}"')  # noqa: S324 - what S3 does
        self.send_header("Last-Modified", "Tue, 24 Nov 2026 12:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _joined(body: bytes) -> bytes:
    """Return the content of an upload in signed chunks, each with its size in hexadecimal before it."""
    content = b""
    while body:
        head, _, body = body.partition(b"\r\n")
        size = int(head.partition(b";")[0], 16)
        content, body = content + body[:size], body[size + 2 :] if size else b""
    return content


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[1])), Bucket).serve_forever()
