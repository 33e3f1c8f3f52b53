"""The service with a slow and a broken path added below Django, for tests of the server itself."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register

from todo_project.ops.observability import metrics
from todo_project.wsgi import application as service

os.register_at_fork(after_in_child=lambda: time.sleep(float(os.environ.get("SLOW_FORK_SECONDS", "0"))))

settings.SILENCED_SYSTEM_CHECKS = ["tests.E002"]


@register(Tags.security)
def find_what_nobody_wants_to_know(app_configs: Any, **options: Any) -> list[Error]:
    return [Error("An error that is silenced.", id="tests.E002")]


def application(environ: dict[str, Any], start_response: Any) -> Any:
    if environ["PATH_INFO"] == "/slow":
        Path(os.environ["IS_ANSWERING"]).touch()
        time.sleep(1.5)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]
    if environ["PATH_INFO"] == "/garbage":
        start_response("200 OK", [])
        return [f"{gc.isenabled()} {gc.get_threshold()[0]}".encode()]
    if environ["PATH_INFO"] == "/slow-in-django":
        metrics.IN_FLIGHT.inc()
        time.sleep(80)
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("below Django")
    return service(environ, start_response)
