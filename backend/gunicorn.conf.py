"""How gunicorn serves; `gunicorn` in this directory reads it by itself.

https://gunicorn.org/reference/settings/
"""

# ruff: noqa: PLC0415  # hooks import Django, which reading this file must not
from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from gunicorn import util

from todo_project.config import ConfigurationError, load
from todo_project.ops.http.server_errors import write_problem

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
os.environ.setdefault("DATABASE_THROUGH_POOLER", "True")  # as in wsgi.py, which is imported after the settings
try:
    _values = load()
except ConfigurationError as error:
    sys.exit(str(error))

# Process 1 ignores signals without a handler; gunicorn sets its own only after it has imported the application.
if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # a reload keeps gunicorn's
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))

# A request creates more objects than Python's default of 700, and leaves hardly any cycles to collect.
_OBJECTS_BEFORE_COLLECTION = 2_000

wsgi_app = "todo_project.wsgi:application"
bind = "0.0.0.0:8000"
workers = _values.GUNICORN_WORKERS
threads = _values.GUNICORN_THREADS
timeout = _values.GUNICORN_TIMEOUT
graceful_timeout = _values.GUNICORN_GRACEFUL_TIMEOUT
keepalive = 75  # with threads; longer than deploy/proxy keeps idle connections, so that the proxy closes them
max_requests = _values.GUNICORN_MAX_REQUESTS
max_requests_jitter = _values.GUNICORN_MAX_REQUESTS // 10
preload_app = True
control_socket_disable = True  # it needs a writable home, which the container does not have
limit_request_line = 8190
limit_request_field_size = 8190
forwarded_allow_ips = ""  # Django alone decides which proxies to trust, by TRUSTED_PROXY_COUNT
forwarder_headers = ""

accesslog = "-"
errorlog = "-"
loglevel = _values.LOG_LEVEL.lower()
logger_class = "todo_project.ops.observability.gunicorn_logger.Logger"
util.write_error = write_problem  # gunicorn's own answers are HTML, and no setting changes that

# In memory: on a slow disk a late heartbeat looks like a dead worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()  # noqa: S108 - the container's
# prometheus_client reads the variable when it is imported, which is after this file.
_metrics = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", f"{worker_tmp_dir}/todo-metrics-{os.getpid()}"))


def on_starting(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Empty the metrics directory: numbers of an earlier server would be added to this one's."""
    shutil.rmtree(_metrics, ignore_errors=True)
    _metrics.mkdir(parents=True, exist_ok=True)


def when_ready(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Import, build and open what every worker needs before they are forked, so that they share its memory."""
    from django.db import connections
    from django.urls import get_resolver

    from todo_project.api.document import document
    from todo_project.ops.health.readiness import Readiness

    get_resolver().url_patterns  # noqa: B018 - a property that imports every view
    document(in_child=True)  # or each worker would build it for its first request
    Readiness().report()  # connects once, for which OpenSSL fills its tables; logs what is not ready
    connections.close_all()
    gc.freeze()  # or collections in the workers write to every object, and copy its page: +50 % of memory
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    if _values.GUNICORN_DRAIN_SECONDS:
        _drain_before_stopping(server)


def _drain_before_stopping(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Go on serving after SIGTERM until proxies send no more: a worker that stops drops its queue."""
    stop = signal.getsignal(signal.SIGTERM)

    def drain(number, frame):  # type: ignore[no-untyped-def]  # a signal handler
        server.log.info("Draining for %s s", _values.GUNICORN_DRAIN_SECONDS)
        time.sleep(_values.GUNICORN_DRAIN_SECONDS)  # of the arbiter; the workers go on
        stop(number, frame)

    signal.signal(signal.SIGTERM, drain)


def pre_fork(server, worker):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Give the worker the lowest free slot, whose metrics files it continues; files per process would pile up."""
    taken = {other.slot for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in range(len(taken) + 1) if slot not in taken)


def post_fork(server, worker):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Let SIGTERM end the worker until it has its own handlers, and let the metrics know its slot."""
    from todo_project.ops.observability.metrics import begin_worker

    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the arbiter's handler, which it inherits, would lose the signal
    begin_worker(worker.slot)


def child_exit(server, worker):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Drop the metrics that must not outlive a worker."""
    from todo_project.ops.observability.metrics import end_worker

    end_worker(worker.slot)


def on_exit(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Remove the metrics directory."""
    shutil.rmtree(_metrics, ignore_errors=True)
