"""LlamaIndex's messages -> ours. The caller's messages are read and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import CachePoint, ChatMessage, ToolCallBlock

from ai_protocol_integrations._blocks import OURS, arguments_text, from_annotation
from ai_protocol_runtime.types import Message, Part, Text, ToolCall, ToolResult
from ai_protocol_runtime.types.errors import ArgumentError

from ._kept import restored
from ._read import read_blocks

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}


def to_messages(messages: Sequence[ChatMessage]) -> list[Message]:
    """The conversation in our types, one message for each.

    An answer of this package comes out as the message that the wire gave, complement and all. Raises `ArgumentError`
    for what is no message, and what `read_blocks` does.
    """
    calls: dict[str, ToolCall] = {}
    return [_message(message, calls) for message in messages]


def _message(message: ChatMessage, calls: dict[str, ToolCall]) -> Message:
    """`calls` are the tool calls so far, by the ids LlamaIndex knows them by: the wire may have others."""
    if not isinstance(message, ChatMessage):
        raise ArgumentError(f"a {type(message).__name__} cannot be sent to a model; it takes ChatMessages")
    role = _ROLES[message.role.value]
    name = message.additional_kwargs.get("name")
    if role == "assistant":
        return _assistant(message, calls)
    if role == "tool":
        return _tool(message, calls)
    parts = read_blocks(message.blocks)
    return Message(role, _without_empty(parts) or [Text("")], name)  # an empty text is what a person gave


def _without_empty(parts: list[Part]) -> list[Part]:
    """Some APIs take no empty text beside others."""
    return [part for part in parts if part != Text("")] or parts


def _assistant(message: ChatMessage, calls: dict[str, ToolCall]) -> Message:
    more = message.additional_kwargs
    ours = more.get(OURS) or {}
    parts = restored(message.blocks, ours.get("blocks"))
    shown = [block.tool_call_id for block in message.blocks if block.block_type == "tool_call"]
    called = [part for part in parts if isinstance(part, ToolCall)]
    calls.update((known, part) for known, part in zip(shown, called, strict=True) if known)
    if not called:
        parts += (
            ToolCall(block.tool_call_id, block.tool_name, arguments_text(block.tool_kwargs))
            for block in listed_calls(message)
        )
    citations = [from_annotation(annotation) for annotation in ours.get("citations") or ()] or None
    return Message("assistant", _without_empty(parts), ours.get("name"), citations, ours.get("message"))


def listed_calls(message: ChatMessage) -> list[ToolCallBlock]:
    """The calls that other classes put beside the blocks: objects or dicts in OpenAI's form, or flat ones."""
    return [_listed(call) for call in message.additional_kwargs.get("tool_calls") or ()]


def _listed(call: Any) -> ToolCallBlock:
    function = _of(call, "function") or call
    name = _of(function, "name")
    if not isinstance(name, str):
        raise ArgumentError(f"a tool call in additional_kwargs has no name: {call!r}")
    return ToolCallBlock(tool_call_id=_of(call, "id"), tool_name=name, tool_kwargs=_of(function, "arguments") or "{}")


def _of(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)


def _tool(message: ChatMessage, calls: dict[str, ToolCall]) -> Message:
    more, blocks = message.additional_kwargs, list[Any](message.blocks)
    cache = blocks.pop().cache_control.model_dump() if blocks and isinstance(blocks[-1], CachePoint) else None
    known = more.get("tool_call_id")
    call = calls.get(known) if isinstance(known, str) else None
    call_id = known if call is None else call.id
    name = more.get("name") or (call.name if call is not None and call.id is None else None)
    failed = more.get("is_error")
    result = ToolResult(call_id, read_blocks(blocks), name, failed if isinstance(failed, bool) else None, cache)
    return Message("tool", [result])
