"""The content of a message: text in v0, blocks in v1; and both say the same, to LangChain and to the provider."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.load import dumps, loads
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.block_translators import PROVIDER_TRANSLATORS, register_translator

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_integrations.langchain._inputs import to_messages
from ai_protocol_integrations.langchain._translator import translate_for
from ai_protocol_integrations.langchain._versions import Version
from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.types import (
    Answer,
    Call,
    Candidate,
    Citation,
    Media,
    Message,
    Part,
    Raw,
    Reasoning,
    Refusal,
    ServerToolCall,
    ServerToolResult,
    Text,
    ToolCall,
)
from ai_protocol_runtime.types.errors import ArgumentError
from ai_protocol_runtime.wire import wire_format

from .sameness import VERSIONS, plain, whole

OF_A_WIRE = {"wire": "some-wire", "alt": ["part", "text", 0]}
F = ToolCall("1", "f", '{"a":1}')


@pytest.fixture(autouse=True)
def translators(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's own translators are left alone."""
    before = dict(PROVIDER_TRANSLATORS)
    yield
    PROVIDER_TRANSLATORS.clear()
    PROVIDER_TRANSLATORS.update(before)


def said(*parts: Part, provider: str = "acme", **more: Any) -> AIMessage:
    candidates = [Candidate(Message("assistant", list(parts), **more), "stop")]
    return whole(Answer(candidates=candidates, call=Call(provider, "some-wire", "m")), "v0")


SHOWN: list[tuple[list[Part], str, dict[str, Any]]] = [
    ([], "", {}),
    ([Text("t")], "t", {}),
    ([Text("t", extra=OF_A_WIRE)], "t", {}),
    ([F, ToolCall(None, "g", '{ "a": 1 }', extra=OF_A_WIRE)], "", {}),
    ([Reasoning("r"), Text("t"), F], "t", {"reasoning_content": "r"}),
    ([Refusal("no")], "", {"refusal": "no"}),
    (
        [Text("a"), F, Text("bc")],
        "abc",
        {
            "ai_protocol": {
                "blocks": [{"type": "text", "text": 1}, {"type": "tool_call", "id": "1"}, {"type": "text", "text": 2}]
            }
        },
    ),
    (
        [Reasoning("r", signature="s"), Text("t")],
        "t",
        {
            "reasoning_content": "r",
            "ai_protocol": {
                "blocks": [
                    {"type": "reasoning", "reasoning": 1, "extras": {"signature": "s"}},
                    {"type": "text", "text": 1},
                ]
            },
        },
    ),
    (
        [ToolCall("1", "f", '{"a')],
        "",
        {"ai_protocol": {"blocks": [{"type": "invalid_tool_call", "id": "1", "args": 3}]}},
    ),
    (
        [Media("image", "AA==")],
        "",
        {"ai_protocol": {"blocks": [{"type": "image", "base64": "AA=="}]}},
    ),
]


@pytest.mark.parametrize(("parts", "content", "more"), SHOWN)
def test_content_is_text(parts: list[Part], content: str, more: dict[str, Any]) -> None:
    message = said(*parts)
    assert (message.content, message.additional_kwargs) == (content, more)
    assert to_messages([message])[0].parts == parts


RICH: list[Part] = [
    Reasoning("one", signature="s1", extra=OF_A_WIRE),
    Text("A", citations=[Citation("u", start=0)], signature="s2"),
    ServerToolCall("s", "search", '{"q":"x"}'),
    ServerToolResult("s", "search", [{"odd": True}]),
    Reasoning("two", encrypted="xx"),
    Text("BC"),
    ToolCall("1", "f", '{ "a": 1 }', signature="s3"),
    ToolCall(None, "g", "{}"),
    ToolCall("3", "h", '{"a": "'),
    Media("image", "AA==", mime_type="image/png"),
    Raw({"type": "odd"}, OF_A_WIRE),
    Refusal("no"),
]


@pytest.mark.parametrize("provider", ["acme", "openai", "anthropic", "groq", "google_genai"])
def test_blocks_are_complete(provider: str) -> None:
    """LangChain has translators of its own for some names: messages of ours are ours nonetheless."""
    for parts in ([], [Text("t")], [Reasoning("r"), Text("t"), F], [F, Text("t")], RICH):
        message = said(*parts, provider=provider)
        candidate = Candidate(Message("assistant", parts), "stop")
        assert plain(message.content_blocks) == plain(whole(Answer(candidates=[candidate]), "v1").content)


