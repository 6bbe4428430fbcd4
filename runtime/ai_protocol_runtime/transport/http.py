"""HTTP by httpx: the only module that names it.

The whole process shares one TLS context and one pool of connections; asyncio has a pool for each event loop, which is
closed with it. A client of the user's own (of httpx, or of its successor httpx2) is used instead where one is given,
and never closed.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import ssl
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from functools import lru_cache
from typing import Any

import httpx

from ai_protocol_runtime.types.errors import ArgumentError, ConnectionFailedError, ProviderTimeoutError

from .base import HTTPRequest, Timeouts
from .decoding import decoder

_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30.0)
_parsed = lru_cache(maxsize=256)(httpx.URL)
_OF_TRANSFER = ("content-encoding", "content-length", "transfer-encoding")


def received(status: int, headers: Mapping[str, str], body: bytes) -> httpx.Response:
    """An answer that has been read, as httpx has it. `headers` have lower-case names, text in `body` is UTF-8."""
    kept = {name: value for name, value in headers.items() if name not in _OF_TRANSFER}
    if "content-type" in kept:
        kept["content-type"] = kept["content-type"].partition(";")[0]  # the text may have come in another charset
    pairs = [(name.encode(), value.encode()) for name, value in kept.items()]
    return httpx.Response(status, headers=pairs, content=body)


class HTTPTransport:
    """`Transport` over httpx.

    `client` and `async_client` are the user's own (`httpx.Client` and `httpx.AsyncClient`, or those of httpx2); without
    them the pools that the process shares are used.
    """

    def __init__(self, client: Any = None, async_client: Any = None) -> None:
        self._client = client
        self._async_client = async_client

    def send(self, request: HTTPRequest, timeouts: Timeouts) -> Response:
        watch, line = _Watch(timeouts), _Line()
        while True:
            extensions = {"timeout": watch.limits(), "trace": line.note}
            try:
                client = self._client or _pools.sync()
                built = _build(self._client, request, extensions)
                answer = client.send(built, stream=True, follow_redirects=False)
            except Exception as error:
                if line.was_dead(error):
                    continue
                failure = _ours(error, watch)
            else:
                watch.answered(extensions["timeout"])
                return Response(answer, watch)
            # Raised here, and not above, because httpx's error holds the request with its key.
            raise failure

    async def asend(self, request: HTTPRequest, timeouts: Timeouts) -> AsyncResponse:
        watch, line = _Watch(timeouts), _Line()
        while True:
            extensions = {"timeout": watch.limits(), "trace": line.anote}
            try:
                client = self._async_client or await _pools.asynchronous()
                built = _build(self._async_client, request, extensions)
                answer = await client.send(built, stream=True, follow_redirects=False)
            except Exception as error:
                if line.was_dead(error):
                    continue
                failure = _ours(error, watch)
            else:
                watch.answered(extensions["timeout"])
                return AsyncResponse(answer, watch)
            raise failure

    def close(self) -> None:
        """Nothing: the pools belong to the process, and the user's clients to the user."""

    async def aclose(self) -> None:
        """Nothing, as `close`."""


class Response:
    """`HTTPResponse` over an httpx response whose body is still to be read."""

    __slots__ = ("_answer", "_watch", "headers", "status")

    def __init__(self, answer: Any, watch: _Watch) -> None:
        self._answer, self._watch = answer, watch
        self.status: int = answer.status_code
        self.headers = _headers(answer.headers.raw)

    def __iter__(self) -> Iterator[bytes]:
        if self._answer.is_stream_consumed:
            # A mock or a cache has read the body, and decoded it, before us.
            yield self._answer.content
            return
        try:
            decode, check = decoder(self.headers.get("content-encoding", "")), self._watch.check
            for piece in self._answer.stream:
                check()
                if decode is None:
                    yield piece
                else:
                    yield from decode(piece)
            return
        except Exception as error:
            failure = _ours(error, self._watch)
        finally:
            self._answer.close()
        raise failure

    def close(self) -> None:
        self._answer.close()


class AsyncResponse:
    """`AsyncHTTPResponse` over an httpx response whose body is still to be read."""

    __slots__ = ("_answer", "_watch", "headers", "status")

    def __init__(self, answer: Any, watch: _Watch) -> None:
        self._answer, self._watch = answer, watch
        self.status: int = answer.status_code
        self.headers = _headers(answer.headers.raw)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._answer.is_stream_consumed:
            yield self._answer.content
            return
        try:
            decode, check = decoder(self.headers.get("content-encoding", "")), self._watch.check
            async for piece in self._answer.stream:
                check()
                if decode is None:
                    yield piece
                else:
                    for part in decode(piece):
                        yield part
            return
        except Exception as error:
            failure = _ours(error, self._watch)
        finally:
            await self._answer.aclose()
        raise failure

    async def aclose(self) -> None:
        await self._answer.aclose()


