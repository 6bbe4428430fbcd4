"""Models that say what they were told to: for tests.

    with simulate("forecaster", ["Sunny.", RateLimitedError("slow down"), "Cloudy."]) as forecaster:
        answer = AIClient("simulator/forecaster").chat("Weather in Rome?")
        assert forecaster.requests[0].messages[-1].role == "user"

The name is known to every simulator of this process, in-process or over HTTP, from any thread or task.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from types import TracebackType
from typing import Any, TypeAlias

from ai_protocol_runtime.types import Answer, Candidate, Message, Part, Request, Text, ToolCall, ToolChoice
from ai_protocol_runtime.types.errors import ArgumentError, InvalidRequestError

Item: TypeAlias = str | Part | Sequence[Part] | Message | Answer | dict[str, Any] | Exception
"""One thing to say.

A string is a text, a dict structured output: the arguments of the tool that the request forces, else JSON text. What an
`Answer` leaves open (id, usage, finish reason ...) is filled in. An exception is raised the way a provider would:

- a `ProviderError` becomes an HTTP error (its `status`, `body` and `retry_after`, as far as they are given); with
  `partial` set, a stream brings that much first and then the error in its own words;
- a `StreamInterruptedError` with `partial` brings that much, then the body ends;
- any other exception breaks the connection.
"""

Script: TypeAlias = Item | Iterable[Item | Callable[[Request], Item]] | Callable[[Request], Item]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came: decoded, and its wire form (`body` is the parsed JSON)."""

    request: Request
    path: str
    headers: dict[str, str] = field(repr=False)  # they may hold keys
    body: dict[str, Any]


class Simulated:
    """A model that follows a script. `received` is what it was asked so far, `pace` the seconds before each event."""

    def __init__(self, name: str, script: Script, pace: float) -> None:
        self.name = name
        self.pace = pace
        self.received: list[Received] = []
        alone = isinstance(script, str | dict | Exception) or hasattr(script, "kind")
        items: Any = repeat(script) if callable(script) else [script] if alone else script
        self._items: Iterator[Any] = iter(items)
        self._lock = threading.Lock()

    @property
    def requests(self) -> list[Request]:
        """The decoded requests, in the order in which they came."""
        return [received.request for received in self.received]

    def next(self, received: Received) -> Item:
        """Note the request and give the next item of the script."""
        with self._lock:
            self.received.append(received)
            count = len(self.received)
            item: Any = next(self._items, _SPENT)
        if item is _SPENT:
            said = f"the script of {self.name!r} has {count - 1} answers, and was asked for number {count}"
            return InvalidRequestError(said, status=400)
        answer: Item = item(received.request) if callable(item) else item
        return answer

    def close(self) -> None:
        """Forget the name."""
        with _lock:
            if _known.get(self.name) is self:
                del _known[self.name]

    def __enter__(self) -> Simulated:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_SPENT = object()
_lock = threading.Lock()
_known: dict[str, Simulated] = {}


def simulate(name: str, script: Script, *, pace: float = 0.0) -> Simulated:
    """Make ``simulator/<name>`` follow a script, until it is closed (it is a context manager).

    `script` is a list of items, each an answer or a function from the `Request` to one, given in turn; or one answer;
    or one function for all requests. When the answers are used up, further requests get an HTTP 400 that says so.
    `pace`: seconds before each event of a stream. Raises `ArgumentError` when the name is taken.
    """
    simulated = Simulated(name, script, pace)
    with _lock:
        if name in _known:
            raise ArgumentError(f"a model named {name!r} is already simulated; close it first, or choose another name")
        _known[name] = simulated
    return simulated


def simulated(name: str) -> Simulated | None:
    """The scripted model of that name."""
    with _lock:
        return _known.get(name)


def scripted_answer(item: Any, request: Request) -> Answer:
    """An item of a script (no exception) as an answer; what it leaves open is still open."""
    if isinstance(item, Answer):
        return item
    if isinstance(item, Message):
        return Answer(candidates=[Candidate(item)])
    if isinstance(item, str):
        parts: list[Part] = [Text(item)]
    elif isinstance(item, dict):
        text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        choice = request.tool_choice
        named = choice.name if isinstance(choice, ToolChoice) else None
        forced = named or (_first_tool(request) if choice and choice.kind == "any" else None)
        parts = [ToolCall(name=forced, arguments=text) if forced else Text(text)]
    elif isinstance(item, list | tuple):
        parts = [Text(part) if isinstance(part, str) else part for part in item]
    else:
        parts = [item]
    wrong = next((part for part in parts if not isinstance(getattr(part, "kind", None), str)), None)
    if wrong is not None:
        raise ArgumentError(f"a script cannot say {wrong!r:.200}")
    return Answer(candidates=[Candidate(Message("assistant", parts))])


def _first_tool(request: Request) -> str | None:
    return next((tool.name for tool in request.tools if tool.kind == "tool"), None)  # type: ignore[union-attr]
