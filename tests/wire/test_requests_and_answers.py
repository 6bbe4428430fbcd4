"""What single formats make of single things, where the recorded traffic has too few of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Citation,
    Loss,
    Media,
    Message,
    Part,
    Reasoning,
    Refusal,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from ai_protocol_runtime.wire import wire_format

PNG = Media("image", "iVBORw0KGgo=", mime_type="image/png")
PDF = Media("file", "JVBERi0xLjQK", mime_type="application/pdf", filename="a.pdf")


def turns(wire: str, arguments: str, *result: Part, lost: tuple[str, ...] = ()) -> list[Any]:
    """What is sent for a question, a call and its result; `lost` are the names of what is not."""
    said = [
        Message("user", [Text("q")]),
        Message("assistant", [ToolCall("c1", "f", arguments)]),
        Message("tool", [ToolResult("c1", list(result), "f")]),
    ]
    losses: list[Loss] = []
    body = wire_format(wire, manifests()).encode_request(Request(messages=said), losses)
    assert tuple(loss.what for loss in losses) == lost
    sent: list[Any] = body.get("messages") or body["contents"]
    return sent


def test_a_result_holds_text_and_media() -> None:
    sent = turns("gemini-generate", "{}", Text("a"), PNG, Text("b"), PDF)[-1]["parts"][0]["functionResponse"]
    assert sent["response"] == {"output": "ab"}
    assert sent["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": PNG.data}},
        {"inlineData": {"mimeType": "application/pdf", "data": PDF.data, "displayName": "a.pdf"}},
    ]


def test_arguments_that_are_no_json_leave_a_call_that_can_be_sent() -> None:
    (call,) = turns("anthropic-messages", '{"a', Text("no JSON"), lost=("tool_call.arguments",))[1]["content"]
    assert call == {"type": "tool_use", "id": "c1", "name": "f", "input": {}}


def sent(wire: str, request: Request) -> dict[str, Any]:
    """What is sent, where nothing is lost."""
    losses: list[Loss] = []
    body = wire_format(wire, manifests()).encode_request(request, losses)
    assert losses == []
    return body


@pytest.mark.parametrize("wire", ["anthropic-messages", "bedrock-converse"])
def test_an_id_of_another_maker_is_spelt_as_it_may_be(wire: str) -> None:
    said = [
        Message("user", [Text("q")]),
        Message("assistant", [ToolCall("functions.f:0", "f", "{}"), ToolCall("toolu_1-a", "f", "{}")]),
        Message("tool", [ToolResult("functions.f:0", [Text("a")]), ToolResult("toolu_1-a", [Text("b")])]),
    ]
    _, calls, results = (message["content"] for message in sent(wire, Request(messages=said))["messages"])
    made = [call.get("toolUse", call) for call in calls]
    ids = [call.get("toolUseId") or call["id"] for call in made]
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", ids[0])
    assert ids[1] == "toolu_1-a"
    answers = [result.get("toolResult", result) for result in results]
    assert [answer.get("toolUseId") or answer["tool_use_id"] for answer in answers] == ids


def test_what_a_schema_may_not_say_is_described() -> None:
    properties = {
        "days": {"type": "integer", "minimum": 1, "maximum": 14, "description": "How many."},
        "names": {"type": "array", "items": {"type": "string", "maxLength": 9}, "minItems": 1},
        "pets": {
            "type": "array",
            "items": {"oneOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
            "minItems": 2,
        },
        "path": {"type": "string", "format": "path", "pattern": "^/"},
    }
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    request = Request(format=ResponseFormat("schema", schema=schema))
    assert sent("anthropic-messages", request)["output_config"]["format"]["schema"]["properties"] == {
        "days": {"type": "integer", "description": "How many.\n\n{minimum: 1, maximum: 14}"},
        "names": {"type": "array", "items": {"type": "string", "description": "{maxLength: 9}"}, "minItems": 1},
        "pets": {
            "type": "array",
            "items": {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
            "description": "{minItems: 2}",
        },
        "path": {"type": "string", "pattern": "^/", "description": "{format: path}"},
    }
    written = sent("bedrock-converse", request)["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]
    assert "minimum: 1" in json.loads(written)["properties"]["days"]["description"]


def test_a_tool_that_is_named_is_the_only_one_offered() -> None:
    body = sent("cohere-chat", Request(tools=[Tool("a"), Tool("b")], tool_choice=ToolChoice("named", "b")))
    assert body["tool_choice"] == "REQUIRED"
    assert [tool["function"]["name"] for tool in body["tools"]] == ["b"]


def test_an_image_says_itself_what_it_is() -> None:
    (message,) = sent("ollama-chat", Request(messages=[Message("user", [Text("?"), PNG])]))["messages"]
    assert message["images"] == [PNG.data]


def test_no_ids_are_made_up_for_a_request() -> None:
    """A server looks up the ids that it is sent."""
    said = [Message("user", [Text("q")]), Message("assistant", [Reasoning("t", encrypted="e"), Refusal("no")])]
    _, reasoning, refusal = sent("openai-responses", Request(messages=said))["input"]
    assert reasoning["encrypted_content"] == "e"
    assert refusal["content"] == [{"type": "refusal", "refusal": "no"}]
    assert "id" not in {*reasoning, *refusal}
    answer = Answer(candidates=[Candidate(said[1])])
    written = wire_format("openai-responses", manifests()).encode_answer(answer)["output"]
    assert all(item["id"] for item in written)


def test_a_citation_of_a_file() -> None:
    wire = wire_format("openai-responses", manifests())
    cited = {"type": "file_citation", "file_id": "file_1", "filename": "a.txt", "index": 3}
    said = {"type": "output_text", "text": "t", "annotations": [cited]}
    item = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [said]}
    answer = wire.decode_answer({"id": "resp_1", "object": "response", "status": "completed", "output": [item]})
    (part,) = answer.message.parts
    assert isinstance(part, Text)
    (citation,) = part.citations or ()
    assert isinstance(citation, Citation)
    assert (citation.id, citation.title) == ("file_1", "a.txt")
    assert wire.encode_answer(answer)["output"] == [item]


# Hand-made, after https://ai.google.dev/api/generate-content#GroundingMetadata: segments count bytes, of UTF-8.
SAID = "Zürich is big. Öland is an island."
GROUNDING = {
    "webSearchQueries": ["q"],
    "groundingChunks": [
        {"web": {"uri": "https://a.example/", "title": "A"}},
        {"web": {"uri": "https://b.example/", "title": "B"}},
    ],
    "groundingSupports": [
        {"segment": {"endIndex": 15, "text": "Zürich is big."}, "groundingChunkIndices": [0, 1, 7]},
        {
            "segment": {"startIndex": 16, "endIndex": 36, "text": "Öland is an island."},
            "groundingChunkIndices": [1],
            "confidenceScores": [0.5],
        },
    ],
}


def grounded(*texts: str, grounding: dict[str, Any]) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text} for text in texts]}
    return {"candidates": [{"index": 0, "content": content, "finishReason": "STOP", "groundingMetadata": grounding}]}


def test_what_an_answer_is_grounded_on_is_cited() -> None:
    wire = wire_format("gemini-generate", manifests())
    whole = wire.decode_answer(grounded(SAID, grounding=GROUNDING))
    (part,) = whole.message.parts
    assert isinstance(part, Text)
    cited = [c for c in part.citations or () if isinstance(c, Citation)]
    assert [(c.url, c.title, SAID[c.start or 0 : c.end]) for c in cited] == [
        ("https://a.example/", "A", "Zürich is big."),
        ("https://b.example/", "B", "Zürich is big."),
        ("https://b.example/", "B", "Öland is an island."),
    ]
    assert [c.text for c in cited] == [SAID[c.start or 0 : c.end] for c in cited]
    losses: list[Loss] = []
    assert wire.encode_answer(whole, losses) == grounded(SAID, grounding=GROUNDING)
    wire.encode_request(Request(messages=[whole.message]), losses)
    assert losses == []

    decoder = wire.stream_decoder()
    pieces = [grounded(SAID[:5], grounding={}), grounded(SAID[5:], grounding=GROUNDING)]
    del pieces[0]["candidates"][0]["finishReason"]
    for piece in pieces:
        decoder.feed(piece)
    decoder.finish()
    assert decoder.partial.message.parts == whole.message.parts


def test_what_is_grounded_on_nothing_cites_nothing() -> None:
    wire = wire_format("gemini-generate", manifests())
    for wrong in ({"groundingSupports": [{"groundingChunkIndices": ["x", None]}, 3]}, {"groundingChunks": {}}, {}):
        answer = wire.decode_answer(grounded(SAID, grounding=wrong))
        (part,) = answer.message.parts
        assert isinstance(part, Text)
        assert part.citations is None
        assert wire.encode_answer(answer) == grounded(SAID, grounding=wrong)


CITABLE = {
    "anthropic-messages": {"title": "a.pdf", "context": "c", "citations": {"enabled": True}},
    "bedrock-converse": {"name": "a.pdf", "context": "c", "citations": {"enabled": True}},
}


@pytest.mark.parametrize("by", [{"data": PDF.data}, {"url": "s3://a/b"}, {"text": "words"}])
@pytest.mark.parametrize("wire", CITABLE)
def test_a_document_that_may_be_cited(wire: str, by: dict[str, str]) -> None:
    document = Media("file", **by, filename="a.pdf", citable=True, context="c")
    document.mime_type = PDF.mime_type if document.data else None
    (message,) = sent(wire, request := Request(messages=[Message("user", [Text("q"), document])]))["messages"]
    block = message["content"][1]
    assert CITABLE[wire].items() <= block.get("document", block).items()
    format = wire_format(wire, manifests())
    (_, back) = format.decode_request(format.encode_request(request, [])).messages[0].parts
    assert isinstance(back, Media)
    assert (back.citable, back.context, back.filename) == (True, "c", "a.pdf")
    assert "rest" not in (back.extra or {})


@pytest.mark.parametrize("wire", CITABLE)
def test_a_document_that_may_not_be_cited(wire: str) -> None:
    for citable, said in [(False, {"enabled": False}), (None, None)]:
        document = replace(PDF, citable=citable)
        (message,) = sent(wire, Request(messages=[Message("user", [document])]))["messages"]
        (block,) = message["content"]
        assert block.get("document", block).get("citations") == said


@pytest.mark.parametrize("wire", ["openai-chat", "openai-responses", "gemini-generate"])
def test_a_wire_that_cites_no_documents_says_so(wire: str) -> None:
    losses: list[Loss] = []
    document = replace(PDF, citable=True, context="c")
    wire_format(wire, manifests()).encode_request(Request(messages=[Message("user", [document])]), losses)
    assert [loss.what for loss in losses] == ["file.citable", "file.context"]


@pytest.mark.parametrize("wire", ["openai-chat", "openai-responses", "gemini-generate", "cohere-chat", "ollama-chat"])
def test_a_document_of_text_is_sent_as_text_where_there_are_no_documents(wire: str) -> None:
    losses: list[Loss] = []
    document = Media("file", text="Deep lake.", filename="Lakes")
    body = wire_format(wire, manifests()).encode_request(Request(messages=[Message("user", [document])]), losses)
    assert "Deep lake." in str(body)
    assert [loss.what for loss in losses] == ["file.filename"]
    (read,) = wire_format(wire, manifests()).decode_request(body).messages
    assert [part.text for part in read.parts if isinstance(part, Text)] == ["Deep lake."]


# Hand-made, after https://ai.google.dev/api/generate-content#LogprobsResult
def test_log_probabilities_in_two_lists_are_one() -> None:
    wire = wire_format("gemini-generate", manifests())
    chosen = [{"token": "a", "tokenId": 1, "logProbability": -0.5}, {"token": "b", "logProbability": -0.25}]
    tops = [{"candidates": [chosen[0], {"token": "x", "logProbability": -2.0}]}, {"candidates": [chosen[1]]}]
    candidate = {
        "content": {"role": "model", "parts": [{"text": "ab"}]},
        "finishReason": "STOP",
        "logprobsResult": {"chosenCandidates": chosen, "topCandidates": tops},
    }
    answer = wire.decode_answer({"candidates": [candidate]})
    first, second = answer.candidates[0].logprobs["content"]
    likely = [{"token": "a", "tokenId": 1, "logprob": -0.5}, {"token": "x", "logprob": -2.0}]
    assert first == {"token": "a", "tokenId": 1, "logprob": -0.5, "top_logprobs": likely}
    assert (second["token"], second["logprob"]) == ("b", -0.25)
    assert wire.encode_answer(answer) == {"candidates": [candidate]}
    answer.candidates[0].extra = None
    assert wire.encode_answer(answer)["candidates"][0]["logprobsResult"] == candidate["logprobsResult"]
    for odd in ({"chosenCandidates": 3}, {"chosenCandidates": [3]}, {}, {"topCandidates": []}):
        kept = {"candidates": [{**candidate, "logprobsResult": odd}]}
        answer = wire.decode_answer(kept)
        assert answer.candidates[0].logprobs is None
        assert wire.encode_answer(answer) == kept
