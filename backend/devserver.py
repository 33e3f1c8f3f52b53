"""The development server: `manage.py runserver` that is back sooner after a save.

    python devserver.py 127.0.0.1:8000

Most of a reload is importing Django and the other packages again, although only our own code has changed. Here
one process imports the packages once and forks a fresh server from itself for every change. What Django's own
reloader does is the same otherwise: the server ends with status 3 when a file has changed.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

RELOAD = 3
POLL_SECONDS = 0.1
OURS = Path(__file__).parent / "todo_project"

# What takes long to import and needs no settings for it. A name that is missing or does need them costs nothing
# but its gain: the server imports it as ever.
PACKAGES = (
    "argon2",
    "cProfile",
    "corsheaders.middleware",
    "dateutil.rrule",
    "debug_toolbar.apps",
    "django.contrib.admin.utils",
    "django.contrib.admin.views.main",
    "django.contrib.admindocs.views",
    "django.contrib.auth.hashers",
    "django.contrib.auth.management",
    "django.contrib.auth.password_validation",
    "django.contrib.auth.tokens",
    "django.contrib.messages.middleware",
    "django.contrib.sessions.backends.db",
    "django.contrib.sessions.middleware",
    "django.contrib.staticfiles.management.commands.runserver",
    "django.contrib.staticfiles.storage",
    "django.core.cache.backends.locmem",
    "django.core.mail",
    "django.core.management.commands.migrate",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.forms",
    "django.middleware.clickjacking",
    "django.middleware.common",
    "django.middleware.csrf",
    "django.middleware.security",
    "django.template.loader_tags",
    "django.test",
    "django.views.debug",
    "django_watchfiles",
    "drf_spectacular.apps",
    "drf_spectacular.utils",
    "environ",
    "icalendar",
    "jsonschema",
    "msgspec",
    "procrastinate",
    "prometheus_client",
    "prometheus_client.multiprocess",
    "psycopg_pool",
    "requests",
    "rest_framework.authentication",
    "rest_framework.compat",
    "rest_framework.exceptions",
    "rest_framework.fields",
    "rest_framework.mixins",
    "rest_framework.negotiation",
    "rest_framework.permissions",
    "rest_framework.request",
    "rest_framework.response",
    "rest_framework.serializers",
    "rich.traceback",
    "sentry_sdk.integrations.django",
    "split_settings.tools",
    "sqlparse",
    "structlog",
    "whitenoise.middleware",
    "whitenoise.storage",
)


def main(arguments: list[str]) -> int:
    """Serve until told to stop, and return the exit status."""
    os.environ.setdefault("DJANGO_ENV", "dev")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return _plain(arguments)  # macOS does not allow what its libraries do after a fork
    for name in PACKAGES:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    started = time.time()
    gc.freeze()  # shared with the servers instead of copied by their collector
    while (status := _serve_once(arguments)) == RELOAD:
        if _package_changed_since(started):
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - ourselves, with fresh packages
    return status


def _serve_once(arguments: list[str]) -> int:
    """Fork a server and return its exit status, or RELOAD when it slept through a change.

    Django's reloader starts to watch when the server is up, and again after the first request; what is saved in
    between it never sees. The files are therefore noted before the fork and compared while the server runs.
    """
    noted = _saved()
    child = os.fork()
    if not child:
        os.environ["RUN_MAIN"] = "true"  # Django's sign that a reloader stands behind this process
        if sys.dont_write_bytecode:  # in the container, to keep the checkout clean: cache it elsewhere
            sys.pycache_prefix = f"{tempfile.gettempdir()}/pycache-{os.getuid()}"
            sys.dont_write_bytecode = False
        _plain(arguments)
        return 0
    with _signals_passed_on(child) as received:
        status = _watch(child, noted)
    return 0 if received else status


def _watch(child: int, noted: dict[str, int]) -> int:
    while (status := _status(child)) is None:
        time.sleep(POLL_SECONDS)
        if _saved() != noted:
            return _end(child)
    return status


def _status(child: int) -> int | None:
    ended, waited = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(waited) if ended else None


def _end(child: int) -> int:
    """Leave the server a moment to notice by itself, then stop it."""
    time.sleep(POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        if _status(child) is None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return RELOAD


@contextlib.contextmanager
def _signals_passed_on(child: int) -> Iterator[list[int]]:
    """Give the server the signals that end it, and say which came: the end must not look like a reload."""
    received: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _saved() -> dict[str, int]:
    """Return when each file of our own code was last saved."""
    times = {}
    for folder, _, names in os.walk(OURS):
        for name in names:
            path = f"{folder}/{name}"
            with contextlib.suppress(OSError):  # an editor is replacing it
                times[path] = os.stat(path).st_mtime_ns
    return {path: saved for path, saved in times.items() if path.endswith(".py")}


def _plain(arguments: list[str]) -> int:
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - after the environment is set

    execute_from_command_line(["manage.py", "runserver", *arguments])
    return 0


def _package_changed_since(started: float) -> bool:
    """Return whether one of the packages held here has been edited or replaced."""
    files = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
    return any(not Path(name).exists() or Path(name).stat().st_mtime > started for name in files if name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
