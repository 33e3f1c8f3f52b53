"""Stands in for the backend behind the real proxy: echoes what arrives, and misbehaves on request."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Stub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/slow":
            time.sleep(70)
        if path == "/file":
            self._answer(b"", X_Accel_Redirect="/media/a/letter.txt", Content_Disposition="attachment")
        elif path == "/escape":
            self._answer(b"", X_Accel_Redirect="/media/../../etc/passwd")
        elif path == "/api/cors":
            self._answer(b"", Access_Control_Allow_Origin="https://from.the.backend", Vary="origin, Cookie")
        elif path == "/api/gunicorn":
            self._answer(b"", status=400)
        elif path == "/gone":
            self._answer(b"", X_Accel_Redirect="/media/a/missing.txt")
        else:
            self._answer(json.dumps({"headers": dict(self.headers), "path": self.path}).encode())

    def do_POST(self) -> None:
        started = time.time()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/echo":
            self._answer(body)
            return
        received = len(body)
        while "chunked" in self.headers.get("Transfer-Encoding", "") and (size := int(self.rfile.readline(), 16)):
            received += len(self.rfile.read(size))
            self.rfile.readline()
        self._answer(json.dumps({"received": received, "seconds": time.time() - started}).encode())

    def _answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), Stub).serve_forever()
