"""gunicorn's logger: an error log with our formatter, and an access log with one JSON object per line.

gunicorn's own access log copies all headers for each line; this one reads only what it writes. It leaves out query
strings, which may contain what people searched for.
"""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings
from gunicorn import glogging

from todo_project.api.clients import address_of
from todo_project.ops.observability.logs import make_formatter
from todo_project.ops.observability.scrub import scrub_text

if TYPE_CHECKING:
    from datetime import timedelta

MAX_TEXT = 2000
MAX_KEPT = 256


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn carries no types
    """Used through gunicorn.conf.py's logger_class."""

    def setup(self, cfg: Any) -> None:
        """Let gunicorn open its handlers, then give the error log our formatter."""
        super().setup(cfg)
        formatter = make_formatter(
            style=settings.LOG_FORMAT, environment=settings.ENVIRONMENT, release=settings.RELEASE
        )
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Write one line for an answered request."""
        if not self.access_log_enabled:
            return
        try:
            facts = self._facts(resp, environ, request_time)
            if facts["status"] < 400 and facts["path"].startswith("/health/"):
                return  # a successful probe every few seconds tells nothing
            self._write(self._line(facts))
        except Exception:  # noqa: BLE001 - the response is sent, and must not fail because of a log line
            self.exception("the access log could not be written")

    def _write(self, line: str) -> None:
        """Write to gunicorn's own handler, without building a LogRecord around a finished line."""
        for handler in self.access_log.handlers:
            with handler.lock:
                handler.stream.write(line + "\n")
                handler.flush()

    def _facts(self, resp: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        status = resp.status if isinstance(resp.status, int) else int(str(resp.status).split(None, 1)[0])
        return {
            "request_id": _request_id(resp),
            "method": _repeated_text(environ.get("REQUEST_METHOD")),
            "path": _text(environ.get("PATH_INFO")),
            "status": status,
            "duration_ms": round(request_time.total_seconds() * 1000, 1),
            "bytes": getattr(resp, "sent", 0) or 0,
            "client": address_of(environ),
            "user_agent": _repeated_text(environ.get("HTTP_USER_AGENT")),
        }

    def _line(self, facts: dict[str, Any]) -> str:
        if settings.LOG_FORMAT == "json":
            head = {
                "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
                "level": "info",
                "logger": "gunicorn.access",
                "event": "http.request",
                "environment": settings.ENVIRONMENT,
                "release": settings.RELEASE,
            }
            return msgspec.json.encode(head | facts).decode()
        values = [facts[name] for name in ("client", "method", "path", "status", "duration_ms")]
        quoted = [json.dumps(value)[1:-1] if isinstance(value, str) else str(value) for value in values]
        return " ".join(quoted) + f" ms [{facts['request_id']}]"


def _request_id(resp: Any) -> str | None:
    for name, value in resp.headers:
        if name.lower() == "x-request-id":
            return str(value)
    return None


def _text(value: str | None) -> str:
    """Decode a header, which WSGI passes as latin-1, from UTF-8; cut it and hide secrets."""
    if not value:
        return ""
    text = value.encode("latin-1", "replace").decode("utf-8", "replace")[:MAX_TEXT]
    return scrub_text(text)


_kept_text = functools.lru_cache(maxsize=256)(_text)


def _repeated_text(value: str | None) -> str:
    """Decode what many requests repeat, with a cache; long values, which anyone can send, are not cached."""
    return _kept_text(value) if value and len(value) <= MAX_KEPT else _text(value)
