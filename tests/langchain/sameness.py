"""What a sum of chunks, an assembly of events and a whole message have to have in common: all but what is said here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.language_models.chat_model_stream import ChatModelStream
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGenerationChunk

from ai_protocol_integrations.langchain._chunks import Chunks
from ai_protocol_integrations.langchain._events import Event, Events
from ai_protocol_integrations.langchain._outputs import to_result
from ai_protocol_integrations.langchain._versions import Version
from ai_protocol_runtime.types import Answer, StreamingEvent

VERSIONS: tuple[Version, ...] = ("v0", "v1")

_MADE_UP = re.compile(r"call_[0-9a-f]{32}")


def comparable(message: AIMessage) -> dict[str, Any]:
    """The message without what a sum of chunks has otherwise:

    - LangChain's own: the class, its id of the run, the chunks' fields, and an ``index`` in the blocks
    - the ids made up for calls that have none
    - a call whose arguments are no JSON: its block keeps the type of a chunk, and LangChain says no error
    - events that no shape knows, which only streams have
    - no content at all, which LangChain assembles to an empty text
    """
    dumped = message.model_dump()
    for name in ("type", "id", "tool_call_chunks", "chunk_position"):
        dumped.pop(name, None)
    dumped["response_metadata"].pop("raw_events", None)
    dumped["content"] = dumped["content"] or ""
    if isinstance(dumped["content"], list):
        dumped["content"] = unnumbered(dumped["content"])
    dumped["invalid_tool_calls"] = [(call["id"], call["name"]) for call in dumped["invalid_tool_calls"]]
    return plain(dumped)  # type: ignore[no-any-return]


def unnumbered(blocks: Iterable[Any]) -> list[dict[str, Any]]:
    blocks = [{key: value for key, value in block.items() if key != "index"} for block in blocks]
    return [{**b, "type": "invalid_tool_call"} if b["type"] == "tool_call_chunk" else b for b in blocks]


def plain(value: Any) -> Any:
    """The JSON of it, its made up ids in the order in which they come."""
    names: dict[str, str] = {}
    text = json.dumps(value, sort_keys=True)
    return json.loads(_MADE_UP.sub(lambda found: names.setdefault(found[0], f"call {len(names)}"), text))


def chunks_of(events: Iterable[StreamingEvent], version: Version) -> list[ChatGenerationChunk]:
    chunks = Chunks(version)
    return [chunk for event in events if (chunk := chunks.feed(event)) is not None]


def summed(chunks: Sequence[ChatGenerationChunk]) -> AIMessage:
    first, *others = chunks
    generation = first + others if others else first
    assert isinstance(generation.message, AIMessage)
    return generation.message


def told(events: Iterable[StreamingEvent]) -> list[Event]:
    mapped = Events("lc_run--1", "acme", "m")
    return [event for ours in events for event in mapped.feed(ours)]


def assembled(events: Iterable[Event]) -> AIMessage:
    """What LangChain makes of its own events."""
    stream = ChatModelStream()
    for event in events:
        stream.dispatch(event)
    return stream.output


def whole(answer: Answer, version: Version) -> AIMessage:
    message = to_result(answer, version).generations[0].message
    assert isinstance(message, AIMessage)
    return message
