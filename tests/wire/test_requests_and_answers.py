"""What single formats make of single things, where the recorded traffic has too few of them."""

from __future__ import annotations

from typing import Any

from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.types import Citation, Loss, Media, Message, Part, Request, Text, ToolCall, ToolResult
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
    (call,) = turns("anthropic-messages", '{"a', Text("no JSON"), lost=("arguments",))[1]["content"]
    assert call == {"type": "tool_use", "id": "c1", "name": "f", "input": {}}


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
