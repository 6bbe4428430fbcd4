"""Content blocks in and out: what each of LlamaIndex's is for us, and how an answer goes back as it came."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.base.llms.generic_utils import messages_to_history_str
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from ai_protocol_integrations.llama_index._inputs import to_messages
from ai_protocol_integrations.llama_index._outputs import to_response
from ai_protocol_runtime.types import (
    Answer,
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
    ToolResult,
)
from ai_protocol_runtime.types.errors import ArgumentError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
PNG64 = base64.b64encode(PNG).decode()
PDF = b"%PDF-1.4 " + bytes(20)
POINT = CachePoint(cache_control=CacheControl(type="ephemeral", ttl="1h"))


def read(*blocks: Any, role: str = "user", **kwargs: Any) -> Message:
    (message,) = to_messages([ChatMessage(role=role, blocks=list(blocks), additional_kwargs=kwargs)])
    return message


def parts(*blocks: Any) -> list[Part]:
    return read(*blocks).parts


def answered(*said: Part, **more: Any) -> ChatMessage:
    answer = Answer("id", "m", candidates=[Candidate(Message("assistant", list(said), **more), "stop")])
    return to_response(answer).message


def back(message: ChatMessage) -> Message:
    (made,) = to_messages([ChatMessage.model_validate_json(message.model_dump_json())])
    assert to_messages([message]) == [made]
    return made


# in


ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}


def test_every_role() -> None:
    assert {role.value: read(TextBlock(text="a"), role=role.value).role for role in MessageRole} == ROLES


def test_an_empty_message_is_what_a_person_gave() -> None:
    assert parts() == [Text("")]
    assert parts(TextBlock(text=""), TextBlock(text="a")) == [Text("a")]
    assert read(role="assistant").parts == []


def test_an_image_by_bytes_stream_file_and_address(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    wanted = Media("image", PNG64, mime_type="image/png", detail="low")
    assert parts(ImageBlock(image=PNG, detail="low")) == [wanted]
    assert parts(ImageBlock(image=io.BytesIO(PNG), detail="low")) == [wanted]
    assert parts(ImageBlock(path=path, detail="low")) == [wanted]
    assert parts(ImageBlock(url=f"data:image/png;base64,{PNG64}", detail="low")) == [wanted]
    (there,) = parts(ImageBlock(url="https://a.example/b.png"))
    assert there == Media("image", url="https://a.example/b.png", mime_type="image/png")


def test_sound_video_and_documents(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(PDF)
    data = base64.b64encode(PDF).decode()
    (sound,) = parts(AudioBlock(audio=b"abc!", format="mp3"))
    assert sound == Media("audio", base64.b64encode(b"abc!").decode(), mime_type="audio/mpeg")
    (video,) = parts(VideoBlock(url="https://a.example/b.mp4", video_mimetype="video/mp4"))
    assert video == Media("video", url="https://a.example/b.mp4", mime_type="video/mp4")
    assert parts(DocumentBlock(path=path)) == [Media("file", data, mime_type="application/pdf", filename="report.pdf")]
    (titled,) = parts(DocumentBlock(data=PDF, title="Report"))
    assert titled == Media("file", data, mime_type="application/pdf", filename="Report")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(PDF)
    block = DocumentBlock(path=path)
    path.unlink()
    with pytest.raises(ArgumentError, match="cannot be read"):
        parts(block)


def test_a_document_that_may_be_cited() -> None:
    block = CitableBlock(title="Lakes", source="An atlas", content=[TextBlock(text="Deep."), TextBlock(text="Wide.")])
    (document,) = parts(block)
    wanted = Media("file", text="Deep.\n\nWide.", filename="Lakes")
    wanted.citable, wanted.context = True, "An atlas"
    assert document == wanted
    mixed = CitableBlock(title="Lakes", source="", content=[TextBlock(text="Deep."), ImageBlock(image=PNG)])
    assert [part.kind for part in parts(mixed)] == ["file", "image"]


def test_a_citation_belongs_to_the_text_before_it() -> None:
    block = CitationBlock(
        cited_content=TextBlock(text="deep"), source="https://a.example", title="A", additional_location_info={"end": 4}
    )
    (text,) = read(TextBlock(text="It is deep."), block, role="assistant").parts
    assert text == Text("It is deep.", [Citation("https://a.example", "A", "deep", None, 4)])
    with pytest.raises(ArgumentError, match="after the text"):
        parts(block)


def test_a_cache_point_marks_what_stands_before_it() -> None:
    (text,) = parts(TextBlock(text="a"), POINT)
    assert text == Text("a", cache={"type": "ephemeral", "ttl": "1h"})
    (result,) = read(TextBlock(text="r"), POINT, role="tool", tool_call_id="1").parts
    assert result == ToolResult("1", [Text("r")], cache={"type": "ephemeral", "ttl": "1h"})
    with pytest.raises(ArgumentError, match="after what it is for"):
        parts(POINT, TextBlock(text="a"))


def test_thinking_of_other_classes() -> None:
    anthropic = ThinkingBlock(content="t", additional_information={"signature": "s"})
    responses = ThinkingBlock(content="t", additional_information={"id": "rs_1", "encrypted_content": "e"})
    assert read(anthropic, responses, role="assistant").parts == [
        Reasoning("t", "s"),
        Reasoning("t", None, "e", "rs_1"),
    ]


def test_calls_of_other_classes() -> None:
    block = ToolCallBlock(tool_call_id="1", tool_name="f", tool_kwargs={"a": 1})
    half = ToolCallBlock(tool_call_id="1", tool_name="f", tool_kwargs='{"a":')
    beside = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    thing = SimpleNamespace(id="1", function=SimpleNamespace(name="f", arguments='{"a":1}'))
    flat = {"id": "1", "name": "f", "arguments": {"a": 1}}
    call = ToolCall("1", "f", '{"a":1}')
    assert read(block, role="assistant").parts == [call]
    assert read(half, role="assistant").parts == [ToolCall("1", "f", '{"a":')]
    for listed in (beside, thing, flat):
        assert read(role="assistant", tool_calls=[listed]).parts == [call]
        assert read(block, role="assistant", tool_calls=[listed]).parts == [call]  # said twice, called once


def test_results() -> None:
    result = read(TextBlock(text="4"), ImageBlock(image=PNG), role="tool", tool_call_id="1", name="f")
    assert result.parts == [ToolResult("1", [Text("4"), Media("image", PNG64, mime_type="image/png")], "f")]
    failed = read(TextBlock(text="no"), role="tool", tool_call_id="1", is_error=True)
    assert failed.parts == [ToolResult("1", [Text("no")], is_error=True)]


def test_what_is_no_message() -> None:
    with pytest.raises(ArgumentError, match="a str cannot be sent"):
        to_messages(["hi"])  # type: ignore[list-item]


# out, and back


EVERYTHING: list[Part] = [
    Reasoning("I think", signature="c2ln", extra={"wire": "w", "alt": ["part", "reasoning", 0]}),
    Reasoning(encrypted="ZW5j", id="rs_1"),
    Text("It is "),
    Text("deep.", [Citation("https://a.example/", "A", "deep", 0, 4), Raw({"odd": 1})], signature="s"),
    ServerToolCall("s1", "search", '{"q": "x"}'),
    ServerToolResult("s1", "search", [{"url": "u"}]),
    Text("And wide."),
    Media("image", PNG64, mime_type="image/png"),
    Media("file", file_id="f1"),
    ToolCall("1", "f", '{ "a": 1 }', signature="sig"),
    ToolCall("1", "g", ""),
    ToolCall(None, "h", '{"a":'),
    Raw({"type": "strange"}),
    Refusal("I will not."),
]


def test_an_answer_goes_back_as_it_came() -> None:
    extra = {"wire": "w", "alt": ["messages", 0, 0]}
    message = answered(*EVERYTHING, name="bot", extra=extra)
    assert back(message) == Message("assistant", EVERYTHING, "bot", extra=extra)


def test_what_is_shown_of_it() -> None:
    message = answered(*EVERYTHING)
    kinds = [block.block_type for block in message.blocks]
    calls = ["tool_call"] * 3
    assert kinds == ["thinking", "thinking", "text", "citation", "image", *calls, "text"]
    assert message.content == "It is deep.And wide.\nI will not."
    assert [block.tool_kwargs for block in message.blocks if isinstance(block, ToolCallBlock)] == [
        {"a": 1},
        {},
        '{"a":',
    ]
    first, second, _ = (block.tool_call_id for block in message.blocks if isinstance(block, ToolCallBlock))
    assert first == "1" != second
    (cited,) = (block for block in message.blocks if isinstance(block, CitationBlock))
    assert (cited.additional_location_info, cited.source) == ({"start": 6, "end": 10}, "https://a.example/")
    more = message.additional_kwargs
    assert more["refusal"] == "I will not."
    assert [call["function"]["name"] for call in more["tool_calls"]] == ["f", "g", "h"]
    assert [call["name"] for call in more["invalid_tool_calls"]] == ["h"]


def test_results_find_the_call_that_has_no_id() -> None:
    """Or one that it shares: they are told apart by ids of ours, which no wire is sent."""
    message = answered(ToolCall(None, "f", "{}"), ToolCall("1", "g", "{}"), ToolCall("1", "g", "{}"))
    ids = [block.tool_call_id for block in message.blocks if isinstance(block, ToolCallBlock)]
    results = [
        ChatMessage(role="tool", content=str(n), additional_kwargs={"tool_call_id": i}) for n, i in enumerate(ids)
    ]
    _, *found = to_messages([message, *results])
    said = [part for message in found for part in message.parts]
    assert said == [ToolResult(None, [Text("0")], "f"), ToolResult("1", [Text("1")]), ToolResult("1", [Text("2")])]


def test_what_is_ours_is_in_no_prompt() -> None:
    """LlamaIndex's condensing chat engines print all that stands beside the content."""
    printed = messages_to_history_str([answered(Text("It is deep.", signature="c2lnbmF0dXJl"))])
    assert printed == "assistant: It is deep.\n{'ai_protocol': {...}}"


