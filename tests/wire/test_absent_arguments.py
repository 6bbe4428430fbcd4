"""A call without arguments may come without the field for them: some servers leave it out where a stream begins."""

from __future__ import annotations

from typing import Any

import pytest

from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.types import ToolCall
from ai_protocol_runtime.wire import wire_format

ANSWERS: dict[str, Any] = {
    "anthropic-messages": {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "tool_use", "id": "c1", "name": "look"}],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
    "bedrock-converse": {
        "output": {"message": {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "look"}}]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    },
    "gemini-generate": {
        "candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": "look", "id": "c1"}}]}}]
    },
}


@pytest.mark.parametrize("format", ANSWERS)
def test_absent_arguments(format: str) -> None:
    (call,) = wire_format(format, manifests()).decode_answer(ANSWERS[format]).message.parts
    assert isinstance(call, ToolCall)
    assert (call.id, call.name) == ("c1", "look")
