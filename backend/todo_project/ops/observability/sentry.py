"""Error reports to Sentry, without personal data and with the same secrets hidden as in the logs.

Imported only when SENTRY_DSN is set.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import ignore_logger
from structlog.contextvars import get_contextvars

from todo_project.ops.observability.logs import job_facts
from todo_project.ops.observability.scrub import HIDDEN, scrub, scrub_text

if TYPE_CHECKING:
    from sentry_sdk.types import Breadcrumb, Event, Hint


# addresses are personal data, and errors of the database quote the values of unique columns
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}")


def init(**options: Any) -> None:
    """Start reporting; `options` are for tests, which bring their own transport."""
    rate = settings.SENTRY_TRACES_SAMPLE_RATE
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.ENVIRONMENT,
        release=settings.RELEASE,
        # A sampler, because a plain rate would let callers decide: their `sentry-trace` header beats it, even 0.
        traces_sampler=(lambda _context: rate) if rate else None,
        # neither send_default_pii nor data_collection: unset, both mean that no personal data is collected
        max_request_body_size="never",  # bodies hold people's tasks
        include_local_variables=False,  # so do local variables, and passwords
        auto_session_tracking=False,  # errors are wanted, not a count of all requests
        integrations=[DjangoIntegration(middleware_spans=False)],
        before_breadcrumb=trim,
        before_send=finish,
        before_send_transaction=finish,
        **options,
    )
    ignore_logger("django.security.DisallowedHost")  # any stranger can cause these


def trim(crumb: Breadcrumb, _hint: Any) -> Breadcrumb:
    """Drop the request that Django attaches to a log line: its repr has the query string."""
    crumb.get("data", {}).pop("request", None)
    return crumb


def finish(event: Event, hint: Hint) -> Event:
    """Add the request id and the job, and hide secrets, last thing before the event leaves."""
    clean: Event = scrub(event, text=_without_addresses)
    clean.get("extra", {}).pop("request", None)  # as in trim
    request = clean.get("request")
    tags = _tags(hint)
    if isinstance(request, dict):
        for name in ("query_string", "cookies", "data"):
            request.pop(name, None)
        # a transaction is sent after the context is gone; the proxy has put the id into the request
        headers: Any = request.get("headers") or {}
        headers.pop("Referer", None)  # an address with its query string
        given = headers.get("X-Request-Id")
        tags = {"request_id": given} | tags if given else tags
    clean["tags"] = {**clean.get("tags", {}), **tags}
    return clean


def _tags(hint: Hint) -> dict[str, str]:
    """Return the ids of the request and the job, from the context or from procrastinate's log of a failed job."""
    facts: dict[str, Any] = dict(get_contextvars())
    record = hint.get("log_record")
    if record is not None:
        facts = dict(job_facts(None, "", {"job": getattr(record, "job", None)} | facts))
    return {name: str(facts[name]) for name in ("request_id", "job") if facts.get(name)}


def _without_addresses(text: str) -> str:
    clean = scrub_text(text)
    return _ADDRESS.sub(f"{HIDDEN}", clean) if "@" in clean else clean