def edited(message: ChatMessage, number: int, block: Any) -> ChatMessage:
    blocks = list(message.blocks)
    blocks[number : number + 1] = [] if block is None else [block]
    return message.model_copy(update={"blocks": blocks})


def test_what_was_edited_is_the_users() -> None:
    message = answered(Reasoning("t", "s"), Text("one", signature="1"), ToolCall("c", "f", '{ "a":1 }'), Text("two"))
    call = ToolCall("c", "f", '{ "a":1 }')
    assert back(edited(message, 1, TextBlock(text="new"))).parts == [
        Reasoning("t", "s"),
        Text("new"),
        call,
        Text("two"),
    ]
    assert back(edited(message, 1, None)).parts == [Reasoning("t", "s"), call, Text("two")]
    assert back(edited(message, 0, None)).parts == [Text("one", signature="1"), call, Text("two")]
    changed = ToolCallBlock(tool_call_id="c", tool_name="f", tool_kwargs={"a": 2})
    assert back(edited(message, 2, changed)).parts[2] == ToolCall("c", "f", '{"a":2}')
    longer = message.model_copy(update={"blocks": [*message.blocks, TextBlock(text="more")]})
    assert back(longer).parts == [*back(message).parts, Text("more")]
    before = message.model_copy(update={"blocks": [TextBlock(text="before"), *message.blocks]})
    assert back(before).parts == [Text("before"), *back(message).parts]


