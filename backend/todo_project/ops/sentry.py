"""Error reports to Sentry, without personal data and with the same secrets hidden as in the logs.

Imported only when SENTRY_DSN is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import ignore_logger
from structlog.contextvars import get_contextvars

from .scrub import scrub

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def init(**options: Any) -> None:
    """Start reporting; `options` are for tests, which bring their own transport."""
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.ENVIRONMENT,
        release=settings.RELEASE,
        traces_sample_rate=settings.SENTRY_TRACES_SAMPLE_RATE,
        # neither send_default_pii nor data_collection: unset, both mean that no personal data is collected
        max_request_body_size="never",  # bodies hold people's tasks
        include_local_variables=False,  # so do local variables, and passwords
        integrations=[DjangoIntegration(middleware_spans=False)],
        before_send=finish,
        before_send_transaction=finish,
        **options,
    )
    ignore_logger("django.security.DisallowedHost")  # any stranger can cause these


def finish(event: Event, _hint: Hint) -> Event:
    """Add the request id and hide secrets, last thing before the event leaves."""
    request_id = get_contextvars().get("request_id")
    if request_id:
        event.setdefault("tags", {})["request_id"] = request_id
    clean: Event = scrub(event)
    request = clean.get("request")
    if isinstance(request, dict):
        request.pop("query_string", None)
        request.pop("cookies", None)
    return clean
