"""The validity of SITE_URL's certificate, as a metric."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from typing import TYPE_CHECKING, Final

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from todo_project.ops.health.web import Site, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

logger = logging.getLogger(__name__)

KEPT_SECONDS: Final = 600


class Certificate(Collector):
    """The times between which the certificate is valid, if the site speaks TLS and can be reached.

    A thread connects to the site every ten minutes, so that no scrape waits for it.
    """

    def __init__(self) -> None:
        self._asked_at = -1e9
        self._found: dict[str, float] = {}

    def collect(self) -> Iterator[Metric]:
        """Yield what was read last; start to read it again if that is old."""
        if time.monotonic() - self._asked_at > KEPT_SECONDS and Site(settings.SITE_URL).is_tls:
            self._asked_at = time.monotonic()
            threading.Thread(target=self.read, daemon=True).start()
        for name, value in self._found.items():
            yield GaugeMetricFamily(
                f"certificate_{name}_timestamp_seconds", "Validity of the certificate of SITE_URL", value=value
            )

    def read(self) -> None:
        """Connect to the site and store the validity of its certificate."""
        try:
            fields, _ = Site(settings.SITE_URL).certificate()
        except (UnreachableError, OSError) as error:
            logger.warning("ops.certificate_unavailable: %s", error)
            fields = {}
        self._found = {
            name: ssl.cert_time_to_seconds(fields[field])
            for name, field in (("not_before", "notBefore"), ("not_after", "notAfter"))
            if field in fields
        }
