"""The proxy of the production stack, with a backend that echoes and misbehaves on request."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import harness
from tests.e2e.harness import Client, Stack

APP = "https://app.example.org"
STUB = """
services:
  backend:
    build: !reset null
    image: python:3.11-slim
    pull_policy: never
    entrypoint: [python, /stub/stub_backend.py]
    volumes: !override
      - {stub}:/stub/stub_backend.py:ro
    working_dir: /tmp
    depends_on: !reset {{}}
    healthcheck:
      test: [CMD, python, -c, "import socket; socket.create_connection(('127.0.0.1', 8000))"]
"""


@pytest.fixture(scope="module")
def stack(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("proxy")
    (folder / "stub.yml").write_text(STUB.format(stub=Path(__file__).with_name("stub_backend.py")))
    http_port, https_port = harness.free_port(), harness.free_port()
    (folder / "prod.env").write_text(
        f"DJANGO_ENV=prod\nIMAGE_TAG={harness.IMAGE_TAG}-proxy\nPOSTGRES_PASSWORD=unused\nSITE_URL=http://localhost\n"
        f"SITE_ADDRESS=:80\nHTTP_PORT={http_port}\nHTTPS_PORT={https_port}\n"
        f"CORS_ALLOWED_ORIGINS={APP}:443, capacitor://localhost\n"
        "CORS_ALLOWED_ORIGIN_REGEXES=https://pr-[0-9]+\\.example\\.org\n"
    )
    stack = Stack(
        project=harness.project_name("proxy"),
        checkout=checkout,
        files=(*harness.PRODUCTION_FILES, str(folder / "stub.yml")),
        env_file=str(folder / "prod.env"),
        variables={"ENV_FILE": str(folder / "prod.env"), "HTTP_PORT": str(http_port)},
    )
    with harness.standing(stack):
        stack.up("--build", "proxy")
        site = Client("127.0.0.1", http_port)
        harness.wait_for("an answer through the proxy", lambda: site.get("/").status == 200)
        put(stack, "static/app.0123456789ab.js", "the script")
        put(stack, "static/app.0123456789ab.js.br", "brotli bytes")
        put(stack, "static/plain.css", "the style")
        put(stack, "static/build-1.json", "{}")
        put(stack, "media/a/letter.txt", "a private letter")
        yield stack


def put(stack: Stack, path: str, text: str) -> None:
    """Write a file into one of the volumes; the proxy itself may only read them."""
    volume, name = path.split("/", 1)
    program = (
        "import pathlib, sys; path = pathlib.Path(sys.argv[1]); "
        "path.parent.mkdir(parents=True, exist_ok=True); path.write_text(sys.argv[2])"
    )
    harness.run(
        "docker",
        "run",
        "--rm",
        "--user",
        "10001:10001",
        "-v",
        f"{stack.project}_{volume}_volume:/volume",
        "python:3.11-slim",
        "python",
        "-c",
        program,
        f"/volume/{name}",
        text,
    )


def post(path: str, header: str) -> bytes:
    """Return the head of a request whose body the test sends as it likes."""
    return f"POST {path} HTTP/1.1\r\nHost: todo.example\r\n{header}\r\nConnection: close\r\n\r\n".encode()


def received(connection: socket.socket) -> bytes:
    """Return all that comes until the other side hangs up, in whichever way."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client("127.0.0.1", int(stack.variables["HTTP_PORT"]), headers={"Host": "todo.example"})


def test_the_volumes_belong_to_the_fixed_user_although_the_proxy_mounted_them_first(stack: Stack) -> None:
    assert stack.execute("proxy", "stat", "-c", "%u:%g", "/srv/static", "/srv/media").stdout.split() == [
        "10001:10001",
        "10001:10001",
    ]


def test_it_passes_host_scheme_and_a_sane_request_id_on(client: Client) -> None:
    sent = client.get("/api/v1/me", X_Request_ID="abc-123", X_Forwarded_Proto="https").json()["headers"]
    assert sent["Host"] == "todo.example"
    assert sent["X-Request-Id"] == "abc-123"
    # this client is on a private network, as somebody else's TLS would be
    assert sent["X-Forwarded-Proto"] == "https"


def test_it_adds_the_client_alone_to_those_that_the_request_was_forwarded_for(client: Client) -> None:
    [own] = client.get("/").json()["headers"]["X-Forwarded-For"].split(", ")
    sent = client.get("/", X_Forwarded_For="203.0.113.7").json()["headers"]
    assert own != "127.0.0.1"
    assert sent["X-Forwarded-For"] == f"203.0.113.7, {own}"


def test_it_replaces_a_request_id_that_is_not_sane(client: Client) -> None:
    sent = client.get("/", X_Request_ID='a"b').json()["headers"]["X-Request-Id"]
    assert len(sent) == 36