def test_the_second_of_two_texts_in_one_block_was_edited() -> None:
    message = answered(Text("one", signature="1"), Text("two", signature="2"), ToolCall("c", "f", "{}"))
    assert back(edited(message, 0, TextBlock(text="onetoo"))).parts[:2] == [Text("one", signature="1"), Text("too")]
    assert back(edited(message, 0, TextBlock(text="wontwo"))).parts[:1] == [Text("wontwo")]


@pytest.mark.parametrize("notes", [None, 3, [3], [{}], [{"type": "text", "text": "?"}], [{"type": "nobody"}]])
def test_notes_may_be_anything(notes: Any) -> None:
    message = answered(Text("one"), ToolCall("c", "f", "{}"))
    message.additional_kwargs["ai_protocol"] = {"blocks": notes}
    assert back(message).parts == [Text("one"), ToolCall("c", "f", "{}")]


words = st.text(max_size=5)
some: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, words, signature=st.none() | words),
    st.builds(Reasoning, words, st.none() | words, st.none() | words, st.none() | words),
    st.builds(ToolCall, st.none() | words, words, st.sampled_from(["", "{}", '{"a": 1}', '{"a": 1.0}', "{", "[]"])),
    st.builds(Refusal, words),
    st.builds(Raw, st.dictionaries(words, words)),
    st.builds(ServerToolCall, words, words, st.sampled_from([None, "{}", "x"])),
)


@settings(max_examples=300)
@given(st.lists(some, max_size=6))
def test_any_answer_goes_back_as_it_came(said: list[Part]) -> None:
    assert back(answered(*said)).parts == _without_empty(said)


def _without_empty(said: list[Part]) -> list[Part]:
    return [part for part in said if part != Text("")] or said
