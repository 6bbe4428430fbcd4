"""LangChain's messages -> ours. The caller's messages are read and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from ai_protocol_integrations._blocks import OURS, arguments_text, from_annotation, message_citations
from ai_protocol_runtime.types import Message, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from ai_protocol_runtime.types.errors import ArgumentError

from ._foreign import call_signatures, read_blocks, read_content
from ._versions import blocks_of

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
}
"""Roles that a `ChatMessage` may have, and ours."""


def to_messages(messages: Sequence[BaseMessage]) -> list[Message]:
    """The conversation in our types, one message for each.

    An answer of this package comes out as the message that the wire gave, complement and all. Raises `ArgumentError`
    for a role or a content block that nobody knows.
    """
    calls: dict[str, ToolCall] = {}
    return [_message(message, calls) for message in messages]


def _message(message: BaseMessage, calls: dict[str, ToolCall]) -> Message:
    """`calls` are the tool calls of blocks so far, by the ids LangChain knows them by: the wire may have others."""
    match message:
        case AIMessage():
            return _assistant(message, calls)
        case ToolMessage():
            return _tool(message, calls)
        case FunctionMessage():
            return Message("tool", [ToolResult(None, read_content(message), message.name)])
        case SystemMessage():
            return Message("system", _content(message), message.name)
        case HumanMessage():
            return Message("user", _content(message), message.name)
        case ChatMessage():
            role = _ROLES.get(message.role)
            if role is None:
                raise ArgumentError(f"a ChatMessage has no role {message.role!r}; there are {', '.join(_ROLES)}")
            return Message(role, _content(message), message.name)
    raise ArgumentError(f"a {type(message).__name__} cannot be sent to a model")


def _content(message: BaseMessage) -> list[Part]:
    """An empty text is sent as one: it is the message that a person gave."""
    return read_content(message) or [Text("")]


def _tool(message: ToolMessage, calls: dict[str, ToolCall]) -> Message:
    """`artifact` is for the program, not for the model."""
    parts = read_content(message)
    if any(part.kind == "tool_result" for part in parts):  # the content says it all by itself
        return Message("tool", parts)
    call = calls.get(message.tool_call_id)
    call_id = message.tool_call_id if call is None else call.id
    name = message.name or (call.name if call is not None and call.id is None else None)
    is_error = True if message.status == "error" else None
    return Message("tool", [ToolResult(call_id, parts, name, is_error)])


def _assistant(message: AIMessage, calls: dict[str, ToolCall]) -> Message:
    if (blocks := blocks_of(message)) is not None:
        message = message.model_copy(update={"content": blocks})
    ours = message.response_metadata.get(OURS) or {}
    parts = _called(message, calls)
    kwargs = message.additional_kwargs
    function = kwargs.get("function_call")
    if isinstance(function, dict) and not any(isinstance(part, ToolCall) for part in parts):
        parts.append(ToolCall(None, function.get("name") or "", function.get("arguments") or ""))
    thought = kwargs.get("reasoning_content")
    if isinstance(thought, str) and thought and not any(isinstance(part, Reasoning) for part in parts):
        parts.insert(0, Reasoning(thought))
    refused = kwargs.get("refusal")
    if isinstance(refused, str) and refused and not any(isinstance(part, Refusal) for part in parts):
        parts.append(Refusal(refused))
    citations = message_citations(message.content) if isinstance(message.content, list) else None
    citations = citations or [from_annotation(a) for a in ours.get("citations") or ()] or None
    return Message("assistant", parts, message.name or ours.get("name"), citations, ours.get("message"))


def _called(message: AIMessage, calls: dict[str, ToolCall]) -> list[Part]:
    """The parts of the content with the message's tool calls, each of them once.

    A call may stand in the content, in `tool_calls`, or in both under one id. `tool_calls` is what programs edit, so
    its name and arguments hold; the block adds what only blocks have.
    """
    listed: list[Any] = [*message.tool_calls, *message.invalid_tool_calls]
    signatures = call_signatures(message)
    parts: list[Part] = []
    for block, part in read_blocks(message):
        if isinstance(part, ToolCall):
            known = block.get("call_id") or block.get("id")
            same = (call for call in listed if call.get("id") == known and (known or call["name"] == part.name))
            call = next(same, None)
            if call is not None:
                listed.remove(call)
                if isinstance(call["args"], dict):
                    part = replace(part, name=call["name"], arguments=arguments_text(call["args"], part.arguments))
            if known:
                part = replace(part, signature=part.signature or signatures.get(known))
                calls[known] = part
        parts.append(part)
    for call in listed:
        made = ToolCall(call.get("id"), call.get("name") or "", arguments_text(call.get("args")))
        made.signature = signatures.get(call.get("id"))
        parts.append(made)
    return parts
