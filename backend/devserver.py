"""The development server: `manage.py runserver`, restarted after each save.

    python devserver.py 127.0.0.1:8000

Most of a start is importing Django and the other packages. So this process imports the packages that our code
imports, and each server is a fork of it. Restart it after installing packages.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import os
import re
import signal
import sys
import threading
from pathlib import Path

from django.core.management import call_command
from watchfiles import PythonFilter, watch

import manage

BACKEND = Path(__file__).resolve().parent
WATCHED = [path for path in (BACKEND / "todo_project", BACKEND.parent / "envs") if path.exists()]
SAVED = PythonFilter(extra_extensions=(".html", "dev.env"))
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PROCESSES = multiprocessing.get_context("spawn" if sys.platform == "darwin" else "fork")  # no safe fork on macOS


def main(address: str) -> None:
    """Serve until a signal ends this process."""
    for number in SIGNALS:
        signal.signal(number, lambda *_: sys.exit(0))
    _import_packages()
    saves = watch(*WATCHED, watch_filter=SAVED, step=10, rust_timeout=100, yield_on_timeout=True)
    next(saves)  # from now on no save is missed
    while True:
        server = PROCESSES.Process(target=_serve, args=[address], daemon=True)  # a daemon ends with this process
        server.start()
        paths = sorted({path for _, path in next(filter(None, saves))})
        sys.stderr.write(f"{', '.join(paths)} changed, reloading.\n")
        server.kill()
        server.join()
        for path in paths:  # after two saves within a second, Python takes the bytecode in between for current
            Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)


def _import_packages() -> None:
    """Import the packages that our code imports. What needs settings fails, and is left to the servers."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (BACKEND / "todo_project").rglob("*.py"))
    for name in sorted(set(re.findall(r"^\s*(?:from|import) (?!todo_project)(\w[\w.]*)", code, re.MULTILINE))):
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _serve(address: str) -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    sys.stdin = os.fdopen(0)  # for breakpoint(); multiprocessing has taken it away
    os.environ["RUN_MAIN"] = "true"  # Django's sign of a reloader
    if port := os.environ.get("DEBUGPY_PORT"):
        import debugpy  # noqa: PLC0415, T100 - wanted by the variable

        debugpy.listen((address.partition(":")[0], int(port)))  # noqa: T100 - wanted by the variable
    notify = threading.Timer(60, call_command, ["notify", "--every-minute"])  # once the settings are loaded
    notify.daemon = True
    notify.start()
    sys.argv = ["manage.py", "runserver", address, "--noreload"]
    try:
        manage.main()
    finally:
        sys.stderr.write("The server has ended. It starts again when a file is saved.\n")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # what watchfiles makes of a signal
        main(sys.argv[1])
