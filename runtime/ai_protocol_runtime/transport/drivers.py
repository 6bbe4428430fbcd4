"""The two drivers: they do what the decisions of a call ask for, one in this thread, one in the running event loop.

Decisions are a generator of commands. A result goes back into it, and so does the `ProviderError` that came instead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from ai_protocol_runtime.types import StreamingEvent
from ai_protocol_runtime.types.errors import ProviderError

from .base import AsyncHTTPResponse, HTTPRequest, HTTPResponse, Timeouts, Transport

T = TypeVar("T")


@dataclass(slots=True)
class Send:
    """Send this request; an answer that is still open is given up. Brings the `Head` of the answer."""

    request: HTTPRequest
    timeouts: Timeouts


@dataclass(slots=True)
class Head:
    status: int
    headers: dict[str, str]


@dataclass(slots=True)
class Wait:
    """Let `seconds` go by."""

    seconds: float


class Read:
    """Read on in the answer. Brings bytes, or None at its end."""


READ: Final = Read()

Command: TypeAlias = Send | Wait | Read | list[StreamingEvent]
"""A list holds events for the caller."""

Steps: TypeAlias = Generator[Command, Any, None]


class Decisions(Protocol):
    """What is driven. `now` is told the time, in seconds on a clock that only rises, when a `Send` or a `Wait` is over,
    and with every error."""

    now: float

    def steps(self) -> Steps: ...


def drive(decisions: Decisions, transport: Transport) -> Iterator[StreamingEvent]:
    """The events of a call. Leaving the iteration closes the connection."""
    steps = decisions.steps()
    response: HTTPResponse | None = None
    pieces: Iterator[bytes] = iter(())
    result: Any = None
    failure: ProviderError | None = None
    try:
        while True:
            try:
                command = steps.send(result) if failure is None else steps.throw(failure)
            except StopIteration:
                return
            result = failure = None
            if isinstance(command, list):
                yield from command
                continue
            try:
                if command is READ:
                    result = next(pieces, None)
                elif isinstance(command, Send):
                    if response is not None:
                        response.close()
                    response = transport.send(command.request, command.timeouts)
                    pieces, result = iter(response), Head(response.status, response.headers)
                    decisions.now = time.monotonic()
                elif isinstance(command, Wait):
                    time.sleep(command.seconds)
                    decisions.now = time.monotonic()
            except ProviderError as error:
                failure = error
                decisions.now = time.monotonic()
    finally:
        steps.close()
        if response is not None:
            response.close()


async def adrive(decisions: Decisions, transport: Transport) -> AsyncIterator[StreamingEvent]:
    """The events of a call. Leaving the iteration and closing it, or cancelling the task, closes the connection."""
    steps = decisions.steps()
    response: AsyncHTTPResponse | None = None
    pieces: AsyncIterator[bytes] | None = None
    result: Any = None
    failure: ProviderError | None = None
    try:
        while True:
            try:
                command = steps.send(result) if failure is None else steps.throw(failure)
            except StopIteration:
                return
            result = failure = None
            if isinstance(command, list):
                for event in command:
                    yield event
                continue
            try:
                if command is READ:
                    result = await anext(pieces, None) if pieces is not None else None
                elif isinstance(command, Send):
                    if response is not None:
                        await response.aclose()
                    response = await transport.asend(command.request, command.timeouts)
                    pieces, result = aiter(response), Head(response.status, response.headers)
                    decisions.now = time.monotonic()
                elif isinstance(command, Wait):
                    await asyncio.sleep(command.seconds)
                    decisions.now = time.monotonic()
            except ProviderError as error:
                failure = error
                decisions.now = time.monotonic()
    finally:
        steps.close()
        if response is not None:
            await response.aclose()


async def gather(jobs: Sequence[Callable[[], Awaitable[T]]], limit: int) -> list[T]:
    """The results of `jobs`, in order, with at most `limit` under way at a time. The first error ends the others."""
    free = asyncio.Semaphore(limit)

    async def run(job: Callable[[], Awaitable[T]]) -> T:
        async with free:
            return await job()

    tasks = [asyncio.ensure_future(run(job)) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
