"""The judges refuse what the services refuse."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

pytest.importorskip("openai")
pytest.importorskip("anthropic")
pytest.importorskip("google.genai")

from .judges import answer_problems, event_problems, request_problems, strays
from .order import out_of_order

pytestmark = pytest.mark.sdk

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
REQUESTS: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "model": "m",
        "messages": [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "4"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
    },
    "openai-responses": {
        "model": "m",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "4"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}],
    },
    "anthropic-messages": {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "4"}]},
        ],
        "tools": [{"name": "f", "input_schema": SCHEMA}],
    },
    "gemini-generate": {
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "4"}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
        "generationConfig": {"temperature": 0.5},
    },
}
TURNS = {"openai-responses": "input", "gemini-generate": "contents"}


@pytest.mark.parametrize("wire", REQUESTS)
def test_a_good_request_is_taken(wire: str) -> None:
    assert request_problems(wire, REQUESTS[wire]) == []
    assert strays(wire, REQUESTS[wire]) == []


@pytest.mark.parametrize("wire", REQUESTS)
@pytest.mark.parametrize("dropped", [1, 2], ids=["a result without its call", "a call without its result"])
def test_calls_and_results_belong_together(wire: str, dropped: int) -> None:
    body = deepcopy(REQUESTS[wire])
    del body[TURNS.get(wire, "messages")][dropped]
    if dropped == 2 and wire != "openai-responses":  # the last turn may call; what comes next must answer
        body[TURNS.get(wire, "messages")].append(deepcopy(body[TURNS.get(wire, "messages")][0]))
    assert any("without" in problem or "not one for each" in problem for problem in request_problems(wire, body))


@pytest.mark.parametrize(
    ("wire", "path", "value"),
    [
        ("openai-chat", ["messages", 0, "content"], {"text": "hi"}),
        ("openai-chat", ["messages", 0, "content"], []),
        ("openai-chat", ["messages", 0, "content"], [{"type": "image_url", "image_url": "no object"}]),
        ("openai-chat", ["messages", 0, "role"], "model"),
        ("openai-chat", ["messages", 1, "tool_calls", 0, "id"], ""),
        ("openai-chat", ["messages", 1, "tool_calls", 0, "function", "arguments"], {}),
        ("openai-chat", ["temperature"], "0.5"),
        ("openai-chat", ["tools", 0, "type"], "web_search"),
        ("openai-responses", ["input", 0, "content", 0, "type"], "text"),
        ("openai-responses", ["input", 1, "arguments"], None),
        ("openai-responses", ["input"], []),
        ("openai-responses", ["tools", 0], {"type": "function", "name": "f"}),
        ("anthropic-messages", ["max_tokens"], None),
        ("anthropic-messages", ["messages", 0, "content", 0, "text"], ""),
        ("anthropic-messages", ["messages", 0, "content"], []),
        ("anthropic-messages", ["messages", 0, "role"], "tool"),
        ("anthropic-messages", ["messages", 1, "content", 0, "input"], "{}"),
        ("anthropic-messages", ["messages", 1, "content", 0, "id"], "functions.f:0"),
        ("anthropic-messages", ["system"], [{"type": "text", "text": ""}]),
        ("gemini-generate", ["contents", 0, "role"], "assistant"),
        ("gemini-generate", ["contents", 0, "parts"], []),
        ("gemini-generate", ["contents", 0, "parts", 0], {}),
        ("gemini-generate", ["contents", 0, "parts", 0], {"inlineData": {"mimeType": "image/png", "data": "!"}}),
        ("gemini-generate", ["max_tokens"], 9),
        ("gemini-generate", ["generationConfig", "max_tokens"], 9),
        ("gemini-generate", ["generationConfig", "tools"], []),
        ("gemini-generate", ["generationConfig", "thinkingConfig"], {"thinkingLevel": "enormous"}),
        ("gemini-generate", ["tools", 0, "functionDeclarations", 0, "parameters", "$schema"], "x"),
    ],
)
def test_a_broken_request_is_refused(wire: str, path: list[str | int], value: Any) -> None:
    body: Any = deepcopy(REQUESTS[wire])
    at = body
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    assert request_problems(wire, body)


@pytest.mark.parametrize("wire", ["openai-chat", "openai-responses", "anthropic-messages"])
def test_a_key_that_the_sdk_does_not_know_is_named(wire: str) -> None:
    body = deepcopy(REQUESTS[wire])
    body["top_secret"] = 1
    body[TURNS.get(wire, "messages")][0]["cache"] = {}
    assert sorted(strays(wire, body)) == [f"{TURNS.get(wire, 'messages')}[].cache", "top_secret"]


def test_answers_and_events_without_what_they_need_are_refused() -> None:
    assert answer_problems("anthropic-messages", {"type": "message", "id": "1", "content": []})
    assert answer_problems("openai-chat", {"id": "1", "object": "chat.completion", "model": "m", "choices": []})
    assert answer_problems("gemini-generate", {"candidates": [{"finishReason": "BORED"}]})
    assert answer_problems("openai-responses", {"id": "1", "object": "response", "output": []})
    assert event_problems("anthropic-messages", {"type": "content_block_delta", "index": 0, "delta": {"type": "x"}})
    assert event_problems("openai-responses", {"type": "response.output_text.delta", "delta": "hi"})
    assert event_problems("openai-chat", {"object": "chat.completion.chunk", "choices": [{"index": 0}]})


def test_a_complaint_names_the_place_and_not_the_alternatives_that_were_never_meant() -> None:
    body = deepcopy(REQUESTS["anthropic-messages"])
    body["messages"][1]["content"][0]["type"] = "tool_call"
    assert request_problems("anthropic-messages", body) == [
        "messages[].content[].type: no alternative fits 'tool_call'"
    ]
    del body["messages"][1]["content"][0]["id"]
    body["messages"][1]["content"][0]["type"] = "tool_use"
    assert request_problems("anthropic-messages", body) == ["messages[].content[].id: Field required"]


ORDERLY: dict[str, list[dict[str, Any]]] = {
    "anthropic-messages": [
        {"type": "message_start"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta"},
        {"type": "message_stop"},
    ],
    "openai-responses": [
        {"type": "response.created", "sequence_number": 0},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "1"}},
        {"type": "response.content_part.added", "output_index": 0, "content_index": 0, "item_id": "1"},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "1"},
        {"type": "response.content_part.done", "output_index": 0, "content_index": 0, "item_id": "1"},
        {"type": "response.output_item.done", "output_index": 0, "item": {"type": "message", "id": "1"}},
        {"type": "response.completed", "response": {"output": [{"type": "message", "id": "1"}]}, "sequence_number": 9},
    ],
    "openai-chat": [
        {"id": "1", "choices": [{"index": 0, "delta": {"content": "hi"}}]},
        {
            "id": "1",
            "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f"}}]}}],
        },
        {"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ],
    "gemini-generate": [
        {"candidates": [{"content": {"parts": [{"text": "hi"}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "!"}]}, "finishReason": "STOP"}]},
    ],
}


@pytest.mark.parametrize("wire", ORDERLY)
def test_the_order_of_events(wire: str) -> None:
    events = ORDERLY[wire]
    assert out_of_order(wire, events) == []
    assert out_of_order(wire, events[::-1])
    assert out_of_order(wire, events[:-1]), "it does not end"
    if "type" in events[0]:
        for dropped in range(len(events)):
            if events[dropped]["type"] not in ("content_block_delta", "response.output_text.delta"):
                assert out_of_order(wire, events[:dropped] + events[dropped + 1 :]), events[dropped]