def test_others_are_read_as_before() -> None:
    from_others = AIMessage([{"type": "thinking", "thinking": "r"}], response_metadata={"model_provider": "anthropic"})
    of_nobody = AIMessage("t", tool_calls=[{"id": "1", "name": "f", "args": {}}])
    of_nobody.response_metadata["model_provider"] = "acme"
    pieces = AIMessageChunk("t", response_metadata={"model_provider": "anthropic"})
    messages: list[AIMessage] = [from_others, of_nobody, pieces]
    before = [message.content_blocks for message in messages]
    said(Text("t"), provider="anthropic")
    said(Text("t"), provider="acme")
    assert [message.content_blocks for message in messages] == before


def test_a_translator_that_comes_later_is_kept_too() -> None:
    message = said(Reasoning("r"), Text("t"), provider="acme")
    register_translator("acme", lambda _: [], lambda _: [])
    assert message.content_blocks == []
    translate_for("acme")
    once = PROVIDER_TRANSLATORS["acme"]
    translate_for("acme")
    assert PROVIDER_TRANSLATORS["acme"] is once
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]
    assert AIMessage("t", response_metadata={"model_provider": "acme"}).content_blocks == []


# edits


def blocks_after(message: AIMessage, **edits: Any) -> list[Part]:
    edited = message.model_copy(update=edits)
    (back,) = to_messages([edited])
    return back.parts


def test_an_edited_text_stands_where_the_text_stood() -> None:
    message = said(Reasoning("r", signature="s"), Text("one", citations=[Citation("u")]), F, Text("two"))
    kept = Reasoning("r", signature="s")
    assert blocks_after(message, content="other") == [kept, Text("other"), F]
    assert blocks_after(message, content="") == [kept, F]
    cached: list[Any] = [{"type": "text", "text": "other", "cache_control": {"type": "ephemeral"}}, "!"]
    assert blocks_after(message, content=cached) == [
        kept,
        Text("other", cache={"type": "ephemeral"}),
        Text("!"),
        F,
    ]
    foreign: list[Any] = [{"type": "image", "url": "u"}]
    assert blocks_after(message, content=foreign) == [Reasoning("r"), Media("image", url="u"), F]


def test_a_text_that_was_not_there() -> None:
    kept = Reasoning("r", signature="s")
    assert blocks_after(said(kept, F), content="new") == [kept, Text("new"), F]


def test_edited_reasoning() -> None:
    message = said(Reasoning("r", signature="s"), Text("t", signature="z"), Refusal("no"))
    text = Text("t", signature="z")
    more = message.additional_kwargs
    without = {key: value for key, value in more.items() if key != "reasoning_content"}
    assert blocks_after(message, additional_kwargs=without) == [text, Refusal("no")]
    other = {**more, "reasoning_content": "quite another", "refusal": "never"}
    assert blocks_after(message, additional_kwargs=other) == [Reasoning("quite another"), text, Refusal("never")]


def test_edited_calls() -> None:
    g = ToolCall("2", "g", '{ "b": 2 }', signature="s")
    message = said(F, g, Text("t"))
    first, second = message.tool_calls
    assert blocks_after(message, tool_calls=[second]) == [g, Text("t")]
    assert blocks_after(message, tool_calls=[first]) == [F, Text("t")]
    other = {**second, "name": "h", "args": {"b": 3}}
    changed = ToolCall("2", "h", '{"b":3}', signature="s")
    assert blocks_after(message, tool_calls=[first, other]) == [F, changed, Text("t")]
    third = {"type": "tool_call", "id": "3", "name": "h", "args": {}}
    assert blocks_after(message, tool_calls=[first, second, third]) == [F, g, Text("t"), ToolCall("3", "h", "{}")]


@pytest.mark.parametrize("kept", ["?", {"blocks": "?"}, {"blocks": [1]}, {"blocks": [{"type": "text", "text": "t"}]}])
def test_what_was_kept_may_be_broken(kept: Any) -> None:
    message = said(Text("t", signature="s"))
    assert blocks_after(message, additional_kwargs={"ai_protocol": kept}) == [Text("t")]


@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
def test_it_lives_through_storage() -> None:
    message = said(*RICH, citations=[Citation("w")])
    for stored in (
        loads(dumps(message), allowed_objects="core"),
        pickle.loads(pickle.dumps(message)),
        AIMessage.model_validate_json(message.model_dump_json()),
    ):
        assert to_messages([stored]) == to_messages([message])
        assert stored.content_blocks == message.content_blocks


# what is sent next

