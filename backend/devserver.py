"""The development server: `manage.py runserver` that is back sooner after a save.

    python devserver.py 127.0.0.1:8000

Most of a reload is importing Django and the other packages again, although only our own code has changed. Here
one process imports the packages once, watches what is saved (watchfiles), and forks a fresh server from itself for
each change. Django's own reloader stays out: its start takes long, and it misses what is saved while a server
starts. A server that a mistake in a saved file ends is started again at the next save. With a save a changed
package is taken over.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import itertools
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

RELOAD = 3
SECOND_NS = 10**9
LOOK_EVERY_MS = 100  # at the server; what is saved is told at once
BACKEND = Path(__file__).resolve().parent
WATCHED = (BACKEND / "todo_project", BACKEND.parent / "envs")
SUFFIXES = (".py", ".html", "dev.env")  # those of other environments are nothing to this server

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

# The debug toolbar tries this one at each start, and its search for GDAL starts 36 processes: None says at once
# that there is none (https://docs.python.org/3/reference/import.html#the-module-cache).
ABSENT = "django.contrib.gis.db.backends.postgis.adapter"


def main(arguments: list[str]) -> int:
    """Serve until told to stop, and return the exit status."""
    os.environ.setdefault("DJANGO_ENV", "dev")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return _plain(arguments)  # macOS does not allow what its libraries do after a fork
    for name in PACKAGES:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    sys.modules.setdefault(ABSENT, None)  # type: ignore[arg-type] # typeshed knows modules only
    started = time.time()
    gc.freeze()  # shared with the servers instead of copied by their collector
    saves = _saves()
    next(saves)  # it looks from now on, and keeps what it sees for whoever asks next
    status = _serve_once(arguments, saves)
    while status == RELOAD:
        status = _serve_once(arguments, saves, last_start=started)
    return status


def _saves() -> Iterator[bool]:
    """Say without end whether files may have been saved: at once when they have, and every LOOK_EVERY_MS."""
    import watchfiles  # noqa: PLC0415 - macOS goes another way

    changes = watchfiles.watch(
        *filter(Path.exists, WATCHED),  # the container has no envs
        watch_filter=lambda _, path: path.endswith(SUFFIXES),
        step=10,
        rust_timeout=LOOK_EVERY_MS,
        yield_on_timeout=True,
    )
    yield from map(bool, changes)


def _serve_once(arguments: list[str], saves: Iterator[bool], *, last_start: float | None = None) -> int:
    """Fork a server and return its exit status, or RELOAD when a file was saved since.

    A reload says when the packages were imported: whether they are still the same is looked up while the server
    starts.
    """
    noted = _saved()
    child = os.fork()
    if not child:
        os.environ["RUN_MAIN"] = "true"  # Django's sign that a reloader stands behind this process: this one
        if sys.dont_write_bytecode:  # in the container, to keep the checkout clean: cache it elsewhere
            sys.pycache_prefix = f"{tempfile.gettempdir()}/pycache-{os.getuid()}"
            sys.dont_write_bytecode = False
        _forget_doubtful_bytecode(noted)
        _plain([*arguments, "--noreload"])
        return 0
    with _signals_passed_on(child) as received:
        if last_start and _package_changed_since(last_start) and not received:
            _end(child)
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - ourselves, with fresh packages
        status = _watch(child, noted, saves)
        if last_start and status not in (0, RELOAD):
            status = _wait_for_a_save(noted, saves, received)
    return 0 if received else status


def _wait_for_a_save(noted: dict[str, int], saves: Iterator[bool], received: list[int]) -> int:
    if not received:
        sys.stderr.write("The server has ended (see above). It starts again when a file is saved.\n")
    while not received and _saved() == noted:
        next(saves)
    return RELOAD


def _watch(child: int, noted: dict[str, int], saves: Iterator[bool]) -> int:
    may_have_changed = True  # while the server before was ended
    while (status := _status(child)) is None:
        if may_have_changed and (changed := dict(_saved().items() ^ noted.items())):
            sys.stderr.write(f"{', '.join(sorted(changed))} changed, reloading.\n")
            _end(child)
            return RELOAD
        may_have_changed = next(saves)
    return status


def _status(child: int) -> int | None:
    ended, waited = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(waited) if ended else None


def _end(child: int) -> None:
    """Stop the server at once, as Django's reloader does."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@contextlib.contextmanager
def _signals_passed_on(child: int) -> Iterator[list[int]]:
    """Give the server the signals that end it, and say which came: the end must not look like a reload."""
    received: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    ends = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, pass_on) for number in ends}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _saved() -> dict[str, int]:
    """Return when each file of our own code and of the configuration was last saved."""
    times = {}
    for folder, _, names in itertools.chain.from_iterable(map(os.walk, WATCHED)):
        for path in (f"{folder}/{name}" for name in names if name.endswith(SUFFIXES)):
            with contextlib.suppress(OSError):  # an editor is replacing it
                times[path] = os.stat(path).st_mtime_ns
    return times


def _forget_doubtful_bytecode(saved: dict[str, int]) -> None:
    """Remove what was compiled in the second around a save or before it.

    Python takes bytecode for current when its source's size and whole second are the same, so the second of two
    saves within one second, such as one of `1` as `2`, would not be served.
    """
    for path in (path for path in saved if path.endswith(".py")):
        cached = Path(importlib.util.cache_from_source(path))
        with contextlib.suppress(OSError):  # there is none
            if cached.stat().st_mtime_ns < saved[path] + SECOND_NS:
                cached.unlink()


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
