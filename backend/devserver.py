"""The development server: `manage.py runserver` behind a reloader that takes a fraction of a second.

    python devserver.py 127.0.0.1:8000

Most of a reload is importing Django and the other packages again, although only our own code has changed. So this
process imports what its first server has imported, except `todo_project`, and forks a new server after each save.
After installing other packages, start it again.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from watchfiles import watch
from watchfiles.main import FileChange

BACKEND = Path(__file__).resolve().parent
WATCHED = [path for path in (BACKEND / "todo_project", BACKEND.parent / "envs") if path.exists()]
SUFFIXES = (".py", ".html", "dev.env")
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(address: str) -> int:
    """Serve until a signal ends this process, and return its exit status."""
    os.environ.setdefault("DJANGO_ENV", "dev")
    if not hasattr(os, "fork") or sys.platform == "darwin":  # macOS forbids what its libraries do after a fork
        return _serve(address)  # with Django's own reloader
    for number in SIGNALS:
        signal.signal(number, lambda *_: sys.exit(0))
    saves = watch(*WATCHED, watch_filter=_is_ours, step=10, rust_timeout=100, yield_on_timeout=True)
    next(saves)  # from now on no save is missed
    reader, writer = os.pipe()
    server = Server()
    try:
        server.start(address, report=writer)
        os.close(writer)
        _import_packages(reader)
        return _reload(server, address, saves)
    except KeyboardInterrupt:  # what watchfiles makes of a signal
        return 0
    finally:
        server.stop()


class Server:
    """A forked process that serves; in that process itself, `pid` is 0."""

    pid = 0

    def start(self, address: str, *, report: int | None = None) -> None:
        """Fork a server, which writes the names of its modules to the descriptor `report`."""
        self.pid = os.fork()
        if self.pid:
            return
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.environ["RUN_MAIN"] = "true"  # Django's sign of a reloader
        if port := os.environ.get("DEBUGPY_PORT"):
            import debugpy  # noqa: PLC0415, T100 - wanted by the variable

            debugpy.listen((address.partition(":")[0], int(port)))  # noqa: T100 - wanted by the variable
        sys.exit(_serve(address, "--noreload", report=report))

    def stop(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def ended(self) -> int | None:
        """Return the exit status of a server that has just ended."""
        ended, status = os.waitpid(self.pid, os.WNOHANG) if self.pid else (0, 0)
        if not ended:
            return None
        self.pid = 0
        return os.waitstatus_to_exitcode(status)


def _reload(server: Server, address: str, saves: Iterator[set[FileChange]]) -> int:
    has_reloaded = False
    for saved in saves:
        if saved:
            paths = sorted({path for _, path in saved})
            sys.stderr.write(f"{', '.join(paths)} changed, reloading.\n")
            server.stop()
            for path in paths:  # after two saves within a second, Python takes the bytecode in between for current
                Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)
            server.start(address)
            has_reloaded = True
        elif (status := server.ended()) is not None:
            if not has_reloaded:
                return status
            sys.stderr.write("The server has ended (see above). It starts again when a file is saved.\n")
    return 0


def _is_ours(_change: object, path: str) -> bool:
    return path.endswith(SUFFIXES)


def _serve(address: str, *options: str, report: int | None = None) -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "todo_project.settings"
    import django  # noqa: PLC0415 - by the servers, not by the process that forks them
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - as above
    from django.urls import get_resolver  # noqa: PLC0415 - as above

    if report is not None:
        with open(report, "w", encoding="utf-8") as file:
            django.setup()
            get_resolver().url_patterns  # noqa: B018 - a property that imports every view
            file.write("\n".join(sys.modules))
    execute_from_command_line(["manage.py", "runserver", address, *options])
    return 0


def _import_packages(descriptor: int) -> None:
    """Import the packages that the first server reports. What needs settings fails, and is left to the servers."""
    # The debug toolbar looks for GDAL with 36 processes; None says that it is not there.
    sys.modules["django.contrib.gis.db.backends.postgis.adapter"] = None  # type: ignore[assignment] # typeshed knows modules only
    with open(descriptor, encoding="utf-8") as report:
        names = report.read().split()
    for name in names:
        if not name.startswith(("todo_project", "_split_settings", "__main__")):
            with contextlib.suppress(Exception):
                importlib.import_module(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
