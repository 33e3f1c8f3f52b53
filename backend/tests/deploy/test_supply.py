"""The audit against a simulated OSV, and the bill of materials."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source import BACKEND, REPOSITORY

AUDIT = REPOSITORY / "deploy" / "supply" / "audit"
LOCK = """\
good==1.0 \\
    --hash=sha256:00
bad==2.0 ; python_version < '4' \\
    --hash=sha256:00
"""


class Osv(BaseHTTPRequestHandler):
    """Knows one vulnerable package."""

    def do_POST(self) -> None:
        assert self.path == "/v1/querybatch"
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        bad = {"package": {"name": "bad", "ecosystem": "PyPI"}, "version": "2.0"}
        results = [{"vulns": [{"id": "GHSA-1"}, {"id": "PYSEC-2"}]} if query == bad else {} for query in asked]
        body = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def osv() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Osv)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def audit(service: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AUDIT, *arguments],
        env={"PATH": os.environ["PATH"], "OSV_SERVICE": service},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_what_is_known_is_listed(osv: str, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(LOCK)
    done = audit(osv, tmp_path / "lock.txt")
    assert done.returncode == 1
    assert "bad==2.0: GHSA-1, PYSEC-2" in done.stdout
    assert "2 packages checked, 1 with" in done.stdout
    result = json.loads(audit(osv, tmp_path / "lock.txt", "--json").stdout)
    assert result == {"asked": 2, "vulnerable": {"bad==2.0": ["GHSA-1", "PYSEC-2"]}}


def test_every_lock_is_asked_about(osv: str) -> None:
    done = audit(osv)
    assert done.returncode == 0, done.stderr
    names = re.findall(
        r"^[A-Za-z0-9][A-Za-z0-9._-]*==[^ ;\\]+",
        "\n".join((BACKEND / "requirements" / f"{lock}.txt").read_text() for lock in ("prod", "dev", "bench")),
        re.MULTILINE,
    )
    assert int(done.stdout.split()[0]) == len(set(names)) > 90


def test_without_an_answer_it_claims_nothing() -> None:
    done = audit("http://127.0.0.1:9")
    assert done.returncode == 3
    assert "are unknown" in done.stderr
