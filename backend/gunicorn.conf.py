"""How gunicorn serves; `gunicorn` in this directory reads it by itself.

https://gunicorn.org/reference/settings/
"""

# ruff: noqa: PLC0415  # hooks import Django, which this file's own reading must not
from __future__ import annotations

import contextlib
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
from todo_project.ops.http.gunicorn_problems import write_problem

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
os.environ.setdefault("DATABASE_THROUGH_POOLER", "True")  # as in wsgi.py, which is imported after the settings
try:
    _values = load()
except ConfigurationError as error:
    sys.exit(str(error))

# Imports make much that stays and little garbage, so looking for it is in vain until they are done (when_ready).
if not gc.get_freeze_count():  # at a reload nothing would switch it on again
    gc.disable()

# As process 1 it would get no signal while the application is imported; the arbiter sets its own handlers later.
if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

_memory = Path("/dev/shm")  # noqa: S108 - of the container; in memory, unlike /tmp
_scratch = str(_memory) if os.access(_memory, os.W_OK) else tempfile.gettempdir()

wsgi_app = "todo_project.wsgi:application"
bind = "0.0.0.0:8000"
workers = _values.GUNICORN_WORKERS
threads = _values.GUNICORN_THREADS
timeout = _values.GUNICORN_TIMEOUT
graceful_timeout = _values.GUNICORN_GRACEFUL_TIMEOUT
keepalive = 75  # with threads; longer than deploy/proxy keeps idle connections, so that the proxy closes them
max_requests = _values.GUNICORN_MAX_REQUESTS
max_requests_jitter = _values.GUNICORN_MAX_REQUESTS // 10

# So many more containers made than dropped: more than a page of a list has, so that none is made in vain.
_MADE_BEFORE_GARBAGE_IS_SOUGHT = 3_000

worker_tmp_dir = _scratch  # the heartbeat: on a slow disk it would look like a dead worker
control_socket_disable = True  # it wants a writable home, which the container does not have
preload_app = True
limit_request_line = 8190
limit_request_field_size = 8190
forwarded_allow_ips = ""  # only Django believes proxies, by TRUSTED_PROXY_COUNT
forwarder_headers = ""

accesslog = "-"
errorlog = "-"
loglevel = _values.LOG_LEVEL.lower()
logger_class = "todo_project.ops.observability.gunicorn_logger.Logger"

util.write_error = write_problem  # gunicorn has no setting for it, and its own answers are HTML

# The library reads this variable when it is imported, which is after this file.
_metrics = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", f"{_scratch}/todo-metrics-{os.getpid()}"))


def on_starting(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Empty the metrics' directory: what an earlier server counted would be counted again."""
    shutil.rmtree(_metrics, ignore_errors=True)
    _metrics.mkdir(parents=True, exist_ok=True)


def when_ready(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Import the rest of the application before the workers are forked, so that they share its memory."""
    from django.db import DatabaseError, connections
    from django.urls import get_resolver

    from todo_project.ops.startup.database import fresh_connection

    get_resolver().url_patterns  # noqa: B018 - a property that imports every view
    _tell_what_the_settings_say_wrong(server)
    # A worker's first connection makes tables of OpenSSL's. While the database is away they make them themselves.
    with contextlib.suppress(DatabaseError), fresh_connection(statement_timeout_ms=1000):
        pass
    connections.close_all()  # a connection must not be shared by two processes
    if _values.GUNICORN_DRAIN_SECONDS:
        _drain_before_stopping(server)
    _let_new_workers_be_stopped()
    gc.freeze()  # without a collection, whose holes the workers would fill, each with a copy of the page
    gc.set_threshold(_MADE_BEFORE_GARBAGE_IS_SOUGHT)
    gc.enable()


def _tell_what_the_settings_say_wrong(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    # Django's system checks of values. The others are of the code, which its tests have checked.
    from django.core.checks import Tags, run_checks

    found = [message for message in run_checks(tags=[Tags.security]) if not message.is_silenced()]
    for message in found:
        server.log.log(message.level, str(message))
    if any(message.is_serious() for message in found):
        server.halt(reason="Not started: the settings contradict each other, as told above.", exit_status=1)


def _drain_before_stopping(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    # Workers drop what waits in the accept queue when they stop, so nobody may send any more by then. The arbiter
    # alone sleeps; its workers go on, and set handlers of their own.
    stop = signal.getsignal(signal.SIGTERM)

    def drain(number, frame):  # type: ignore[no-untyped-def]  # a signal handler
        server.log.info("Draining for %s s", _values.GUNICORN_DRAIN_SECONDS)
        time.sleep(_values.GUNICORN_DRAIN_SECONDS)
        stop(number, frame)

    signal.signal(signal.SIGTERM, drain)


def _let_new_workers_be_stopped() -> None:
    # Between its fork and its own handlers a worker has the arbiter's, which lose the signal: a stop would take
    # the whole graceful timeout. Blocked over the fork, the signal waits until the default action applies.
    asked = {signal.SIGTERM}
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, asked),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, asked),
        after_in_child=_die_when_stopped,
    )


def _die_when_stopped() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def pre_fork(server, worker):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Give the worker the lowest free slot; its metrics go on where the slot's last worker stopped."""
    taken = {other.slot for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in range(len(taken) + 1) if slot not in taken)


def post_fork(server, worker):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Tell the metrics which slot this process is."""
    from todo_project.ops.observability.metrics import begin_worker

    begin_worker(worker.slot)


def child_exit(server, worker):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Drop what must not outlive a worker."""
    from todo_project.ops.observability.metrics import end_worker

    end_worker(worker.slot)


def on_exit(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Leave nothing behind."""
    shutil.rmtree(_metrics, ignore_errors=True)
