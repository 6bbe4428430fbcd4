"""A scripted server on loopback that plays one script a request, down to the bytes and the pauses."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ai_protocol_runtime.client import AIClient

MANIFESTS = Path(__file__).parent / "manifests"
KEY = "made-up-0123456789abcdef"


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Script = Callable[["Line", Received], None]


@dataclass
class Line:
    """One connection, seen from the server. `keep` decides whether it is used again."""

    socket: socket.socket
    number: int
    keep: bool = True

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait_for_hangup(self, seconds: float) -> bool:
        """Whether the client has closed the connection within this time."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


def answer(body: Any, status: int = 200, **headers: str) -> Script:
    """A whole answer: JSON, or bytes as they are. Header names are written with `_` for `-`."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {"content-type": "application/json", "content-length": str(len(data))}
    head |= {name.replace("_", "-"): value for name, value in headers.items()}

    def play(line: Line, request: Received) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in head.items())]
        line.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data)

    return play


def streamed(*pieces: bytes | float, end: bool = True, content_type: str = "text/event-stream") -> Script:
    """A chunked body: bytes are sent, numbers are pauses in seconds. Without `end` the connection is cut."""

    def play(line: Line, request: Received) -> None:
        line.send(f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        for piece in pieces:
            if isinstance(piece, bytes):
                line.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            elif line.wait_for_hangup(piece):
                line.keep = False
                return
        if end:
            line.send(b"0\r\n\r\n")
        else:
            line.keep = False

    return play


def silence(seconds: float) -> Script:
    """No answer, for this long or until the client hangs up."""

    def play(line: Line, request: Received) -> None:
        line.wait_for_hangup(seconds)
        line.keep = False

    return play


def vanish() -> Script:
    """The connection ends without an answer."""

    def play(line: Line, request: Received) -> None:
        line.keep = False

    return play


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + (e if isinstance(e, bytes) else json.dumps(e).encode()) + b"\n\n" for e in events)


@dataclass
class Server:
    """Plays `scripts` in order, the last one again and again."""

    scripts: list[Script] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    hangups: list[int] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, *scripts: Script) -> None:
        self.scripts = list(scripts)

    def hang_up(self) -> None:
        """Close every connection that is open."""
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def until(self, seen: Callable[[], Any], seconds: float = 5.0) -> None:
        """Wait for what the server is to see."""
        deadline = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < deadline, "the server did not see it"
            time.sleep(0.005)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # closing alone does not wake the thread that accepts
        self.listener.close()
        self.hang_up()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(Line(sock, self.connections),), daemon=True).start()

    def _serve(self, line: Line) -> None:
        try:
            with line.socket, line.socket.makefile("rb") as file:
                while line.keep and (request := _received(file, line.number)) is not None:
                    self.requests.append(request)
                    script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                    script(line, request)
        except OSError:
            pass
        self.hangups.append(line.number)


def _received(file: Any, number: int) -> Received | None:
    first = file.readline().decode("latin-1").split()
    if len(first) < 3:
        return None
    headers = {}
    while line := file.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Received(first[0], first[1], headers, file.read(int(headers.get("content-length", 0))), number)


@pytest.fixture
def say() -> Any:
    """What a server can say: the functions of this module."""
    return sys.modules[__name__]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@dataclass
class Caller:
    """One way of calling, so that each test is written once: synchronous, or in the running event loop."""

    asynchronous: bool

    async def chat(self, client: AIClient, *args: Any, **params: Any) -> Any:
        if self.asynchronous:
            return await client.achat(*args, **params)
        return client.chat(*args, **params)

    async def stream(self, client: AIClient, *args: Any, into: list[Any] | None = None, **params: Any) -> list[Any]:
        """The events; those before an error are in `into`."""
        events = [] if into is None else into
        if self.asynchronous:
            async for event in client.astream(*args, **params):
                events.append(event)
        else:
            for event in client.stream(*args, **params):
                events.append(event)
        return events


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def caller(request: pytest.FixtureRequest) -> Caller:
    return Caller(request.param)


@pytest.fixture
def connect(server: Server) -> Callable[..., AIClient]:
    """Makes clients of the provider that only these tests have, at the server unless told otherwise."""
    from ai_protocol_runtime.client import AIClient

    def make(model: str = "acme/chat-1", **arguments: Any) -> AIClient:
        usual = {"api_key": KEY, "base_url": server.origin, "manifests": MANIFESTS, "max_retries": 0}
        return AIClient(model, **usual | arguments)

    make.key, make.manifests = KEY, MANIFESTS  # type: ignore[attr-defined]
    return make


@pytest.fixture
def client(connect: Callable[..., AIClient]) -> AIClient:
    return connect()


def completion(text: str = "Hello", **more: Any) -> dict[str, Any]:
    """A whole answer of the chat-completions form."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        **more,
    }


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """One piece of a stream of that form."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [choice]}


def said(*texts: str) -> list[bytes]:
    """A complete stream of that form, one event a piece."""
    events = [chunk({"content": text}) for text in texts]
    return [sse(event) for event in [*events, chunk({}, "stop"), b"[DONE]"]]