def test_it_adds_what_the_backend_did_not_say_and_hides_the_server(client: Client) -> None:
    answer = client.get("/")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "Server" not in answer.headers


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/%6detrics", "//metrics", "/METRICS"])
def test_metrics_are_refused_from_outside(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:todo:problem:not_found"


@pytest.mark.parametrize(
    ("path", "instance"),
    [("/metrics/a-b_c.d~e", "/metrics/a-b_c.d~e"), ("/metrics/%22,%22x%22:%22%0a", ""), ("/metrics/%ff%5c", "")],
)
def test_its_problems_are_json_whatever_was_asked_for(client: Client, path: str, instance: str) -> None:
    problem = client.get(path).json()
    assert problem["instance"] == instance
    assert "x" not in problem


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/api/v1/tasks", 1_048_576, 200),
        ("/api/v1/tasks", 1_048_577, 413),
        ("/api/v1/imports/ics", 20_971_520 + 1000, 200),
        ("/api/v1/imports/ics", 22_020_097, 413),
        ("/api/v1/tasks/1/attachments", 2_000_000, 200),
    ],
)
def test_bodies_are_limited(client: Client, path: str, size: int, status: int) -> None:
    head = post(path, f"Content-Length: {size}")
    with socket.create_connection((client.host, client.port), timeout=120) as connection:
        connection.sendall(head)
        if status == 200:
            connection.sendall(b"x" * size)
        answer = received(connection)
    assert answer.split()[1] == str(status).encode()
    if status == 413:
        problem = json.loads(answer.split(b"\r\n\r\n", 1)[1])
        assert (problem["status"], problem["type"]) == (413, "urn:todo:problem:request_too_large")
    else:
        assert f'"received": {size}'.encode() in answer


def test_no_more_than_the_limit_of_a_body_without_a_length_reaches_the_backend(client: Client) -> None:
    head = post("/api/v1/tasks", "Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"

    def send() -> bytes:
        with socket.create_connection((client.host, client.port), timeout=120) as connection:
            with contextlib.suppress(ConnectionError):  # it may hang up as soon as it has seen enough
                connection.sendall(head + chunk * 40 + b"0\r\n\r\n")
            return received(connection)

    # a connection that is reset may lose the answer
    answer = harness.wait_for("an answer", send)
    if answer.split()[1] == b"200":
        assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["received"] <= 1_048_576
    else:
        assert answer.split()[1] == b"413"


def refused(client: Client, path: str, origin: str) -> harness.Answer:
    """Return the proxy's own answer to the announcement of a body that is too large."""
    return client.request("POST", path, Content_Length="1048577", Origin=origin)


@pytest.mark.parametrize("origin", [APP, "capacitor://localhost", "https://pr-12.example.org"])
def test_a_front_end_on_an_allowed_origin_may_read_the_proxys_own_errors(client: Client, origin: str) -> None:
    answer = refused(client, "/api/v1/tasks", origin)
    assert (answer.status, answer.json()["request_id"]) == (413, answer.headers["X-Request-ID"])
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "x-request-id" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example.org",
        f"{APP}:8443",
        f"{APP}.evil.example",
        "https://pr-12xexample.org",
        "https://pr-1.example.org.evil.example",
        "null",
    ],
)
def test_no_other_origin_may(client: Client, origin: str) -> None:
    answer = refused(client, "/api/v1/tasks", origin)
    assert answer.status == 413
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert answer.headers["Vary"] == "origin"


def test_what_is_not_the_api_is_for_no_other_origin(client: Client) -> None:
    assert "Access-Control-Allow-Origin" not in refused(client, "/admin/", APP).headers
    assert "Access-Control-Allow-Origin" not in client.get("/static/plain.css", Origin=APP).headers


def test_what_the_backend_says_about_origins_stays(client: Client) -> None:
    answer = client.get("/api/cors", Origin=APP)
    assert answer.headers.get_all("Access-Control-Allow-Origin") == ["https://from.the.backend"]
    assert answer.headers.get_all("Vary") == ["origin, Cookie"]


def test_an_answer_of_gunicorns_own_may_be_read_too(client: Client) -> None:
    answer = client.get("/api/gunicorn", Origin=APP)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (400, APP)


def test_a_slow_sender_holds_no_worker(client: Client) -> None:
    head = post("/api/v1/tasks", "Content-Length: 1000")
    with socket.create_connection((client.host, client.port), timeout=120) as connection:
        connection.sendall(head + b"x" * 500)
        time.sleep(10)
        connection.sendall(b"x" * 500)
        answer = received(connection)
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["seconds"] < 8


def test_static_files_come_from_the_volume_and_are_cached_for_good_when_hashed(client: Client) -> None:
    hashed = client.get("/static/app.0123456789ab.js")
    assert (hashed.status, hashed.text) == (200, "the script")
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    plain = client.get("/static/plain.css")
    assert (plain.text, plain.headers["Cache-Control"]) == ("the style", "public, max-age=300")


def test_precompressed_files_are_used(client: Client) -> None:
    answer = client.get("/static/app.0123456789ab.js", Accept_Encoding="br")
    assert (answer.text, answer.headers["Content-Encoding"]) == ("brotli bytes", "br")


@pytest.mark.parametrize(
    "path", ["/static/missing.js", "/static/build-1.json", "/static/../media/a/letter.txt", "/media/a/letter.txt"]
)
def test_everything_else_is_the_backends(client: Client, path: str) -> None:
    assert "path" in client.get(path).json()


