"""How gunicorn serves; `gunicorn` in this directory reads it by itself.

https://gunicorn.org/reference/settings/
"""

# ruff: noqa: PLC0415  # hooks import Django, which this file's own reading must not
from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

from gunicorn import util

from todo_project.config import ConfigurationError, load
from todo_project.ops.gunicorn_problems import write_problem

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
try:
    _values = load()
except ConfigurationError as error:
    sys.exit(str(error))

_memory = Path("/dev/shm")  # noqa: S108 - of the container; in memory, unlike /tmp
_scratch = str(_memory) if os.access(_memory, os.W_OK) else tempfile.gettempdir()

wsgi_app = "todo_project.wsgi:application"
bind = "0.0.0.0:8000"
workers = _values.GUNICORN_WORKERS
threads = _values.GUNICORN_THREADS
timeout = _values.GUNICORN_TIMEOUT
graceful_timeout = _values.GUNICORN_GRACEFUL_TIMEOUT
keepalive = 75  # longer than a proxy keeps its idle connections, so that it is the proxy that closes them
max_requests = _values.GUNICORN_MAX_REQUESTS
max_requests_jitter = _values.GUNICORN_MAX_REQUESTS // 10

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
logger_class = "todo_project.ops.gunicorn_logger.Logger"

util.write_error = write_problem  # gunicorn has no setting for it, and its own answers are HTML

# The library reads this variable when it is imported, which is after this file.
_metrics = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", f"{_scratch}/todo-metrics-{os.getpid()}"))


def on_starting(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Empty the metrics' directory: what an earlier server counted would be counted again."""
    shutil.rmtree(_metrics, ignore_errors=True)
    _metrics.mkdir(parents=True, exist_ok=True)


def when_ready(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Import the rest of the application before the workers are forked, so that they share its memory."""
    from django.db import connections
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018 - a property that imports every view
    connections.close_all()  # a connection must not be shared by two processes
    gc.collect()
    gc.freeze()


def pre_fork(server, worker):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Give the worker the lowest free slot; its metrics go on where the slot's last worker stopped."""
    taken = {other.slot for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in range(len(taken) + 1) if slot not in taken)


def post_fork(server, worker):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Tell the metrics which slot this process is."""
    from todo_project.ops.metrics import Worker

    Worker.slot = str(worker.slot)


def child_exit(server, worker):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Drop what must not outlive a worker."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.slot)


def on_exit(server):  # type: ignore[no-untyped-def]  # gunicorn has no types
    """Leave nothing behind."""
    shutil.rmtree(_metrics, ignore_errors=True)
