"""An answer of ours as LangChain's message: what it shows, and that it comes back as the part it was."""

from __future__ import annotations

import pytest
from langchain_core.load import dumps, loads
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration

from ai_protocol_integrations.langchain._inputs import to_messages
from ai_protocol_integrations.langchain._outputs import to_result, usage_metadata
from ai_protocol_integrations.langchain._versions import Version
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
    Usage,
)

from .sameness import VERSIONS, whole

both = pytest.mark.parametrize("version", VERSIONS)

EXTRA = {"wire": "some-wire", "alt": ["part", "text", 0], "rest": {"odd": [1, None]}}


def answer(*parts: Part, **said: object) -> Answer:
    return Answer(candidates=[Candidate(Message("assistant", list(parts)), "stop")], **said)  # type: ignore[arg-type]


PARTS: list[tuple[Part, dict[str, object]]] = [
    (Text("t"), {"type": "text", "text": "t"}),
    (Text(""), {"type": "text", "text": ""}),
    (
        Text("t", citations=[Citation("u", "T", "c", 1, 2, "i"), Raw({"odd": 1})]),
        {
            "type": "text",
            "text": "t",
            "annotations": [
                {
                    "type": "citation",
                    "url": "u",
                    "title": "T",
                    "cited_text": "c",
                    "start_index": 1,
                    "end_index": 2,
                    "id": "i",
                },
                {"type": "non_standard_annotation", "value": {"odd": 1}},
            ],
        },
    ),
    (
        Text("t", signature="s", logprobs=[{"token": "t"}], extra=EXTRA),
        {
            "type": "text",
            "text": "t",
            "extras": {"signature": "s", "ai_protocol": {"logprobs": [{"token": "t"}], "extra": EXTRA}},
        },
    ),
    (
        Reasoning("r", "s", "xx", "rs_1", "full"),
        {
            "type": "reasoning",
            "reasoning": "r",
            "id": "rs_1",
            "extras": {"signature": "s", "ai_protocol": {"encrypted": "xx", "full": "full"}},
        },
    ),
    (Refusal("no"), {"type": "non_standard", "value": {"type": "refusal", "refusal": "no"}}),
    (ToolCall("1", "f", '{"a":1}'), {"type": "tool_call", "id": "1", "name": "f", "args": {"a": 1}}),
    (
        ToolCall("1", "f", '{ "a": 1.0 }', signature="s"),
        {
            "type": "tool_call",
            "id": "1",
            "name": "f",
            "args": {"a": 1.0},
            "extras": {"signature": "s", "ai_protocol": {"arguments": '{ "a": 1.0 }'}},
        },
    ),
    (
        ToolCall("1", "f", ""),
        {"type": "tool_call", "id": "1", "name": "f", "args": {}, "extras": {"ai_protocol": {"arguments": ""}}},
    ),
    (
        ServerToolCall("1", "search", '{"q":"x"}'),
        {"type": "server_tool_call", "id": "1", "name": "search", "args": {"q": "x"}},
    ),
    (
        ServerToolCall(None, "python", "print(1)"),
        {
            "type": "server_tool_call",
            "id": "",
            "name": "python",
            "args": {"text": "print(1)"},
            "extras": {"ai_protocol": {"id": None, "arguments": "print(1)"}},
        },
    ),
    (
        ServerToolResult("1", "search", ["o"], is_error=False),
        {
            "type": "server_tool_result",
            "tool_call_id": "1",
            "status": "success",
            "output": ["o"],
            "extras": {"ai_protocol": {"name": "search", "is_error": False}},
        },
    ),
    (
        Media("image", "AA==", mime_type="image/png", detail="low"),
        {"type": "image", "base64": "AA==", "mime_type": "image/png", "extras": {"detail": "low"}},
    ),
    (
        Media("audio", "AA==", file_id="a", text="said"),
        {"type": "audio", "base64": "AA==", "file_id": "a", "extras": {"ai_protocol": {"text": "said"}}},
    ),
    (
        Media("file", text="words", filename="T"),
        {
            "type": "text-plain",
            "text": "words",
            "mime_type": "text/plain",
            "title": "T",
            "extras": {"ai_protocol": {"mime_type": None}},
        },
    ),
    (
        Media("file", text="words", mime_type="text/plain", citable=True, context="c"),
        {
            "type": "text-plain",
            "text": "words",
            "mime_type": "text/plain",
            "context": "c",
            "extras": {"citations": {"enabled": True}},
        },
    ),
    (
        Media("file", url="u", citable=False, context="c"),
        {"type": "file", "url": "u", "extras": {"context": "c", "citations": {"enabled": False}}},
    ),
    (
        Raw({"type": "odd"}, EXTRA),
        {"type": "non_standard", "value": {"type": "odd"}, "extras": {"ai_protocol": {"extra": EXTRA}}},
    ),
    (
        Raw("odd", EXTRA),
        {
            "type": "non_standard",
            "value": {"value": "odd"},
            "extras": {"ai_protocol": {"bare": True, "extra": EXTRA}},
        },
    ),
]


