"""The partner's classes as clients of our simulator: calls that are made at once arrive whole, at once or streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from ai_protocol_runtime.simulator import Server

from .peers import PEERS, Peer

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

ASKED = "magic_function(3), magic_function(4)"


def magic_function(input: int) -> int:
    """Applies a magic function."""
    return input + 2


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Server() as server:
        yield server.url


@pytest.mark.parametrize("peer", PEERS, ids=str)
def test_calls_made_at_once_are_whole(peer: Peer, url: str) -> None:
    model = peer.theirs(url).bind_tools([magic_function])
    whole = model.invoke(ASKED)
    streamed: Any = None
    for chunk in model.stream(ASKED):
        streamed = chunk if streamed is None else streamed + chunk
    for message in (whole, streamed):
        assert isinstance(message, AIMessage)
        assert [(call["name"], call["args"]) for call in message.tool_calls] == [
            ("magic_function", {"input": 3}),
            ("magic_function", {"input": 4}),
        ]
        assert not message.invalid_tool_calls
        assert len({call["id"] for call in message.tool_calls}) == 2
