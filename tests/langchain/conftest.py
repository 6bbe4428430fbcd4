"""A chat model of a provider that only the tests have, spoken to over loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.simulator import Server

MANIFESTS = Path(__file__).parents[1] / "client" / "manifests"
Connect: TypeAlias = Callable[..., ChatAIProtocol]


@pytest.fixture(scope="session")
def simulated() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def connect(simulated: Server) -> Connect:
    """Makes a model: ``connect("chat-1", temperature=0)``."""

    def make(model: str = "chat-1", **arguments: Any) -> ChatAIProtocol:
        usual: dict[str, Any] = {
            "api_key": "made-up",
            "base_url": simulated.url,
            "manifests": MANIFESTS,
            "max_retries": 0,
        }
        return ChatAIProtocol(model=f"acme/{model}", **usual | arguments)

    return make
