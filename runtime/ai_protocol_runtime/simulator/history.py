"""Looking back over a conversation."""

from __future__ import annotations

from ai_protocol_runtime.types import Media, Message, Request, Text, ToolCall


def news(request: Request) -> list[Message]:
    """The messages since the assistant's last, without the system's."""
    turn: list[Message] = []
    for message in reversed(request.messages):
        if message.role == "assistant":
            break
        if message.role != "system":
            turn.insert(0, message)
    return turn


def last_text(request: Request) -> str:
    """What the user said last; empty when that was no text."""
    for message in reversed(request.messages):
        if message.role == "user" and any(isinstance(part, Text | Media) for part in message.parts):
            return "\n".join(part.text for part in message.parts if isinstance(part, Text))
    return ""


def called(request: Request, call_id: str | None) -> str | None:
    """The name of the tool that was called under this id."""
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ToolCall) and part.id is not None and part.id == call_id:
                return part.name
    return None