ANSWERS: dict[str, list[dict[str, Any]]] = {
    "anthropic-messages": [
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "First.", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "eHg="},
                {"type": "text", "text": "Let me look."},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
                {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"type": "r", "url": "u"}]},
                {"type": "thinking", "thinking": "Second.", "signature": "c2lnMg=="},
                {
                    "type": "text",
                    "text": "It is so.",
                    "citations": [{"type": "char_location", "cited_text": "so", "document_index": 0}],
                },
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1.0}},
                {"type": "text", "text": " And more."},
                {"type": "hologram", "depth": 3},
            ],
            "stop_reason": "tool_use",
        }
    ],
    "gemini-generate": [
        {
            "candidates": [
                {
                    "content": {
                        "role": "model",
                        "parts": [
                            {"text": "Thinking.", "thought": True},
                            {"text": "Here.", "thoughtSignature": "c2ln"},
                            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "aW1n"},
                            {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "Y2FsbA=="},
                            {"functionCall": {"name": "f", "args": {"a": 2}}},
                        ],
                    },
                    "finishReason": "STOP",
                }
            ]
        }
    ],
    "openai-chat": [
        {
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "See here.",
                        "reasoning_content": "Hm.",
                        "annotations": [
                            {"type": "url_citation", "url_citation": {"url": "u", "start_index": 0, "end_index": 3}}
                        ],
                        "tool_calls": [
                            {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
                            {"id": "2", "type": "function", "function": {"name": "f", "arguments": '{"a'}},
                        ],
                    },
                    "finish_reason": "tool_calls",
                }
            ]
        },
        {
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": None, "refusal": "No."},
                    "finish_reason": "stop",
                }
            ]
        },
    ],
    "openai-responses": [
        {
            "status": "completed",
            "output": [
                {
                    "type": "reasoning",
                    "id": "rs_1",
                    "summary": [{"type": "summary_text", "text": "Hm."}],
                    "encrypted_content": "xx",
                },
                {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
                {
                    "type": "message",
                    "id": "msg_1",
                    "role": "assistant",
                    "status": "completed",
                    "content": [
                        {
                            "type": "output_text",
                            "text": "It is so.",
                            "annotations": [{"type": "url_citation", "url": "u", "start_index": 0, "end_index": 2}],
                        },
                        {"type": "refusal", "refusal": "But no."},
                    ],
                },
                {"type": "function_call", "id": "fc_1", "call_id": "1", "name": "f", "arguments": '{"a": 1}'},
            ],
        }
    ],
}


@pytest.mark.parametrize(("wire", "body"), [(wire, body) for wire, bodies in ANSWERS.items() for body in bodies])
def test_the_same_goes_back(wire: str, body: dict[str, Any]) -> None:
    model = ChatAIProtocol(model="simulator/any", protocol=wire, on_unsupported="drop")
    answer = wire_format(wire, manifests()).decode_answer(body)
    answer.call = Call("simulator", wire, "any")
    sent = []
    for version in VERSIONS:
        message = whole(answer, version)
        assert to_messages([message]) == [answer.message]
        history = to_messages([HumanMessage("hi"), message, HumanMessage("go on")])
        sent.append(json.loads(model._client.explain(history).body))
    assert sent[0] == sent[1]


# who decides


def test_the_model_and_the_call_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, blocks = ChatAIProtocol(model="simulator/any"), [{"type": "text", "text": "You said: hi"}]
    assert usual.invoke("hi").content == "You said: hi"
    assert ChatAIProtocol(model="simulator/any", output_version="v0").invoke("hi").content == "You said: hi"
    assert text_of(usual.invoke("hi", output_version="v1")) == blocks
    assert text_of(ChatAIProtocol(model="simulator/any", output_version="v1").invoke("hi")) == blocks
    monkeypatch.setenv("LC_OUTPUT_VERSION", "v1")
    by_environment = ChatAIProtocol(model="simulator/any")
    assert text_of(by_environment.invoke("hi")) == blocks
    assert text_of(by_environment.invoke("hi", output_version="v0")) == blocks, "LangChain makes blocks of it anyway"


def text_of(message: AIMessage) -> list[Any]:
    return [{"type": block["type"], "text": block["text"]} for block in message.content]  # type: ignore[index]


def test_a_version_that_does_not_exist() -> None:
    with pytest.raises(ArgumentError, match="no output_version 'v2'"):
        ChatAIProtocol(model="simulator/any").invoke("hi", output_version="v2")
    with pytest.raises(ArgumentError, match="no output_version 'v2'"):
        list(ChatAIProtocol(model="simulator/any", output_version="v2").stream("hi"))


@pytest.mark.parametrize("version", VERSIONS)
def test_streams_have_it_too(version: Version) -> None:
    chunks = list(ChatAIProtocol(model="simulator/any", output_version=version).stream("hi"))
    kind = str if version == "v0" else list
    assert all(isinstance(chunk.content, kind) for chunk in chunks)
    assert chunks[-1].response_metadata["output_version"] == version
