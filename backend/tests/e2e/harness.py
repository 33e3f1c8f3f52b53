"""Drives the container engine for the end-to-end suite: copies of the checkout, Compose stacks, HTTP.

Everything it starts carries a project name of its own and is taken down with its volumes, whatever happens.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.processes import free_port

REPOSITORY = Path(__file__).resolve().parents[3]
T = TypeVar("T")
# several checkouts may test on one engine at once
# one for each process of pytest-xdist: a stack is created anew when another one builds the image of its tag
IMAGE_TAG = f"{os.environ.get('E2E_IMAGE_TAG', 'e2e')}-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
PRODUCTION_FILES = ("docker-compose.yml", "docker-compose.prod.yml")
OUTLIVING = ("backup_volume", "proxy_data", "records")
# Seconds for one command, and for something to come about: no test is about speed, and the machine may be busy.
PATIENCE = 1800


def say(text: str) -> None:
    """Print a progress line past pytest's capture, so that a long step does not look like a hang."""
    sys.__stderr__.write(f"\n[e2e {time.strftime('%H:%M:%S')}] {text}\n")
    sys.__stderr__.flush()


def run(
    *command: str, cwd: Path | None = None, check: bool = True, timeout: float = PATIENCE, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it said; its whole output is in the error when it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=environment(**env), capture_output=True, text=True, timeout=timeout, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without what would leak into the stacks' configuration."""
    kept = {"PATH", "HOME", "LANG", "TMPDIR", "DOCKER_HOST", "DOCKER_CONFIG", "XDG_CACHE_HOME"}
    return {name: value for name, value in os.environ.items() if name in kept} | extra


def copy_checkout(target: Path) -> Path:
    """Copy what git tracks or would track, as it stands, and nothing that is ignored."""
    listed = run("git", "ls-files", "-co", "--exclude-standard", "-z", cwd=REPOSITORY).stdout
    names = [name for name in listed.split("\0") if name and (REPOSITORY / name).exists()]
    for name in names:
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_bytes((REPOSITORY / name).read_bytes())
        destination.chmod((REPOSITORY / name).stat().st_mode)
    return target


def project_name(kind: str) -> str:
    """Return a Compose project name that no other run uses."""
    return f"e2e-{kind}-{secrets.token_hex(3)}"


def wait_for(what: str, probe: Callable[[], T | None], *, timeout: float = 600, interval: float = 0.2) -> T:
    """Return the first true result of `probe`; exceptions count as not yet."""
    deadline = time.monotonic() + timeout
    last: Any = None
    while time.monotonic() < deadline:
        try:
            result = probe()
            if result:
                return result
            last = result
        except (OSError, http.client.HTTPException, AssertionError, LookupError, ValueError) as error:
            last = error
        time.sleep(interval)
    raise AssertionError(f"{what} did not happen within {timeout:g} s; last seen: {last!r}")


@dataclass(frozen=True)
class Answer:
    """An HTTP response, read whole."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Sends requests to one address; follows no redirect and keeps no connection."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def request(
        self,
        method: str,
        path: str,
        *,
        data: Any = None,
        body: bytes | None = None,
        timeout: float = 120,
        **headers: str,
    ) -> Answer:
        """Send one request; `data` goes as JSON, header names are written with underscores."""
        connection = self.connection(timeout)
        try:
            return self.on(connection, method, path, data=data, body=body, **headers)
        finally:
            connection.close()

    def on(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        *,
        data: Any = None,
        body: bytes | None = None,
        **headers: str,
    ) -> Answer:
        """Send one request on a connection that stays open."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            body = json.dumps(data).encode()
            sent["Content-Type"] = "application/json"
        connection.request(method, path, body=body, headers=sent)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def post(self, path: str, data: Any = None, **headers: str) -> Answer:
        return self.request("POST", path, data=data, **headers)

    def upload(self, path: str, name: str, content: bytes) -> Answer:
        """Send one file as a multipart form."""
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = head.encode() + b"Content-Type: text/calendar\r\n\r\n" + content + f"\r\n--{boundary}--\r\n".encode()
        return self.request("POST", path, body=body, Content_Type=f"multipart/form-data; boundary={boundary}")

    def connection(self, timeout: float = 120) -> http.client.HTTPConnection:
        """Return a connection that is opened by its first request."""
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)


