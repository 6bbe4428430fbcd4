"""From one turn to the next: thoughts and signatures go back as they came, and half a call is never run."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage

from ai_protocol_runtime.types import Reasoning, Text, ToolCall
from ai_protocol_runtime.types.errors import ProviderError, StreamInterruptedError

from ..standard.formats import FORMATS, Format
from .conftest import EXPECTED, Stage, Way

pytestmark = EXPECTED

QUESTION = {"messages": [("user", "Delete what is old.")]}
FOUND = '{"path": "/home/old"}'
WHOLE_CALLS = ("gemini-generate", "ollama-chat")
"""Formats in which a call comes in one piece: it is broken off after it."""


class Disk:
    """With a tool that does harm."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def delete(self, path: str) -> str:
        """Delete a folder."""
        self.deleted.append(path)
        return f"{path} is gone"


@pytest.mark.parametrize("streaming", [False, True], ids=["invoked", "streamed"])
async def test_half_a_call_is_not_run(stage: Stage, way: Way, streaming: bool) -> None:
    disk = Disk()
    arguments = FOUND if stage.format.protocol in WHOLE_CALLS else FOUND[:-6]
    cut = StreamInterruptedError("cut", partial=[Text("I will."), ToolCall("c1", "delete", arguments)])
    agent = create_agent(stage.play([cut], streaming=streaming), [disk.delete])
    seen: list[Any] = []
    with pytest.raises(ProviderError):
        await way.stream(agent, QUESTION, seen.append, stream_mode="messages" if streaming else "updates")
    assert disk.deleted == []
    assert bool(seen) == streaming
    assert len(stage.asked.requests) == 1


# Thoughts


@dataclass(frozen=True)
class Turn:
    """What the model of a format says in its first turn, and how that has to stand in the second request."""

    said: list[Any]
    sent: list[Any]


THOUGHT, SIGNATURE, CALL = "It is all old.", "c2lnbmVkIGluIGZ1bGw=", ToolCall("c1", "delete", FOUND)
TURNS = {
    "openai-responses": Turn(
        [Reasoning(THOUGHT, id="rs_7", encrypted=SIGNATURE), CALL],
        [
            {
                "type": "reasoning",
                "id": "rs_7",
                "summary": [{"type": "summary_text", "text": THOUGHT}],
                "encrypted_content": SIGNATURE,
            },
            {"type": "function_call", "call_id": "c1", "name": "delete", "arguments": FOUND},
        ],
    ),
    "anthropic-messages": Turn(
        [Reasoning(THOUGHT, signature=SIGNATURE), Reasoning(encrypted="aGlkZGVu"), CALL],
        [
            {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE},
            {"type": "redacted_thinking", "data": "aGlkZGVu"},
            {"type": "tool_use", "id": "c1", "name": "delete", "input": {"path": "/home/old"}},
        ],
    ),
    "gemini-generate": Turn(
        [Reasoning(THOUGHT), ToolCall("c1", "delete", FOUND, signature=SIGNATURE)],
        [
            {"thought": True, "text": THOUGHT},
            {
                "functionCall": {"name": "delete", "id": "c1", "args": {"path": "/home/old"}},
                "thoughtSignature": SIGNATURE,
            },
        ],
    ),
    "bedrock-converse": Turn(
        [Reasoning(THOUGHT, signature=SIGNATURE), CALL],
        [
            {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": SIGNATURE}}},
            {"toolUse": {"toolUseId": "c1", "name": "delete", "input": {"path": "/home/old"}}},
        ],
    ),
    "openai-chat": Turn([Reasoning(THOUGHT), CALL], [{"reasoning_content": THOUGHT}]),
    "cohere-chat": Turn([Reasoning(THOUGHT), CALL], [{"type": "thinking", "thinking": THOUGHT}]),
    "ollama-chat": Turn([Reasoning(THOUGHT), CALL], [{"thinking": THOUGHT}]),
}
ECHOING = Format("openai-chat", "deepseek", "deepseek-v4-pro", "deepseek-flash", "DEEPSEEK_API_KEY")
"""In the mouth of this provider the format has a field for thoughts, and while tools are used it wants them back."""
THINKING = [ECHOING if protocol == "openai-chat" else FORMATS[protocol] for protocol in TURNS]


@pytest.mark.parametrize("stage", THINKING, ids=TURNS.keys(), indirect=True)
@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("streaming", [False, True], ids=["invoked", "streamed"])
async def test_thoughts_go_back(stage: Stage, way: Way, streaming: bool, version: str) -> None:
    turn, disk = TURNS[stage.format.protocol], Disk()
    model = stage.play([turn.said, "Done."], streaming=streaming, output_version=version)
    answer = await way.invoke(create_agent(model, [disk.delete]), QUESTION)
    assert answer["messages"][-1].text == "Done."
    assert disk.deleted == ["/home/old"]
    first, second = stage.asked.received
    assert first.request.stream == streaming
    found = [dumped for dumped in walk(second.body) if any(dumped.items() >= part.items() for part in turn.sent)]
    assert len(found) == len(turn.sent)
    for part, sent in zip(turn.sent, found, strict=True):
        assert sent.items() >= part.items()
    assert json.dumps(second.body).count(THOUGHT) == 1


def test_thoughts_of_others_are_no_items(provider_url: Callable[[str], str]) -> None:
    """An item of Responses is known by an id, or by what was encrypted. A foreign thought has neither; a server that is
    given one nevertheless refuses the whole conversation."""
    format = FORMATS["openai-responses"]
    thought = {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE}
    talk = [HumanMessage("Hello"), AIMessage([thought, {"type": "text", "text": "Hello."}]), HumanMessage("And?")]
    with ExitStack() as stack:
        stage = Stage(format, provider_url(format.provider), stack)
        assert stage.play(["Well."], on_unsupported="drop").invoke(talk).text == "Well."
        assert [item["type"] for item in stage.asked.received[0].body["input"]] == ["message"] * 3


def walk(value: Any) -> list[dict[str, Any]]:
    """Every object in a JSON value, in the order in which they stand there."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return own + [found for one in inner for found in walk(one)]
