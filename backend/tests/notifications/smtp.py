"""A mail server that accepts everything and counts it, for workers in other processes."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes


class Sink(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as smtplib needs. `accepted` has the Message-ID of each mail, in the order they came.

    `before_answer` is called with the number of mails accepted so far, before the client learns that its mail was.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, before_answer: Callable[[int], None] = lambda _: None) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.accepted: list[str] = []
        self.connections = 0
        self.before_answer = before_answer
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The EMAIL_URL of this server."""
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def accept(self, data: bytes) -> None:
        """Count a mail."""
        with self._lock:
            self.accepted.append(str(message_from_bytes(data)["Message-ID"]).strip())
            self.before_answer(len(self.accepted))


class _Session(socketserver.StreamRequestHandler):
    server: Sink

    def handle(self) -> None:
        """Answer one client."""
        self.server.connections += 1
        self._say("220 sink")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say("354 go on")
                self.server.accept(b"".join(iter(self.rfile.readline, b".\r\n")))
            self._say("221 bye" if verb == b"QUIT" else "250 OK")
            if verb == b"QUIT":
                return

    def _say(self, text: str) -> None:
        try:
            self.wfile.write(f"{text}\r\n".encode())
        except OSError:  # the client was killed
            return


@contextmanager
def sink(before_answer: Callable[[int], None] = lambda _: None) -> Iterator[Sink]:
    """Run a mail server."""
    with Sink(before_answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
