"""The errors that gunicorn answers itself, as problem+json: bytes that are not HTTP, a worker that fails.

The application never sees these requests.
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Final

from gunicorn import util

if TYPE_CHECKING:
    from socket import socket

logger = logging.getLogger("gunicorn.error")

# Code and title of each status that gunicorn answers. http.HTTPStatus has other phrases in other Python releases.
_NAMES: Final = {
    400: ("bad_request", "Bad Request"),
    403: ("forbidden", "Forbidden"),
    414: ("request_uri_too_long", "URI Too Long"),
    417: ("expectation_failed", "Expectation Failed"),
    431: ("request_header_fields_too_large", "Request Header Fields Too Large"),
    500: ("internal_server_error", "Internal Server Error"),
    501: ("not_implemented", "Not Implemented"),
}


def write_problem(sock: socket, status_int: int, reason: str, mesg: str) -> None:
    """Stand in for gunicorn.util.write_error; `mesg` quotes the client and is for the log, not the answer."""
    request_id = os.urandom(16).hex()
    logger.warning("refused %s %s: %s", status_int, reason, mesg, extra={"request_id": request_id})
    util.write_nonblock(
        sock, _answer(status_int, reason, request_id)
    )  # a client that does not read must not block the worker


def _answer(status: int, reason: str, request_id: str) -> bytes:
    code, title = _NAMES.get(status, _NAMES[500 if status >= 500 else 400])
    body = json.dumps(
        {
            "type": f"urn:todo:problem:{code}",
            "title": title,
            "status": status,
            "detail": "The server cannot read the request. Check its URL and its headers."
            if status < 500
            else title,
            "instance": "",
            "request_id": request_id,
        }
    ).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        f"X-Request-ID: {request_id}\r\n\r\n"
    )
    return head.encode("latin-1") + body