@pytest.mark.parametrize(("part", "block"), PARTS, ids=[part.kind for part, _ in PARTS])
def test_a_part_is_shown_and_comes_back(part: Part, block: dict[str, object]) -> None:
    message = whole(answer(part), "v1")
    assert message.content == message.content_blocks == [block]
    assert to_messages([message]) == [Message("assistant", [part])]


@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
@both
def test_it_comes_back_from_json(version: Version) -> None:
    said = answer(*(part for part, _ in PARTS))
    said.message.extra = EXTRA
    message = loads(dumps(whole(said, version)), allowed_objects="core")
    (back,) = to_messages([message])
    calls = [part for part in back.parts if isinstance(part, ToolCall)]
    assert [part for part in back.parts if part not in calls] == [p for p, _ in PARTS if not isinstance(p, ToolCall)]
    assert [call.id for call in calls] == ["1", "1", "1"], "ids of their own were made up for LangChain only"
    assert back.extra == EXTRA


def test_text_is_all_the_text() -> None:
    message = whole(answer(Reasoning("r"), Text("one"), Refusal("no"), ToolCall("1", "f"), Text(" two")), "v1")
    assert message.text == "one two"


@both
def test_calls(version: Version) -> None:
    message = whole(
        answer(ToolCall("1", "f", '{"a":1}'), ToolCall("2", "g", '{"a'), ToolCall("3", "h", "[1]")), version
    )
    assert message.tool_calls == [{"type": "tool_call", "id": "1", "name": "f", "args": {"a": 1}}]
    cut, listed = message.invalid_tool_calls
    assert (cut["id"], cut["name"], cut["args"]) == ("2", "g", '{"a')
    assert "not JSON" in (cut["error"] or "")
    assert "no" in (listed["error"] or "")
    assert [call.arguments for call in to_messages([message])[0].parts] == ['{"a":1}', '{"a', "[1]"]  # type: ignore[union-attr]


@both
def test_calls_without_an_id_have_one(version: Version) -> None:
    """Their results are given back to the wire without, as it knows none, but with the name."""
    from langchain_core.messages import ToolMessage

    message = whole(answer(ToolCall(None, "f", "{}"), ToolCall(None, "g", "{}")), version)
    ids = [str(call["id"]) for call in message.tool_calls]
    assert len(set(ids)) == 2
    back = to_messages([message, *(ToolMessage("42", tool_call_id=call_id) for call_id in ids)])
    assert [part.id for part in back[0].parts] == [None, None]  # type: ignore[union-attr]
    assert [(m.parts[0].call_id, m.parts[0].name) for m in back[1:]] == [(None, "f"), (None, "g")]  # type: ignore[union-attr]


def test_citations_of_the_whole_message_are_shown_with_its_text() -> None:
    said = answer(Text("one"), Text("two", citations=[Citation("a")]))
    said.message.citations = [Citation("b")]
    message = whole(said, "v1")
    assert [a.get("url") for a in message.content_blocks[1]["annotations"]] == ["a", "b"]  # type: ignore[typeddict-item]
    assert to_messages([message]) == [said.message]
    silent = answer(Reasoning("r"))
    silent.message.citations = [Citation("b")]
    assert to_messages([whole(silent, "v1")]) == [silent.message]


