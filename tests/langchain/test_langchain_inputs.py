"""Every input that LangChain allows, and the message of ours that it stands for."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from ai_protocol_integrations.langchain._inputs import to_messages
from ai_protocol_runtime.types import (
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
    ToolResult,
)
from ai_protocol_runtime.types.errors import ArgumentError

CACHE = {"type": "ephemeral"}
PNG = "iVBORw0KGgo="

RESULT = {"type": "server_tool_result", "tool_call_id": "s1", "status": "success", "output": "1"}
PASSAGE = {
    "type": "char_location",
    "document_title": "T",
    "cited_text": "c",
    "document_index": 0,
    "start_char_index": 1,
}
FOUND = {"type": "web_search_result_location", "url": "u", "cited_text": "c", "encrypted_index": "e"}

VENDORS: list[tuple[Any, Part]] = [
    # what only a vendor understands, and what LangChain keeps of it
    (
        {
            "type": "document",
            "source": {"type": "url", "url": "u"},
            "citations": {"enabled": True, "more": 1},
            "id": "1",
        },
        Raw({"type": "document", "source": {"type": "url", "url": "u"}, "citations": {"enabled": True, "more": 1}}),
    ),
    (
        {"type": "search_result", "source": "s", "title": "T", "content": []},
        Raw({"type": "search_result", "source": "s", "title": "T", "content": []}),
    ),
    ({"type": "text", "text": "t", "citations": [FOUND]}, Text("t", citations=[Raw(FOUND)])),
    (
        {
            "type": "text",
            "text": "t",
            "annotations": [
                {"type": "citation", "url": "u", "cited_text": "c", "extras": {"encrypted_index": "e"}},
                {
                    "type": "citation",
                    "title": "T",
                    "cited_text": "c",
                    "extras": {"document_index": 0, "start_char_index": 1},
                },
                {"type": "citation", "url": "u"},
            ],
        },
        Text("t", citations=[Raw(FOUND), Raw(PASSAGE), Citation(url="u")]),
    ),
    (
        {
            "type": "server_tool_call",
            "id": "x",
            "name": "code_interpreter",
            "args": {"code": "1", "language": "PYTHON"},
        },
        ServerToolCall(None, "PYTHON", "1"),
    ),
    (
        {**RESULT, "extras": {"block_type": "code_execution_result", "outcome": 1}},
        ServerToolResult(None, "OUTCOME_OK", "1"),
    ),
    (
        {**RESULT, "status": "error", "extras": {"block_type": "web_fetch_tool_result"}},
        ServerToolResult("s1", "web_fetch", "1", True),
    ),
    (
        {"type": "executable_code", "language": "PYTHON", "executable_code": "1", "id": "x"},
        ServerToolCall(None, "PYTHON", "1"),
    ),
    (
        {"type": "code_execution_result", "code_execution_result": "1", "outcome": 2},
        ServerToolResult(None, "OUTCOME_FAILED", "1"),
    ),
]

BLOCKS: list[tuple[Any, Part]] = [
    # LangChain's standard, v1
    ("bare", Text("bare")),
    ({"type": "text", "text": "t"}, Text("t")),
    ({"type": "text", "text": "t", "cache_control": CACHE}, Text("t", cache=CACHE)),
    ({"type": "text", "text": "t", "extras": {"cache_control": CACHE}}, Text("t", cache=CACHE)),
    ({"type": "reasoning", "reasoning": "r", "extras": {"signature": "s"}}, Reasoning("r", signature="s")),
    ({"type": "reasoning", "reasoning": "r", "id": "rs_1"}, Reasoning("r", id="rs_1")),
    ({"type": "reasoning", "reasoning": "r", "id": "lc_made-up"}, Reasoning("r")),
    ({"type": "image", "url": "https://x/y.png"}, Media("image", url="https://x/y.png")),
    ({"type": "image", "base64": PNG, "mime_type": "image/png"}, Media("image", PNG, mime_type="image/png")),
    ({"type": "image", "file_id": "f"}, Media("image", file_id="f")),
    ({"type": "image", "url": f"data:image/png;base64,{PNG}"}, Media("image", PNG, mime_type="image/png")),
    ({"type": "image", "url": "u", "extras": {"detail": "low"}}, Media("image", url="u", detail="low")),
    ({"type": "audio", "base64": "AA==", "mime_type": "audio/wav"}, Media("audio", "AA==", mime_type="audio/wav")),
    ({"type": "audio", "base64": "AA==", "mime_type": "audio/mp3"}, Media("audio", "AA==", mime_type="audio/mpeg")),
    ({"type": "video", "url": "v", "mime_type": "video/mp4"}, Media("video", url="v", mime_type="video/mp4")),
    (
        {"type": "file", "base64": "AA==", "mime_type": "application/pdf", "extras": {"filename": "a.pdf"}},
        Media("file", "AA==", mime_type="application/pdf", filename="a.pdf"),
    ),
    ({"type": "file", "file_id": "f", "filename": "a.pdf"}, Media("file", file_id="f", filename="a.pdf")),
    (
        {"type": "text-plain", "text": "words", "mime_type": "text/plain", "title": "T"},
        Media("file", text="words", mime_type="text/plain", filename="T"),
    ),
    ({"type": "text-plain", "url": "u", "mime_type": "text/plain"}, Media("file", url="u", mime_type="text/plain")),
    ({"type": "text-plain", "text": "words", "context": "c"}, Media("file", text="words", context="c")),
    (
        {"type": "file", "base64": "AA==", "mime_type": "application/pdf", "extras": {"context": "c", "title": "T"}},
        Media("file", "AA==", mime_type="application/pdf", filename="T", context="c"),
    ),
    ({"type": "file", "url": "u", "citations": {"enabled": True}}, Media("file", url="u", citable=True)),
    ({"type": "non_standard", "value": {"type": "own"}}, Raw({"type": "own"})),
    ({"type": "non_standard", "value": {"type": "refusal", "refusal": "no"}}, Refusal("no")),
    # its former standard
    ({"type": "image", "source_type": "url", "url": "u"}, Media("image", url="u")),
    (
        {"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png", "cache_control": CACHE},
        Media("image", PNG, mime_type="image/png", cache=CACHE),
    ),
    ({"type": "image", "source_type": "id", "id": "f"}, Media("image", file_id="f")),
    (
        {"type": "file", "source_type": "base64", "data": "AA==", "mime_type": "application/pdf", "filename": "a"},
        Media("file", "AA==", mime_type="application/pdf", filename="a"),
    ),
    # the shapes of vendors' APIs
    ({"type": "image_url", "image_url": "u"}, Media("image", url="u")),
    ({"type": "image_url", "image_url": {"url": "u", "detail": "low"}}, Media("image", url="u", detail="low")),
    (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}, "cache_control": CACHE},
        Media("image", PNG, mime_type="image/png", cache=CACHE),
    ),
    ({"type": "input_image", "image_url": "u", "detail": "auto"}, Media("image", url="u", detail="auto")),
    ({"type": "video_url", "video_url": {"url": "u"}}, Media("video", url="u")),
    (
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
        Media("audio", "AA==", mime_type="audio/mpeg"),
    ),
    (
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
        Media("file", "AA==", mime_type="application/pdf", filename="a.pdf"),
    ),
    ({"type": "file", "file": {"file_id": "f"}}, Media("file", file_id="f")),
    (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}, "cache_control": CACHE},
        Media("image", PNG, mime_type="image/png", cache=CACHE),
    ),
    ({"type": "image", "source": {"type": "url", "url": "u"}}, Media("image", url="u")),
    ({"type": "image", "source": {"type": "file", "file_id": "f"}}, Media("image", file_id="f")),
    (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}, "title": "T"},
        Media("file", text="words", mime_type="text/plain", filename="T"),
    ),
    ({"type": "document", "source": {"type": "url", "url": "u"}}, Media("file", url="u")),
    (
        {"type": "document", "source": {"type": "url", "url": "u"}, "citations": {"enabled": True}, "index": 0},
        Media("file", url="u", citable=True),
    ),
    (
        {
            "type": "document",
            "source": {"type": "file", "file_id": "f"},
            "citations": {"enabled": False},
            "context": "c",
        },
        Media("file", file_id="f", citable=False, context="c"),
    ),
    ({"type": "media", "mime_type": "video/mp4", "file_uri": "u"}, Media("video", url="u", mime_type="video/mp4")),
    ({"image": {"format": "png", "source": {"bytes": b"abc"}}}, Media("image", "YWJj", mime_type="image/png")),
    ({"text": "words"}, Text("words")),
    ({"type": "input_text", "text": "t"}, Text("t")),
    (
        {"type": "tool_result", "tool_use_id": "1", "content": "42", "is_error": True, "cache_control": CACHE},
        ToolResult("1", [Text("42")], is_error=True, cache=CACHE),
    ),
    (
        {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "42"}, "!"]},
        ToolResult("1", [Text("42"), Text("!")]),
    ),
]

SPOKEN: list[tuple[Any, Part]] = [
    ({"type": "thinking", "thinking": "r", "signature": "s"}, Reasoning("r", signature="s")),
    ({"type": "redacted_thinking", "data": "xx"}, Reasoning(encrypted="xx")),
    ({"type": "non_standard", "value": {"type": "redacted_thinking", "data": "xx"}}, Reasoning(encrypted="xx")),
    (
        {"type": "reasoning", "id": "rs_1", "summary": [{"text": "a"}, {"text": "b"}], "encrypted_content": "xx"},
        Reasoning("ab", encrypted="xx", id="rs_1"),
    ),
    ({"type": "refusal", "refusal": "no"}, Refusal("no")),
    (
        {"type": "text", "text": "t", "annotations": [{"type": "citation", "url": "u", "start_index": 1}]},
        Text("t", citations=[Citation(url="u", start=1)]),
    ),
    ({"type": "tool_call", "id": "1", "name": "f", "args": {"a": 1}}, ToolCall("1", "f", '{"a":1}')),
    ({"type": "tool_call_chunk", "id": "1", "name": "f", "args": '{"a'}, ToolCall("1", "f", '{"a')),
    ({"type": "invalid_tool_call", "id": "1", "name": "f", "args": "?", "error": "e"}, ToolCall("1", "f", "?")),
    ({"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}, ToolCall("1", "f", '{"a":1}')),
    (
        {"type": "function_call", "call_id": "1", "id": "fc", "name": "f", "arguments": '{ "a":1}'},
        ToolCall("1", "f", '{ "a":1}'),
    ),
    (
        {"type": "server_tool_call", "id": "1", "name": "search", "args": {"q": "x"}},
        ServerToolCall("1", "search", '{"q":"x"}'),
    ),
    (
        {"type": "server_tool_use", "id": "1", "name": "search", "input": {"q": "x"}},
        ServerToolCall("1", "search", '{"q":"x"}'),
    ),
    (
        {"type": "server_tool_result", "tool_call_id": "1", "status": "error", "output": ["o"]},
        ServerToolResult("1", "", ["o"], is_error=True),
    ),
    (
        {"type": "web_search_tool_result", "tool_use_id": "1", "content": ["o"]},
        ServerToolResult("1", "web_search", ["o"]),
    ),
]


@pytest.mark.parametrize(
    ("block", "part"), [*BLOCKS, *VENDORS], ids=lambda value: value.get("type") if isinstance(value, dict) else ""
)
def test_a_block_of_a_person(block: Any, part: Part) -> None:
    message = HumanMessage(content=[copy.deepcopy(block)])
    assert to_messages([message]) == [Message("user", [part])]
    assert message.content == [block], "the caller's message is changed"


@pytest.mark.parametrize(
    ("block", "part"), SPOKEN, ids=lambda value: value.get("type") if isinstance(value, dict) else ""
)
def test_a_block_of_a_model(block: Any, part: Part) -> None:
    message = AIMessage(content=[copy.deepcopy(block)])
    assert to_messages([message]) == [Message("assistant", [part])]
    assert message.content == [block], "the caller's message is changed"


CALL = {"id": "1", "name": "f", "args": {"a": 1}}
F = ToolCall("1", "f", '{"a":1}')

MESSAGES: list[tuple[str, list[BaseMessage], list[Message]]] = [
    ("text", [HumanMessage("hi", name="Ann")], [Message("user", [Text("hi")], "Ann")]),
    ("empty text", [HumanMessage("")], [Message("user", [Text("")])]),
    (
        "systems anywhere",
        [SystemMessage("a"), SystemMessage([{"type": "text", "text": "b"}]), HumanMessage("hi"), SystemMessage("c")],
        [
            Message("system", [Text("a")]),
            Message("system", [Text("b")]),
            Message("user", [Text("hi")]),
            Message("system", [Text("c")]),
        ],
    ),
    (
        "developer",
        [SystemMessage("a", additional_kwargs={"__openai_role__": "developer"}), ChatMessage("b", role="developer")],
        [Message("system", [Text("a")]), Message("system", [Text("b")])],
    ),
    (
        "chat messages",
        [ChatMessage("a", role="user"), ChatMessage("b", role="assistant"), ChatMessage("c", role="system")],
        [Message("user", [Text("a")]), Message("assistant", [Text("b")]), Message("system", [Text("c")])],
    ),
    ("function", [FunctionMessage("42", name="f")], [Message("tool", [ToolResult(None, [Text("42")], "f")])]),
    ("answer", [AIMessage("hi")], [Message("assistant", [Text("hi")])]),
    ("silence", [AIMessage("")], [Message("assistant", [])]),
    ("call", [AIMessage("", tool_calls=[CALL])], [Message("assistant", [F])]),
    ("text and call", [AIMessage("hm", tool_calls=[CALL])], [Message("assistant", [Text("hm"), F])]),
    (
        "one call said twice",
        [AIMessage([{"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}, "hm"], tool_calls=[CALL])],
        [Message("assistant", [F, Text("hm")])],
    ),
    (
        "an edited call",
        [AIMessage([{"type": "tool_call", **CALL}], tool_calls=[{**CALL, "name": "g", "args": {"a": 2}}])],
        [Message("assistant", [ToolCall("1", "g", '{"a":2}')])],
    ),
    (
        "calls without ids",
        [AIMessage([{"type": "tool_call", **CALL, "id": None}], tool_calls=[{**CALL, "id": None}, CALL])],
        [Message("assistant", [ToolCall(None, "f", '{"a":1}'), F])],
    ),
    (
        "an invalid call",
        [AIMessage("", invalid_tool_calls=[{"id": "1", "name": "f", "args": '{"a', "error": "cut"}])],
        [Message("assistant", [ToolCall("1", "f", '{"a')])],
    ),
    (
        "a chunk",
        [
            AIMessageChunk(
                [{"type": "tool_call_chunk", "id": "1", "name": "f", "args": '{"a":1}', "index": 0}],
                tool_call_chunks=[{"id": "1", "name": "f", "args": '{"a":1}', "index": 0}],
            )
        ],
        [Message("assistant", [F])],
    ),
    (
        "a legacy call",
        [AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": "{}"}})],
        [Message("assistant", [ToolCall(None, "f", "{}")])],
    ),
    (
        "reasoning of other packages",
        [AIMessage("hi", additional_kwargs={"reasoning_content": "r"})],
        [Message("assistant", [Reasoning("r"), Text("hi")])],
    ),
    (
        "a refusal of other packages",
        [AIMessage("", additional_kwargs={"refusal": "no"})],
        [Message("assistant", [Refusal("no")])],
    ),
    (
        "result",
        [ToolMessage("42", tool_call_id="1", name="f", artifact=object())],
        [Message("tool", [ToolResult("1", [Text("42")], "f")])],
    ),
    (
        "failure",
        [ToolMessage("oh", tool_call_id="1", status="error")],
        [Message("tool", [ToolResult("1", [Text("oh")], is_error=True)])],
    ),
    (
        "result with media",
        [ToolMessage(["see", {"type": "image", "url": "u"}], tool_call_id="1")],
        [Message("tool", [ToolResult("1", [Text("see"), Media("image", url="u")])])],
    ),
    ("empty result", [ToolMessage("", tool_call_id="1")], [Message("tool", [ToolResult("1")])]),
    (
        "result in a vendor's shape",
        [ToolMessage([{"type": "tool_result", "tool_use_id": "1", "content": "42"}], tool_call_id="1")],
        [Message("tool", [ToolResult("1", [Text("42")])])],
    ),
]


@pytest.mark.parametrize(("messages", "expected"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
def test_messages(messages: list[BaseMessage], expected: list[Message]) -> None:
    before = [message.model_copy(deep=True) for message in messages if not getattr(message, "artifact", None)]
    assert to_messages(messages) == expected
    assert [message for message in messages if not getattr(message, "artifact", None)] == before


def test_citations_apart_from_their_text() -> None:
    """So they come in a sum of another package's chunks."""
    apart = [{"type": "text", "text": "t"}, {"type": "text", "text": "", "citations": [FOUND]}]
    (message,) = to_messages([AIMessage(apart)])
    assert message.parts == [Text("t", citations=[Raw(FOUND)])]


