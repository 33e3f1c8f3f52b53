"""The service with a slow and a broken path added below Django, for tests of the server itself."""

from __future__ import annotations

import time
from typing import Any

from todo_project.wsgi import application as service


def application(environ: dict[str, Any], start_response: Any) -> Any:
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1.5)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("below Django")
    return service(environ, start_response)
