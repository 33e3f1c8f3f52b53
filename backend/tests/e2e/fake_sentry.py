"""Stands in for Sentry: keeps the envelopes that it is sent, shows them, and is slow when a test asks for it.

POST /api/<project>/envelope/ takes an envelope · GET /items shows what came, as JSON · POST /slow?<seconds> delays.
"""

from __future__ import annotations

import gzip
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli

DECODERS = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
ITEMS: list[dict[str, Any]] = []
DELAY = {"seconds": 0.0}


def items_of(envelope: bytes) -> list[dict[str, Any]]:
    """Read the items: a header line each, and the payload of the length that it names.

    https://develop.sentry.dev/sdk/data-model/envelopes/
    """
    found = []
    _, _, rest = envelope.partition(b"\n")
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        header = json.loads(line)
        length = header.get("length", rest.find(b"\n"))
        found.append({"type": header["type"], "payload": json.loads(rest[:length])})
        rest = rest[length:].lstrip(b"\n")
    return found


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/slow"):
            DELAY["seconds"] = float(self.path.partition("?")[2])
        else:
            time.sleep(DELAY["seconds"])
            ITEMS.extend(items_of(DECODERS[self.headers["Content-Encoding"]](body)))
        self.answer({})

    def do_GET(self) -> None:
        self.answer(ITEMS)

    def answer(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", 9000), Handler).serve_forever()  # noqa: S104 - of the container