@dataclass
class Stack:
    """One Compose project of a checkout."""

    project: str
    checkout: Path
    files: tuple[str, ...] = ()
    env_file: str | None = None
    variables: dict[str, str] = field(default_factory=dict)

    def compose(
        self, *arguments: str, check: bool = True, timeout: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """Run docker compose as a user would in that checkout."""
        chosen = [part for name in self.files for part in ("-f", name)]
        chosen += ["--env-file", self.env_file] if self.env_file else []
        extra = {"COMPOSE_PROJECT_NAME": self.project} | self.variables
        return run(
            "docker", "compose", *chosen, *arguments, cwd=self.checkout, check=check, timeout=timeout, **extra
        )

    def up(self, *arguments: str) -> float:
        """Bring everything up and return the seconds it took."""
        start = time.monotonic()
        self.compose("up", "-d", *arguments)
        return time.monotonic() - start

    def down(self) -> None:
        """Stop it and keep its data."""
        self.compose("down", "--timeout", "30")

    def destroy(self) -> None:
        """Remove all of it, the volumes too, also those that outlive `down --volumes`."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)
        run("docker", "volume", "rm", "--force", *(f"{self.project}_{name}" for name in OUTLIVING), check=False)

    def logs(self, *services: str) -> str:
        """Return everything the services have written."""
        return self.compose("logs", "--no-color", "--no-log-prefix", *services).stdout.replace("\x1b[2K", "")

    def execute(self, service: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in a running container."""
        return self.compose("exec", "-T", service, *command, check=check)

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """Return docker's own description of the containers, stopped ones too."""
        ids = self.compose("ps", "--all", "--quiet", *([service] if service else [])).stdout.split()
        return list(json.loads(run("docker", "inspect", *ids).stdout)) if ids else []

    def health(self, service: str) -> str:
        """Return the health of a service's only container."""
        return str(self.containers(service)[0]["State"]["Health"]["Status"])


def within_a_window(seconds: int, work: Callable[[], T]) -> T:
    """Return the result of the first call that begins and ends in the same window in which the service counts."""

    def attempt() -> T | None:
        window = time.time() // seconds
        result = work()
        return result if time.time() // seconds == window else None

    return wait_for(f"a call within one window of {seconds} s", attempt)


@contextmanager
def standing(stack: Stack) -> Iterator[Stack]:
    """Take the stack down at the end; when a test failed, show its last words first."""
    try:
        yield stack
    except BaseException:
        say(
            f"{stack.project} failed; its last lines:\n" + stack.compose("logs", "--tail", "40", check=False).stdout
        )
        raise
    finally:
        stack.destroy()


def deployed(checkout: Path, env: str, *, tag: str = IMAGE_TAG, **values: str) -> Stack:
    """Return a staging or production stack whose env file `config init` has written, on free ports."""
    http_port, https_port = free_port(), free_port()
    project = project_name(env)
    name = f"envs/{env}.env"
    (checkout / name).unlink(missing_ok=True)
    run(sys.executable, "-m", "todo_project.config", "init", "--env", env, cwd=checkout / "backend")
    wanted = {
        "COMPOSE_PROJECT_NAME": project,
        "COMPOSE_FILE": ":".join(PRODUCTION_FILES),
        "IMAGE_TAG": tag,
        "SITE_URL": f"https://localhost:{https_port}",
        "HTTP_PORT": str(http_port),
        "HTTPS_PORT": str(https_port),
        # an hour ago: the first backup is made at once, and none by the timer while the tests count them
        "RELEASE_WATCH_SECONDS": "1",
        "BACKUP_AT": time.strftime("%H:%M", time.gmtime(time.time() - 3600)),
    } | values
    kept = [line for line in (checkout / name).read_text().splitlines() if line.split("=")[0] not in wanted]
    lines = [*kept, *(f"{key}={value}" for key, value in wanted.items())]
    (checkout / name).write_text("\n".join(lines) + "\n")
    return Stack(
        project, checkout, PRODUCTION_FILES, name, {"HTTP_PORT": str(http_port), "HTTPS_PORT": str(https_port)}
    )
