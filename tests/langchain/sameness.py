"""What a sum of chunks and a whole message have to have in common: everything but what is said here."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGenerationChunk

from ai_protocol_integrations.langchain._chunks import Chunks
from ai_protocol_integrations.langchain._outputs import to_result
from ai_protocol_runtime.types import Answer, StreamingEvent

_MADE_UP = re.compile(r"call_[0-9a-f]{32}")


def comparable(message: AIMessage) -> dict[str, Any]:
    """The message without what a sum of chunks has otherwise:

    - LangChain's own: the class, its id of the run, the chunks' fields, and an ``index`` in the blocks
    - the ids made up for calls that have none
    - a call whose arguments are no JSON: its block keeps the type of a chunk, and LangChain says no error
    - events that no shape knows, which only streams have
    """
    dumped = message.model_dump()
    for name in ("type", "id", "tool_call_chunks", "chunk_position"):
        dumped.pop(name, None)
    dumped["response_metadata"].pop("raw_events", None)
    for block in dumped["content"]:
        block.pop("index", None)
        if block["type"] == "tool_call_chunk":
            block["type"] = "invalid_tool_call"
    dumped["invalid_tool_calls"] = [(call["id"], call["name"]) for call in dumped["invalid_tool_calls"]]
    names: dict[str, str] = {}
    text = json.dumps(dumped, sort_keys=True)
    return json.loads(_MADE_UP.sub(lambda found: names.setdefault(found[0], f"call {len(names)}"), text))


def chunks_of(events: Sequence[StreamingEvent]) -> list[ChatGenerationChunk]:
    chunks = Chunks()
    return [chunk for event in events if (chunk := chunks.feed(event)) is not None]


def summed(chunks: Sequence[ChatGenerationChunk]) -> AIMessage:
    first, *others = chunks
    generation = first + others if others else first
    assert isinstance(generation.message, AIMessage)
    return generation.message


def whole(answer: Answer) -> AIMessage:
    message = to_result(answer).generations[0].message
    assert isinstance(message, AIMessage)
    return message
