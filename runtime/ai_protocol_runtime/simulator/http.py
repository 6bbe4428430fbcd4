"""The simulator over HTTP on this machine, with the standard library's server."""

from __future__ import annotations

import math
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from .server import Reply, Simulator

MAX_REQUEST = 64 * 1024 * 1024
"""Bytes that a request's body may have."""


class Server:
    """Serves a `Simulator` from a thread of its own; a context manager.

    `port` 0 takes a free one; `url` is where it then is. Nothing but the loopback address should be given as `host`,
    unless everybody who reaches it may use it. Raises OSError when the address is taken.
    """

    def __init__(self, simulator: Simulator | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.simulator = simulator or Simulator()
        self._closing = threading.Event()
        self._http = _HTTPServer((host, port), _handler(self.simulator, self._closing))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """For example ``http://127.0.0.1:41234``."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def wait(self) -> None:
        """Until the server is closed from another thread, or Ctrl-C is pressed."""
        # In steps, because a wait without limit cannot be interrupted on every platform.
        while not self._closing.wait(0.5):
            pass

    def close(self) -> None:
        """Stop serving, and break off what is still being answered."""
        if not self._closing.is_set():
            self._closing.set()
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    # Connections that are kept alive would keep `server_close` waiting.
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that went away is no event; a script that raises is.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _handler(simulator: Simulator, closing: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "ai-protocol-simulator"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            if length > MAX_REQUEST:
                self.send_error(413)
                return
            chunked = "chunked" in (self.headers.get("transfer-encoding") or "").lower()
            self._answer(self._chunks() if chunked else self.rfile.read(length))

        def _answer(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                reply = simulator.handle(self.command, self.path, headers, body)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "content-length" not in reply.headers:
                    self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                self._write(reply)
            except OSError:
                # The model's name asked for it, or the client has gone.
                self.close_connection = True

        def _write(self, reply: Reply) -> None:
            chunked = "content-length" not in reply.headers
            for step in reply.body:
                if not isinstance(step, bytes):
                    self.wfile.flush()
                    if closing.wait(None if math.isinf(step) else step):
                        self.close_connection = True
                        return
                elif chunked and step:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(step), step))
                else:
                    self.wfile.write(step)
            if chunked:
                self.wfile.write(b"0\r\n\r\n")

        def _chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(100).split(b";")[0] or b"0", 16):
                if len(body) + size > MAX_REQUEST:
                    raise ConnectionError("the request is too large")
                body += self.rfile.read(size)
                self.rfile.readline(100)
            self.rfile.readline(100)
            return body

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: what was asked is seen in `simulate(...)`."""

    return Handler
