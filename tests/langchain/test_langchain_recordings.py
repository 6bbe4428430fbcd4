"""Recorded answers as messages of LangChain: chunks add up to the whole, and every answer goes back as it was."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from ai_protocol_integrations.langchain._inputs import to_messages
from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.types import Answer, StreamEnd, StreamingEvent
from ai_protocol_runtime.wire import WireFormat, wire_format

from .sameness import chunks_of, comparable, summed, whole

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
FORMATS = {
    "openai-chat": "openai-chat",
    "mistral": "openai-chat",
    "openai-responses": "openai-responses",
    "anthropic-messages": "anthropic-messages",
    "gemini": "gemini-generate",
}
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded traffic is not there: ../shared/corpus"),
]


def exchanges() -> Iterator[tuple[str, WireFormat, dict[str, Any]]]:
    for file in sorted(CORPUS.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for exchange in map(json.loads, lines):
                if exchange["family"] in FORMATS and exchange["response"]["status"] < 400:
                    wire = wire_format(FORMATS[exchange["family"]], manifests())
                    yield exchange["id"], wire, exchange["response"]


def events_in(wire: WireFormat, response: dict[str, Any]) -> list[StreamingEvent]:
    reader = wire.stream_reader()
    return reader.feed(response["sse"].encode()) + reader.close()


def goes_back(message: AIMessage, answer: Answer) -> bool:
    return to_messages([message]) == [answer.message]


def test_streams() -> None:
    count, otherwise = 0, []
    for exchange_id, wire, response in exchanges():
        if response.get("sse") is None or response["sse"].lstrip().startswith("["):
            continue
        events = events_in(wire, response)
        last = events[-1]
        if not isinstance(last, StreamEnd):  # an error in the stream
            continue
        count += 1
        chunks = chunks_of(events)
        message = summed(chunks)
        assert message.text == "".join(chunk.text for chunk in chunks)
        if comparable(message) != comparable(whole(last.answer)) or not goes_back(message, last.answer):
            otherwise.append(exchange_id)
    assert count > 1000
    assert otherwise == []


def test_whole_answers() -> None:
    count, otherwise = 0, []
    for exchange_id, wire, response in exchanges():
        if not isinstance(response.get("body"), dict):
            continue
        answer = wire.decode_answer(response["body"])
        if answer.error is not None:
            continue
        count += 1
        message = whole(answer)
        assert message.text == answer.text
        if not goes_back(message, answer):
            otherwise.append(exchange_id)
    assert count > 3000
    assert otherwise == []