class _Watch:
    """The timeouts of one request, in httpx's terms.

    httpx limits each read by itself. `total` is looked at with each piece of the body, and no read may take longer than
    what was left when the head came; so it can be overrun by one pause.
    """

    __slots__ = ("_deadline", "_phase", "_timeouts")

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._deadline = None if timeouts.total is None else time.monotonic() + timeouts.total
        self._phase = "first_byte"

    def limits(self) -> dict[str, float | None]:
        connect, first = self._left(self._timeouts.connect), self._left(self._timeouts.first_byte)
        return {"connect": connect, "pool": connect, "write": first, "read": first}

    def answered(self, limits: Any) -> None:
        """The head has come; from now on the pauses count. httpx looks `limits` up again when it reads the body."""
        self._phase = "idle"
        limits["read"] = self._left(self._timeouts.idle)

    def check(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise self.error("total")

    def error(self, phase: str | None = None) -> ProviderTimeoutError:
        if self._deadline is not None and time.monotonic() >= self._deadline:
            phase = "total"
        phase = phase or self._phase
        seconds = getattr(self._timeouts, phase)
        return ProviderTimeoutError(f"{_TIMEOUTS[phase]} within {seconds:g} s (timeout {phase!r})")

    def _left(self, limit: float | None) -> float | None:
        if self._deadline is None:
            return limit
        left = max(self._deadline - time.monotonic(), 0.001)
        return left if limit is None else min(limit, left)


_TIMEOUTS = {
    "connect": "there was no connection",
    "first_byte": "no answer began",
    "idle": "nothing more of the answer came",
    "total": "the call was not finished",
}


class _Line:
    """Tells a dead line from a failed answer.

    A connection kept from an earlier request may have been closed by the server just as it is used again. Then the
    request was not dealt with, and may go out once more.
    """

    __slots__ = ("_fresh", "_resent")

    def __init__(self) -> None:
        self._fresh = self._resent = False

    def note(self, event: str, info: Any) -> None:
        if event.startswith("connection.connect_"):
            self._fresh = True

    async def anote(self, event: str, info: Any) -> None:
        self.note(event, info)

    def was_dead(self, error: Exception) -> bool:
        broken = isinstance(error, _named("ReadError", "WriteError", "RemoteProtocolError"))
        if self._fresh or self._resent or not broken:
            return False
        self._resent = True
        return True


def _build(client: Any, request: HTTPRequest, extensions: dict[str, Any]) -> Any:
    if client is None:
        url, headers = _parsed(request.url), list(request.headers.items())
        return httpx.Request(request.method, url, headers=headers, content=request.body, extensions=extensions)
    # The user's client adds what it has of its own: headers, cookies, authentication.
    return client.build_request(
        request.method, request.url, headers=request.headers, content=request.body, extensions=extensions
    )


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _named(*names: str) -> tuple[type[Exception], ...]:
    """Exception classes of httpx, and of httpx2 where it is in use: the two families are not related."""
    families = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    return tuple(getattr(family, name) for family in families for name in names)


def _ours(error: Exception, watch: _Watch) -> Exception:
    if isinstance(error, _named("TimeoutException")):
        connecting = isinstance(error, _named("ConnectTimeout", "PoolTimeout"))
        return watch.error("connect" if connecting else None)
    if isinstance(error, _named("InvalidURL", "UnsupportedProtocol")):
        return ArgumentError(f"base_url: {error}")
    if isinstance(error, _named("HTTPError")):
        failure = ConnectionFailedError(f"the connection failed: {error or type(error).__name__}")
        failure.__cause__ = error.__cause__
        return failure
    return error


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep none: the pools are shared by callers with different keys. (Looking for them is slow, too.)"""


_NO_COOKIES = _NoCookies()


class _Client(httpx.Client):
    @property  # type: ignore[misc]  # where httpx's own can be set
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES


class _AsyncClient(httpx.AsyncClient):
    @property  # type: ignore[misc]  # where httpx's own can be set
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES


class _Pools:
    """The clients this process shares: one for synchronous calls, one for each event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._client: httpx.Client | None = None
        self._clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}
        self._closers: dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = {}

    def sync(self) -> httpx.Client:
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = _Client(verify=self._tls(), limits=_LIMITS)
        return self._client

    async def asynchronous(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            with self._lock:
                for old in [old for old in self._clients if old.is_closed()]:
                    del self._clients[old], self._closers[old]
                client = _AsyncClient(verify=self._tls(), limits=_LIMITS)
                self._clients[loop], self._closers[loop] = client, self._closing(loop, client)
            await anext(self._closers[loop])
        return client

    async def _closing(self, loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
        """An event loop that shuts down closes the asynchronous generators begun in it: so it closes its client too."""
        try:
            yield
        finally:
            self._clients.pop(loop, None)
            self._closers.pop(loop, None)
            await client.aclose()

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = httpx.create_ssl_context()
        return self._context

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


_pools = _Pools()


def _renew() -> None:
    """A forked child must not speak on its parent's connections."""
    global _pools
    _pools = _Pools()


atexit.register(lambda: _pools.close())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
