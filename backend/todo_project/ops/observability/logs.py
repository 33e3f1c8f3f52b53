"""How log lines look: JSON for machines in staging and production, readable lines in development.

Everything goes through one structlog formatter, so that Django's, gunicorn's and procrastinate's
lines have the same fields as our own: timestamp, level, logger, event, request_id, environment, release.
"""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import TYPE_CHECKING, Any, Final

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.stdlib import ProcessorFormatter

from todo_project.jobs.queue import REQUEST_ID
from todo_project.ops.observability.scrub import scrub

if TYPE_CHECKING:
    from types import TracebackType

    from structlog.typing import EventDict, Processor, WrappedLogger

# Django attaches whole request objects (and sockets) to its records.
# The others are left on records by formatters of other handlers.
_NOT_FOR_LOGS: Final = ("request", "server_time", "taskName", "message", "asctime")
_CONTROL: Final = {code: f"\\x{code:02x}" for code in (*range(32), 127) if chr(code) not in "\n\t"}


def request_facts(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replace a request attached to the record by what a log needs of it."""
    request = event.get("request")
    request_id = getattr(request, "request_id", None)
    if request_id is not None:
        event.setdefault("request_id", request_id)
        event.setdefault("method", getattr(request, "method", None))
        event.setdefault("path", getattr(request, "path", None))
    for name in _NOT_FOR_LOGS:
        event.pop(name, None)
    return event


def job_facts(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replace what procrastinate attaches about a job and its worker by the job's name, id, and request's id."""
    event.pop("worker", None)
    job = event.get("job")
    if isinstance(job, dict) and "task_name" in job:
        event.update(job=job["task_name"], job_id=job.get("id"), attempts=job.get("attempts"))
        request_id = (job.get("task_kwargs") or {}).get(REQUEST_ID)
        if request_id:
            event.setdefault("request_id", request_id)
    return event


def hide_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Hide secrets; runs last, when tracebacks are text already."""
    return {key: value if key == "logger" else scrub({key: value})[key] for key, value in event.items()}


def printable(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Escape control characters and lone surrogates, which a terminal would obey or choke on."""
    for key, value in event.items():
        if isinstance(value, str):
            clean = value.translate(_CONTROL)
            event[key] = clean.encode("utf-8", "backslashreplace").decode()
    return event


def _stamp(environment: str, release: str) -> Processor:
    def stamp(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        event["environment"] = environment
        event["release"] = release
        return event

    return stamp


_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
)


def make_formatter(*, style: str, environment: str, release: str) -> ProcessorFormatter:
    """Return the one formatter; `style` is LOG_FORMAT, json or console."""
    processors: list[Processor] = [
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.TimeStamper(
            fmt="iso" if style == "json" else "%H:%M:%S", utc=style == "json", key="timestamp"
        ),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    if style == "json":
        processors += [_stamp(environment, release), hide_secrets, structlog.processors.JSONRenderer()]
    else:
        colors = sys.stderr.isatty()
        processors += [
            hide_secrets,
            printable,
            ConsoleRenderer(colors=colors, exception_formatter=plain_traceback, pad_event_to=0),
        ]
    return ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder(), request_facts, job_facts], processors=processors
    )


def configure(config: dict[str, Any]) -> None:
    """Set up structlog for our own loggers and the standard library's as settings.LOGGING says.

    This is Django's LOGGING_CONFIG, so it runs before any app is loaded.
    """
    structlog.configure(
        processors=[
            *_SHARED,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(config)
    logging.captureWarnings(capture=True)
    if config["formatters"]["line"]["style"] == "json":
        sys.excepthook = log_uncaught


def log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log the error that ends a process as one line, too (sys.excepthook)."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        logging.getLogger("python").critical("unhandled_exception", exc_info=(kind, error, traceback))


class AsWarning(logging.Filter):
    """Turns errors that any stranger can cause (a wrong Host header) into warnings."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lower the level in place and drop the traceback; lets everything through."""
        if record.levelno > logging.WARNING:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = None
        return True


class NoProbes(logging.Filter):
    """Drops the lines of Django and its development server about probes; one that fails has logged the reason."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything through but answers to /health/*."""
        path = getattr(getattr(record, "request", None), "path", "")
        # of the development server, whose `request` is a socket: 'GET /health/ready HTTP/1.1'
        line = record.args[0] if isinstance(record.args, tuple) and record.args else ""
        return not (path.startswith("/health/") or str(line).startswith("GET /health/"))
