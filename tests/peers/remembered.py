"""Inputs: an answer of the model's own as history: reasoning, signatures, calls, citations, server tools."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from .inputs import History, Input

SIGNATURE = "c2lnbmF0dXJl"
ARGUMENTS = '{"city": "Köln"}'


def chat(message: dict[str, Any], finish: str = "stop") -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
    about = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1760000000, "model": "gpt-4.1-mini"}
    return {**about, "choices": [choice], "usage": usage}


def responses(*output: dict[str, Any]) -> dict[str, Any]:
    about = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1760000000,
        "model": "gpt-4.1-mini",
        "status": "completed",
    }
    usage = {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14}
    usual = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None}
    return {**about, **usual, "output": list(output), "usage": usage}


def messages(*content: dict[str, Any], finish: str = "end_turn") -> dict[str, Any]:
    about = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
    usage = {"input_tokens": 9, "output_tokens": 5}
    return {**about, "content": list(content), "stop_reason": finish, "stop_sequence": None, "usage": usage}


def gemini(*parts: dict[str, Any]) -> dict[str, Any]:
    candidate = {"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": list(parts)}}
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash", "responseId": "r"}


def answered(text: str, **said: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": [], **said}],
    }


CITED = {"type": "url_citation", "url": "https://example.com", "title": "T", "start_index": 0, "end_index": 3}
FOUND = {
    "type": "web_search_result",
    "url": "https://example.com",
    "title": "T",
    "encrypted_content": "xx",
    "page_age": None,
}

TEXT = {
    "openai-chat": chat({"content": "Hello"}),
    "openai-responses": responses(answered("Hello")),
    "anthropic-messages": messages({"type": "text", "text": "Hello"}),
    "gemini-generate": gemini({"text": "Hello"}),
}
CALLS = {
    "openai-chat": chat(
        {
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ARGUMENTS}},
                {"id": "call_2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
            ],
        },
        "tool_calls",
    ),
    "openai-responses": responses(
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Look it up."}],
            "encrypted_content": "gAAA",
        },
        answered("One moment."),
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "get_weather",
            "arguments": ARGUMENTS,
            "status": "completed",
        },
        {
            "type": "function_call",
            "id": "fc_2",
            "call_id": "call_2",
            "name": "now",
            "arguments": "{}",
            "status": "completed",
        },
    ),
    "anthropic-messages": messages(
        {"type": "thinking", "thinking": "Look it up.", "signature": SIGNATURE},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "text", "text": "One moment."},
        {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Köln"}},
        {"type": "tool_use", "id": "call_2", "name": "now", "input": {}},
        finish="tool_use",
    ),
    "gemini-generate": gemini(
        {"text": "Look it up.", "thought": True},
        {"text": "One moment."},
        {
            "functionCall": {"name": "get_weather", "args": {"city": "Köln"}, "id": "call_1"},
            "thoughtSignature": SIGNATURE,
        },
        {"functionCall": {"name": "now", "args": {}, "id": "call_2"}},
    ),
}
SEARCHED = {
    "openai-responses": responses(
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        answered("Yes, it is.", annotations=[CITED]),
    ),
    "anthropic-messages": messages(
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [FOUND]},
        {
            "type": "text",
            "text": "Yes, it is.",
            "citations": [
                {
                    "type": "web_search_result_location",
                    "url": "https://example.com",
                    "title": "T",
                    "encrypted_index": "e",
                    "cited_text": "c",
                }
            ],
        },
    ),
    "gemini-generate": gemini(
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
        {"text": "It is 1.", "thoughtSignature": SIGNATURE},
    ),
}
REFUSED = {
    "openai-chat": chat({"content": None, "refusal": "I cannot."}),
    "openai-responses": responses(
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "refusal", "refusal": "I cannot."}],
        }
    ),
}

HOW = {
    "the partner's": History(),
    "the partner's, v1": History(fields={"output_version": "v1"}),
    "the partner's, streamed": History(stream=True),
    "each its own": History(own=True),
    "each its own, streamed": History(own=True, stream=True),
}


def again(answer: AIMessage) -> list[AnyMessage]:
    return [HumanMessage("And?"), answer, HumanMessage("Go on.")]


def results(answer: AIMessage) -> list[AnyMessage]:
    found = [ToolMessage("42", tool_call_id=call["id"], name=call["name"]) for call in answer.tool_calls]
    return [HumanMessage("And?"), answer, *found]


ANSWERS = {"text": (TEXT, again), "calls": (CALLS, results), "searched": (SEARCHED, again), "refused": (REFUSED, again)}
REMEMBERED = [
    Input(f"history, {whose}: {what}", makes, history=how)
    for whose, how in HOW.items()
    for what, (_, makes) in ANSWERS.items()
]
"""The peers of each are those that have such an answer."""
