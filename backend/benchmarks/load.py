"""Send load from loopback with wrk."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.processes import ToolMissing

SITE = "bench.example"
THREADS = 2
_SCRIPT = Path(__file__).with_name("load.lua")
# What the proxy adds in production.
_PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "Accept": "application/json"}


@dataclass(frozen=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    token: str | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_header(self, name: str, value: str) -> Request:
        """Return the same request with one more header."""
        return replace(self, headers={**self.headers, name: value})

    def all_headers(self) -> dict[str, str]:
        headers = {"Host": SITE, **_PROXY, **self.headers}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.body is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        return headers

    def wire(self) -> bytes:
        """Return the bytes that are sent."""
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in self.all_headers().items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + (self.body or b"")


class WrongAnswers(Exception):
    """An answer is not what it must be."""


@dataclass(frozen=True)
class Load:
    """What wrk reports of one run."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float


def program() -> str:
    """Return the path of wrk; raise ToolMissing if it is not installed."""
    found = shutil.which("wrk")
    if not found:
        raise ToolMissing("wrk, which makes the load, was not found. On Debian and Ubuntu: apt install wrk")
    return found


def version() -> str:
    said = subprocess.run([program(), "-v"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"wrk\s+(\S+)", said)
    return found[1].removeprefix("debian/") if found else "unknown"


def write_requests(path: Path, requests: Iterable[Request]) -> None:
    """Write requests in the format that load.lua reads."""
    with path.open("wb") as file:
        for request in requests:
            wire = request.wire()
            file.write(b"%d\n%b" % (len(wire), wire))


def run(*, port: int, requests: Path, seconds: float, connections: int, status: int) -> Load:
    """Send the requests for some seconds; raise WrongAnswers unless every answer has the status."""
    command = [program(), f"-t{THREADS}", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s"]
    command += ["-s", str(_SCRIPT), f"http://127.0.0.1:{port}", "--", str(requests), str(THREADS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    return parse(done.stdout, status=status, otherwise=done.stdout + done.stderr)


def parse(said: str, *, status: int, otherwise: str = "") -> Load:
    """Parse what load.lua printed; raise WrongAnswers for any other status or a broken connection."""
    found = re.search(r"^RESULT (.*)$", said, re.MULTILINE)
    if not found:
        raise RuntimeError(f"wrk printed no result:\n{otherwise}")
    result = json.loads(found[1])
    others = {name: count for name, count in result["statuses"].items() if name != str(status)}
    if others or result["socket_errors"] or not result["requests"]:
        raise WrongAnswers(
            f"of {result['requests']} answers, which should all be {status}: other statuses {others}, "
            f"{result['socket_errors']} broken connections"
        )
    return Load(
        requests=result["requests"],
        seconds=result["microseconds"] / 1e6,
        p50_ms=result["p50"] / 1e3,
        p99_ms=result["p99"] / 1e3,
    )