def test_private_media_are_served_when_the_backend_says_so(client: Client) -> None:
    answer = client.get("/file")
    assert (answer.status, answer.text) == (200, "a private letter")
    assert answer.headers["Content-Disposition"] == "attachment"
    assert "X-Accel-Redirect" not in answer.headers
    part = client.get("/file", Range="bytes=2-8")
    assert (part.status, part.text) == (206, "private")


@pytest.mark.parametrize("path", ["/gone", "/escape"])
def test_private_media_that_do_not_exist_are_a_plain_404(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status == 404
    assert answer.json()["status"] == 404


def test_the_access_log_is_json_without_secrets(client: Client, stack: Stack) -> None:
    client.get("/logged?token=s3cret-query&limit=5", Authorization="Bearer s3cret-header", Cookie="a=s3cret-cookie")
    lines = harness.wait_for(
        "its line", lambda: [line for line in stack.logs("proxy").splitlines() if "/logged" in line]
    )
    entry = json.loads(lines[-1])
    assert entry["request"]["uri"] == "/logged[hidden]"
    assert "s3cret" not in stack.logs("proxy")


def test_it_runs_without_privileges_on_a_read_only_file_system(stack: Stack) -> None:
    assert stack.execute("proxy", "id", "-u").stdout.strip() == "10001"
    assert stack.execute("proxy", "touch", "/etc/caddy/x", check=False).returncode != 0
    assert stack.execute("proxy", "touch", "/srv/static/x", check=False).returncode != 0
    harness.wait_for("a healthy proxy", lambda: stack.health("proxy") == "healthy")


def test_a_body_is_never_another_requests(client: Client, stack: Stack) -> None:
    stack.compose("kill", "backend")
    answers: list[tuple[bytes, harness.Answer]] = []

    def send(sender: int) -> None:
        for number in range(40):
            body = f"{sender:02}-{number:03}".encode() * 100
            answers.append((body, client.request("POST", "/echo", body=body)))

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(12)]
    for sender in senders:
        sender.start()
    stack.compose("start", "backend")
    for sender in senders:
        sender.join()
    harness.wait_for("the backend", lambda: client.request("POST", "/echo", body=b"x").status == 200)
    wrong = [body for body, answer in answers if answer.status == 200 and answer.body != body]
    assert (len(answers), wrong) == (480, [])
    assert {answer.status for _, answer in answers} <= {200, 502, 503}


def test_a_release_can_show_a_maintenance_page(client: Client, stack: Stack) -> None:
    stack.execute("proxy", "touch", "/config/closed")
    answer = client.post("/api/v1/tasks", {}, Origin=APP, Accept="text/html")
    page = client.get("/admin/", Accept="text/html,*/*")
    stack.execute("proxy", "rm", "/config/closed")

    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["type"] == "urn:todo:problem:service_unavailable"
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert (page.status, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert answer.headers["Retry-After"] == page.headers["Retry-After"] == "5"
    assert "<h1>" in page.text
    assert client.get("/admin/").status == 200


def test_a_backend_that_is_away_is_a_problem_in_json(client: Client, stack: Stack) -> None:
    stack.compose("stop", "--timeout", "1", "backend")
    answer = client.get("/api/v1/me?token=s3cret-query", X_Request_ID="while-away", Cookie="a=s3cret-cookie")
    assert answer.status in (502, 503)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "5"
    problem = answer.json()
    assert problem["type"] == "urn:todo:problem:service_unavailable"
    assert (problem["status"], problem["instance"]) == (answer.status, "/api/v1/me")
    assert problem["request_id"] == answer.headers["X-Request-ID"] == "while-away"
    assert client.get("/static/plain.css").status == 200
    assert "s3cret" not in stack.logs("proxy")  # nor in its own lines about the failure


def test_a_front_end_learns_that_the_backend_is_away(client: Client, stack: Stack) -> None:
    stack.compose("stop", "--timeout", "1", "backend")
    asked = {
        "Origin": APP,
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "authorization",
    }
    preflight = client.request("OPTIONS", "/api/v1/tasks", **asked)
    assert (preflight.status, preflight.body) == (204, b"")
    assert preflight.headers["Access-Control-Allow-Origin"] == APP
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]
    answer = client.post("/api/v1/tasks", {}, Origin=APP)
    assert answer.status in (502, 503)
    assert answer.headers.get_all("Access-Control-Allow-Origin") == [APP]
    assert answer.headers.get_all("Vary") == ["origin"]
    assert answer.json()["type"] == "urn:todo:problem:service_unavailable"


def test_no_other_origin_learns_it(client: Client, stack: Stack) -> None:
    stack.compose("stop", "--timeout", "1", "backend")
    asked = {"Origin": "https://evil.example", "Access_Control_Request_Method": "POST"}
    assert "Access-Control-Allow-Origin" not in client.request("OPTIONS", "/api/v1/tasks", **asked).headers
    # without these headers it is no preflight
    assert client.request("OPTIONS", "/api/v1/tasks").status in (502, 503)
