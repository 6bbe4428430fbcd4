"""The simulator as a transport: the same bytes as over HTTP, and no sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

from ai_protocol_runtime.transport.base import HTTPRequest, Timeouts
from ai_protocol_runtime.types.errors import ConnectionFailedError, ProviderError, ProviderTimeoutError

from .server import Reply, Simulator


class InProcessTransport:
    """`Transport` to a `Simulator` in this process. Waits as long as it says, and no longer than the timeouts."""

    def __init__(self, simulator: Simulator | None = None) -> None:
        self.simulator = simulator or Simulator()

    def send(self, request: HTTPRequest, timeouts: Timeouts) -> Response:
        return Response(self._reply(request), timeouts)

    async def asend(self, request: HTTPRequest, timeouts: Timeouts) -> AsyncResponse:
        return AsyncResponse(self._reply(request), timeouts)

    def close(self) -> None:
        """Nothing: there is nothing open."""

    async def aclose(self) -> None:
        """Nothing, as `close`."""

    def _reply(self, request: HTTPRequest) -> Reply:
        url = urlsplit(request.url)
        path = f"{url.path}?{url.query}" if url.query else url.path
        try:
            return self.simulator.handle(request.method, path, request.headers, request.body)
        except ConnectionError as error:
            raise _broken(error) from None


class Response:
    """`HTTPResponse` of the simulator."""

    def __init__(self, reply: Reply, timeouts: Timeouts) -> None:
        self.status, self.headers = reply.status, reply.headers
        self._steps = _Steps(reply, timeouts)

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
            else:
                time.sleep(step)

    def close(self) -> None:
        self._steps.close()


class AsyncResponse:
    """`AsyncHTTPResponse` of the simulator."""

    def __init__(self, reply: Reply, timeouts: Timeouts) -> None:
        self.status, self.headers = reply.status, reply.headers
        self._steps = _Steps(reply, timeouts)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
            else:
                await asyncio.sleep(step)

    async def aclose(self) -> None:
        self._steps.close()


class _Steps:
    """The steps of a body, with waits cut to what the timeouts leave, and errors as a transport raises them."""

    def __init__(self, reply: Reply, timeouts: Timeouts) -> None:
        self._body = reply.body
        self._idle = timeouts.idle
        self._deadline = None if timeouts.total is None else time.monotonic() + timeouts.total
        self._closed = False

    def __iter__(self) -> Iterator[bytes | float]:
        try:
            for step in self._body:
                if self._closed:
                    return
                if isinstance(step, bytes):
                    yield step
                    continue
                left = None if self._deadline is None else max(self._deadline - time.monotonic(), 0.0)
                limits = [limit for limit in (self._idle, left) if limit is not None]
                limit = min(limits, default=None)
                if limit is None or step <= limit:
                    yield step
                    continue
                yield limit
                raise ProviderTimeoutError(f"nothing more of the answer came within {limit:g} s")
        except ConnectionError as error:
            raise _broken(error) from None

    def close(self) -> None:
        self._closed = True


def _broken(error: ConnectionError) -> ProviderError:
    return ConnectionFailedError(f"the connection failed: {error}")
