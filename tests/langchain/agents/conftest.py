"""Scripted models in each wire format: over HTTP, in the part of a real provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.simulator import Simulated, simulate

from ..standard.formats import FORMATS, KEY, Format
from ..standard.surroundings import provider_url as provider_url

EXPECTED = [
    pytest.mark.filterwarnings("ignore:no manifest knows"),
    pytest.mark.filterwarnings("ignore:not sent to Ollama. tool_choice="),  # it leaves every call to the model
]
"""Warnings of formats that are not about what a test is about."""


@dataclass
class Stage:
    """Where models of one format play what a script says."""

    format: Format
    url: str
    stack: ExitStack
    scripts: dict[str, Simulated] = field(default_factory=dict)

    def play(self, script: Any, *, second: bool = False, pace: float = 0.0, **arguments: Any) -> ChatAIProtocol:
        """A model that follows this script; the provider has a `second` one."""
        name = self.format.other if second else self.format.model
        self.scripts[name] = self.stack.enter_context(simulate(name, script, pace=pace))
        settings: dict[str, Any] = {"base_url": self.url, "api_key": KEY, "protocol": self.format.protocol}
        return ChatAIProtocol(model=f"{self.format.provider}/{name}", **settings | {"max_retries": 0} | arguments)

    @property
    def asked(self) -> Simulated:
        """What the model was asked."""
        return self.scripts[self.format.model]

    @property
    def asked_second(self) -> Simulated:
        return self.scripts[self.format.other]


@pytest.fixture(params=FORMATS.values(), ids=FORMATS.keys())
def stage(request: pytest.FixtureRequest, provider_url: Callable[[str], str]) -> Iterator[Stage]:
    format: Format = request.param
    with ExitStack() as stack:
        yield Stage(format, provider_url(format.provider), stack)


@dataclass
class Way:
    """Of running something: synchronous, or in the running event loop."""

    asynchronous: bool

    async def invoke(self, runnable: Any, question: Any, **more: Any) -> Any:
        return await runnable.ainvoke(question, **more) if self.asynchronous else runnable.invoke(question, **more)

    async def stream(self, runnable: Any, question: Any, see: Callable[[Any], None], **more: Any) -> None:
        """Shows each piece to `see` when it comes."""
        if self.asynchronous:
            async for piece in runnable.astream(question, **more):
                see(piece)
        else:
            for piece in runnable.stream(question, **more):
                see(piece)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)
