"""A loopback server that keeps what it is asked and answers with what it was given: whole or as a stream."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.simulator.delivery import Delivery
from ai_protocol_runtime.wire import wire_format


@dataclass(frozen=True, slots=True)
class Asked:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Recorder:
    """Use as a context manager. `asked` are the requests since it was last cleared; `answer`, in the format `wire`, is
    what comes back, in the form that the request asks for; or else the text `payload`, as it is."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.wire = ""
        self.answer: dict[str, Any] = {}
        self.payload: str | None = None
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet, or each answer waits for an acknowledgement

            def log_message(self, *_: Any) -> None: ...

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                recorder.asked.append(Asked(self.path, headers, body))
                streamed = body.get("stream") or ":stream" in self.path
                if recorder.payload is not None:
                    payload = recorder.payload.encode()
                else:
                    payload = recorder.streamed() if streamed else json.dumps(recorder.answer).encode()
                self.send_response(200)
                self.send_header("content-type", "text/event-stream" if streamed else "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def streamed(self) -> bytes:
        """The answer as the format streams it."""
        wire = wire_format(self.wire, manifests())
        steps = Delivery(wire.decode_answer(self.answer)).stream(wire, "sse")
        return b"".join(step for step in steps if isinstance(step, bytes))

    def __enter__(self) -> Recorder:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