def test_signatures_of_calls_beside_the_message() -> None:
    kept = {"__any_function_call_thought_signatures__": {"c1": "s"}}
    calls = [{"name": "f", "args": {}, "id": "c1"}, {"name": "f", "args": {}, "id": "c2"}]
    (message,) = to_messages([AIMessage("", tool_calls=calls, additional_kwargs=kept)])
    assert message.parts == [ToolCall("c1", "f", "{}", signature="s"), ToolCall("c2", "f", "{}")]


def test_an_empty_text_beside_others_says_nothing() -> None:
    (message,) = to_messages([HumanMessage([{"type": "text", "text": ""}, {"type": "text", "text": "t"}])])
    assert message.parts == [Text("t")]
    assert to_messages([HumanMessage("")])[0].parts == [Text("")]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (HumanMessage([{"type": "hologram", "data": 1}]), "'hologram'"),
        (HumanMessage([{"blob": 1}]), "'blob'"),
        (HumanMessage([{"type": "text", "text": "t", "prompt_cache_breakpoint": {}}]), "prompt_cache_breakpoint"),
        (ChatMessage("x", role="critic"), "'critic'"),
        (RemoveMessage(id="1"), "RemoveMessage"),
    ],
)
def test_what_nobody_knows(message: BaseMessage, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        to_messages([message])