def test_metadata() -> None:
    candidate = Candidate(
        Message("assistant", [Text("t")], "Bob", extra={"wire": "w", "rest": {"m": 1}}),
        finish_reason="stop",
        finish_word="END",
        finish_detail="d",
        stop_sequence="###",
        logprobs={"content": []},
        extra={"wire": "w", "rest": {"c": 1}},
    )
    said = Answer(
        id="i",
        model="m-1",
        created=1.0,
        candidates=[candidate],
        usage=Usage(1, 2, raw={"in": 1, "cost": 0.5}),
        service_tier="flex",
        fingerprint="fp",
        extra={"wire": "w", "rest": {"a": 1}},
        call=Call("acme", "some-wire", "m", request_id="r", attempts=2, rate_limits={"requests_remaining": "9"}),
    )
    message = whole(said, "v1")
    assert message.response_metadata == {
        "output_version": "v1",
        "model_name": "m-1",
        "model_provider": "acme",
        "protocol": "some-wire",
        "finish_reason": "stop",
        "finish_word": "END",
        "finish_detail": "d",
        "stop_sequence": "###",
        "id": "i",
        "request_id": "r",
        "created": 1.0,
        "service_tier": "flex",
        "system_fingerprint": "fp",
        "logprobs": {"content": []},
        "usage": {"in": 1, "cost": 0.5},
        "attempts": 2,
        "rate_limits": {"requests_remaining": "9"},
        "ai_protocol": {
            "answer": {"a": 1},
            "candidate": {"c": 1},
            "message": {"wire": "w", "rest": {"m": 1}},
            "name": "Bob",
        },
    }
    assert to_messages([message]) == [candidate.message]
    said.model = None
    assert whole(said, "v1").response_metadata["model_name"] == "m"


def test_usage() -> None:
    assert usage_metadata(None) is None
    assert usage_metadata(Usage(raw={})) is None
    assert usage_metadata(Usage(3, 4)) == {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    full = Usage(10, 4, cache_read=2, cache_write=3, reasoning=1, audio_input=0, audio_output=1)
    assert usage_metadata(full) == {
        "input_tokens": 10,
        "output_tokens": 4,
        "total_tokens": 14,
        "input_token_details": {"audio": 0, "cache_creation": 3, "cache_read": 2},
        "output_token_details": {"audio": 1, "reasoning": 1},
    }


def test_several_candidates() -> None:
    candidates = [Candidate(Message("assistant", [Text(text)]), "stop", index=n) for n, text in enumerate("ab")]
    first, second = to_result(Answer(candidates=candidates, usage=Usage(1, 2)), "v1").generations
    assert (first.text, second.text) == ("a", "b")
    assert first.message.usage_metadata == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}  # type: ignore[attr-defined]
    assert second.message.usage_metadata is None, "one call is paid for once"  # type: ignore[attr-defined]
    assert first.generation_info == {"finish_reason": "stop"}


def test_no_candidate_at_all() -> None:
    message = whole(Answer(blocked="SAFETY"), "v1")
    assert message.content == []
    assert message.response_metadata == {
        "output_version": "v1",
        "finish_reason": "content_filter",
        "blocked": "SAFETY",
    }
    assert message.content == []


@both
def test_a_message_is_as_if_validated(version: Version) -> None:
    """The usual message is a copy; it is what the constructor makes, and shares nothing with another."""
    said = answer(Text("a"), usage=Usage(input=1, output=2))
    one, two = (to_result(said, version).generations[0] for _ in range(2))
    message = one.message
    made = ChatGeneration(
        message=AIMessage(**{name: getattr(message, name) for name in message.model_fields_set}),
        generation_info=one.generation_info,
    )
    assert (one, one.model_dump()) == (made, made.model_dump())
    assert (one.text, type(one.text)) == (made.text, type(made.text))
    assert message.model_fields_set == {
        "content",
        "additional_kwargs",
        "tool_calls",
        "invalid_tool_calls",
        "response_metadata",
        "usage_metadata",
    }
    for name, value in vars(message).items():
        assert not isinstance(value, dict | list) or value is not getattr(two.message, name), name
