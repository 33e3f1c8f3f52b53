"""The service with a slow and a broken path added below Django, for tests of the server itself."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from todo_project.ops.observability import metrics
from todo_project.wsgi import application as service


def application(environ: dict[str, Any], start_response: Any) -> Any:
    if environ["PATH_INFO"] == "/slow":
        Path(os.environ["IS_ANSWERING"]).touch()
        time.sleep(1.5)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]
    if environ["PATH_INFO"] == "/slow-in-django":
        metrics.IN_FLIGHT.inc()
        time.sleep(80)
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("below Django")
    return service(environ, start_response)
