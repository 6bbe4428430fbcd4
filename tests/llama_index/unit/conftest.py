"""A provider of vectors and rankings on loopback, and those who listen to LlamaIndex."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.instrumentation import root_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent

from ai_protocol_runtime.simulator import Server, Simulated, Simulator, simulate

KEY = "made-up-0123456789abcdef"


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """It asks what a vector is for, takes 96 texts in a request, and answers nothing without the key."""
    with Server(Simulator(provider="cohere", api_key=KEY)) as server:
        yield server.url


@pytest.fixture
def there(url: str) -> dict[str, Any]:
    """The arguments for a model of this provider that knows what it was asked: `told`."""
    return {"model": "cohere/told", "base_url": url, "api_key": KEY}


@pytest.fixture
def told() -> Iterator[Simulated]:
    with simulate("told", lambda request: "") as told:
        yield told


class Heard(BaseCallbackHandler):
    """All that a callback manager tells; with a lambda in it, it cannot be pickled."""

    def __init__(self, harmless: Callable[[], None] | None = None) -> None:
        super().__init__([], [])
        self.harmless = harmless
        self.events: list[tuple[str, CBEventType, dict[Any, Any]]] = []

    def on_event_start(self, event_type: CBEventType, payload: Any = None, event_id: str = "", **more: Any) -> str:
        self.events.append(("start", event_type, payload))
        return event_id

    def on_event_end(self, event_type: CBEventType, payload: Any = None, event_id: str = "", **more: Any) -> None:
        self.events.append(("end", event_type, payload))

    def start_trace(self, trace_id: str | None = None) -> None: ...

    def end_trace(self, trace_id: str | None = None, trace_map: Any = None) -> None: ...


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def unpicklable() -> CallbackManager:
    return CallbackManager([Heard(lambda: None)])


@pytest.fixture
def seen() -> Iterator[list[BaseEvent]]:
    """The events of the instrumentation."""
    events: list[BaseEvent] = []

    class Handler(BaseEventHandler):
        def handle(self, event: BaseEvent, **more: Any) -> None:
            events.append(event)

    handler = Handler()
    root_dispatcher.add_event_handler(handler)
    yield events
    root_dispatcher.event_handlers.remove(handler)
