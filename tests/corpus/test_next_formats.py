"""Cohere's, Ollama's and Bedrock's own formats, on what was recorded of them.

Two of them stream in ways that the independent reference does not read; it is given their events put together.
"""

from __future__ import annotations

import base64
import copy
import gzip
import json
import random
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from ai_protocol_runtime.flow.errors import error_from_response
from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.types import Answer, RawEvent, Reasoning, StreamEnd, StreamingEvent, Text, ToolCall
from ai_protocol_runtime.types.errors import StreamInterruptedError

from .recordings import ABSENT, CORPUS, Exchange, canonical_arguments, format_of, read_by_oracle
from .sameness import differences
from .streaming import in_pieces

pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)]

FAMILIES = {
    "cohere": ("cohere-chat", "/v2/"),
    "ollama": ("ollama-chat", "/api/chat"),
    "bedrock-converse": ("bedrock-converse", "/"),
}
"""Families of recordings -> wire format, and how the paths of its requests begin."""


@cache
def recorded(family: str) -> list[dict[str, Any]]:
    found = []
    for file in sorted(CORPUS.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            found += [line for line in map(json.loads, lines) if line["family"] == family]
    return [line for line in found if line["request"]["path"].startswith(FAMILIES[family][1])]


def requests(family: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for line in recorded(family):
        if isinstance(line["request"].get("body"), dict):
            yield line, line["request"]["body"]


def answers(family: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for line in recorded(family):
        if line["response"]["status"] < 400 and isinstance(line["response"].get("body"), dict):
            yield line, line["response"]["body"]


def streams(family: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    for line in recorded(family):
        response = line["response"]
        if response.get("eventstream_b64"):
            yield line, base64.b64decode(response["eventstream_b64"])
        elif response.get("sse") or response.get("ndjson"):
            yield line, (response.get("sse") or response["ndjson"]).encode()


def share(failed: dict[str, str], tried: int) -> float:
    return 1 - len(failed) / tried


def essence(answer: Answer) -> dict[str, Any]:
    """What the reference tells of an answer."""
    parts, usage = answer.message.parts, answer.usage
    return {
        "text": "".join(p.text for p in parts if isinstance(p, Text)),
        "reasoning": "".join(p.text for p in parts if isinstance(p, Reasoning)),
        "tools": [(p.name, canonical_arguments(p.arguments)) for p in parts if isinstance(p, ToolCall)],
        "usage_in": usage and usage.input,
        "usage_out": usage and usage.output,
    }


def told(line: dict[str, Any], body: Any = None) -> dict[str, Any]:
    """What the reference reads, of `body` where it is given. Of Bedrock's answers it leaves out the texts that have
    sources, and takes tools that ran on the server for calls: those are put right first."""
    line = copy.deepcopy(line)
    if body is not None:
        line["response"]["body"] = body
    found = line["response"].get("body")
    message = found["output"]["message"] if isinstance(found, dict) and "output" in found else {"content": []}
    for number, part in enumerate(message["content"]):
        if "citationsContent" in part:
            message["content"][number] = {"text": "".join(t["text"] for t in part["citationsContent"]["content"])}
    message["content"] = [p for p in message["content"] if p.get("toolUse", {}).get("type") != "server_tool_use"]
    exchange = Exchange(line["id"], "", line["provider"], "", None, None, None, "", line)
    want = read_by_oracle(exchange)
    assert want is not None, line["id"]
    return {key: value for key, value in want.items() if key != "finish"}


def read(wire: str, pieces: list[bytes], generated: bool = True) -> list[StreamingEvent]:
    reader = format_of(wire).stream_reader(generated=generated)
    return [event for piece in pieces for event in reader.feed(piece)] + reader.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_requests_come_back_as_they_were(family: str) -> None:
    fmt, failed, tried = format_of(FAMILIES[family][0]), {}, 0
    for line, body in requests(family):
        tried += 1
        request = fmt.decode_request(body, line["request"]["path"])
        assert request.model, line["id"]
        found = next(differences(body, fmt.encode_request(request)), None)
        if found:
            failed[line["id"]] = str(found)
    assert share(failed, tried) >= 0.995, failed


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_come_back_as_they_were(family: str) -> None:
    fmt, failed, tried = format_of(FAMILIES[family][0]), {}, 0
    for line, body in answers(family):
        tried += 1
        found = next(differences(body, fmt.encode_answer(fmt.decode_answer(body))), None)
        if found:
            failed[line["id"]] = str(found)
    assert share(failed, tried) >= 0.995, failed


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_mean_what_the_reference_reads(family: str) -> None:
    fmt, failed, tried = format_of(FAMILIES[family][0]), {}, 0
    for line, body in answers(family):
        tried += 1
        answer = fmt.decode_answer(body)
        assert answer.finish_reason, line["id"]
        if essence(answer) != told(line):
            failed[line["id"]] = f"{essence(answer)} is not {told(line)}"
    assert share(failed, tried) >= 0.99, failed


@pytest.mark.parametrize("family", FAMILIES)
def test_streams_are_read_to_their_end(family: str) -> None:
    wire, failed, tried = FAMILIES[family][0], {}, 0
    for line, data in streams(family):
        tried += 1
        events = read(wire, [data])
        end = events[-1]
        assert isinstance(end, StreamEnd), line["id"]
        assert not any(isinstance(event, RawEvent) for event in events), line["id"]
        assert end.answer.finish_reason, line["id"]
        want = told(_readable(line, data), _whole(data) if "eventstream_b64" in line["response"] else None)
        if essence(end.answer) != want:
            failed[line["id"]] = f"{essence(end.answer)} is not {want}"
    assert tried, "there were no streams"
    assert share(failed, tried) >= 0.99, failed


def _readable(line: dict[str, Any], data: bytes) -> dict[str, Any]:
    """An exchange with its lines of JSON where the reference looks for them."""
    if "ndjson" not in line["response"]:
        return line
    return {**line, "response": {**line["response"], "sse": data.decode()}}


def _whole(data: bytes) -> dict[str, Any]:
    """The answer that a binary stream amounts to, by a reader that shares nothing with ours."""
    blocks: dict[int, dict[str, Any]] = {}
    body: dict[str, Any] = {}
    for name, value in _messages(data):
        block = blocks.setdefault(value["contentBlockIndex"], {}) if "contentBlockIndex" in value else {}
        if name == "contentBlockStart" and "toolUse" in value["start"]:
            block["toolUse"] = {**value["start"]["toolUse"], "input": ""}
        elif name == "contentBlockDelta":
            delta = value["delta"]
            if "text" in delta:
                block["text"] = block.get("text", "") + delta["text"]
            elif "toolUse" in delta:
                block["toolUse"]["input"] += delta["toolUse"]["input"]
            elif "text" in delta.get("reasoningContent", {}):
                text = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})["reasoningText"]
                text["text"] += delta["reasoningContent"]["text"]
        elif name in ("messageStop", "metadata"):
            body |= value
    return {**body, "output": {"message": {"content": [blocks[number] for number in sorted(blocks)]}}}


def _messages(data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    at = 0
    while at < len(data):
        total, size = struct.unpack(">II", data[at : at + 8])
        headers, payload = data[at + 12 : at + 12 + size], data[at + 12 + size : at + total - 4]
        name = headers.split(b":event-type\x07", 1)[1]
        yield name[2 : 2 + name[1]].decode(), json.loads(payload)
        at += total


@pytest.mark.parametrize("family", FAMILIES)
def test_streams_are_the_same_however_they_are_cut(family: str) -> None:
    wire, rng = FAMILIES[family][0], random.Random(7)
    for line, data in streams(family):
        whole = read(wire, [data])
        assert read(wire, list(in_pieces(data, rng))) == whole, line["id"]
        assert read(wire, [data], generated=False) == whole, line["id"]
    assert read(wire, [data[n : n + 1] for n in range(len(data))]) == whole


def test_a_binary_stream_broken_off_keeps_what_had_come() -> None:
    line, data = next(streams("bedrock-converse"))
    text = told(line, _whole(data))["text"]
    first = struct.unpack(">I", data[:4])[0]
    for end in range(first, len(data), 97):
        answer, complete = _partial(data[:end])
        assert text.startswith(essence(answer)["text"])
        assert not complete or essence(answer)["text"] == text


def _partial(data: bytes) -> tuple[Answer, bool]:
    try:
        end = read("bedrock-converse", [data])[-1]
    except StreamInterruptedError as error:
        return error.partial or Answer(), False
    return end.answer if isinstance(end, StreamEnd) else Answer(), True


ERRORS = {
    "87147b6d3b83107a": ("context_overflow", 400, "TOO_MANY_TOKENS", "c167e04b-cfc2-44a9-927c-6d78c47fb5fe"),
    "0d8b6e0c98f880d5": ("authentication", 403, None, "402bd639-607f-433b-aa01-2852fc75287a"),
    "bdec587f2f421b5e": ("context_overflow", 400, None, "8090a430-9830-442b-a193-749569a08e0f"),
}


def test_recorded_errors() -> None:
    failures = [line for family in FAMILIES for line in recorded(family) if line["response"]["status"] >= 400]
    assert {line["id"] for line in failures} == set(ERRORS)
    for line in failures:
        response = line["response"]
        headers = {name.lower(): value for name, value in response["headers"].items()}
        provider = manifests().provider(line["provider"])
        made = error_from_response(
            provider, status=response["status"], headers=headers, body=json.dumps(response["body"])
        )
        assert (made.name, made.status, made.provider_type, made.request_id) == ERRORS[line["id"]]
        assert made.message == response["body"]["message"]
