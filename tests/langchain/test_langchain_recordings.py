"""Recorded answers as messages of LangChain: however a stream is cut and whatever is asked for, it is one message, and
it goes back as it was."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_integrations.langchain._inputs import to_messages
from ai_protocol_runtime.types import Answer, Call, StreamEnd, StreamingEvent
from tests.client.conftest import Server, streamed
from tests.corpus.recordings import ABSENT, CORPUS, Exchange, exchanges, format_of
from tests.corpus.streaming import in_pieces, read

from .sameness import VERSIONS, assembled, chunks_of, comparable, plain, summed, told, unnumbered, whole

pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)]

PROVIDERS = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic-messages": "anthropic",
    "gemini-generate": "google",
}
"""One provider for each wire format, to be asked for its recordings."""

OVER_HTTP = 15
"""So many streams of each wire format are sent over HTTP, chosen at random."""


def streams() -> Iterator[tuple[Exchange, list[StreamingEvent], Answer]]:
    """Every recorded stream that ends well, read from pieces of any size."""
    for e in exchanges():
        if e.stream is not None:
            events = read(e.wire, e.framing, in_pieces(e.stream.encode(), random.Random(e.id), largest=2000)).events
            if events and isinstance(last := events[-1], StreamEnd):
                last.answer.call = Call("acme", e.wire, "m")
                yield e, events, last.answer


def goes_back(message: AIMessage, answer: Answer) -> bool:
    return to_messages([message]) == [answer.message]


def unlike(events: Iterable[StreamingEvent], answer: Answer) -> Iterator[str]:
    """In what the sums of chunks and the assembled events are another message than the answer as a whole."""
    for version in VERSIONS:
        at_once = whole(answer, version)
        chunks = chunks_of(events, version)
        message = summed(chunks)
        if message.text != "".join(chunk.text for chunk in chunks) or message.text != at_once.text:
            yield f"{version}: another text"
        if comparable(message) != comparable(at_once):
            yield f"{version}: another message"
        if plain(unnumbered(message.content_blocks)) != plain(whole(answer, "v1").content):
            yield f"{version}: other blocks"
        if not goes_back(message, answer) or not goes_back(at_once, answer):
            yield f"{version}: another history"
    told_of = told(events)
    assert_valid_event_stream(told_of)
    message = assembled(told_of)
    if comparable(message) != comparable(whole(answer, "v1")):
        yield "events: another message"
    if not goes_back(message, answer):
        yield "events: another history"


def test_streams() -> None:
    count, otherwise = 0, []
    for e, events, answer in streams():
        count += 1
        otherwise += [(e.id, e.wire, what) for what in unlike(events, answer)]
    assert count > 1000
    assert otherwise == []


def test_whole_answers() -> None:
    count, otherwise = 0, []
    for e in exchanges():
        if e.answer is None or (answer := format_of(e.wire).decode_answer(e.answer)).error is not None:
            continue
        count += 1
        for version in VERSIONS:
            message = whole(answer, version)
            assert message.text == answer.text
            if not goes_back(message, answer):
                otherwise.append((e.id, version, "another history"))
    assert count > 3000
    assert otherwise == []


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.mark.filterwarnings("ignore::ai_protocol_runtime.flow.notices.UnknownModelWarning")
@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
@pytest.mark.parametrize("wire", PROVIDERS)
async def test_streams_over_http(server: Server, wire: str) -> None:
    """Whether waited for or not, and by whichever way, it is the same message."""
    model = ChatAIProtocol(model=f"{PROVIDERS[wire]}/any", protocol=wire, base_url=server.origin, api_key="k")
    found = [(e, answer) for e, _, answer in streams() if e.wire == wire and e.framing == "sse"]
    for e, answer in random.Random(wire).sample(found, OVER_HTTP):
        server.play(streamed(*in_pieces((e.stream or "").encode(), random.Random(e.id), largest=500)))
        for version in VERSIONS:
            at_once = content_of(whole(answer, version))
            ways = [
                added(list(model.stream("hi", output_version=version))),
                added([chunk async for chunk in model.astream("hi", output_version=version)]),
            ]
            if version == "v1":
                asked = await model.astream_events("hi", version="v3")
                ways += [model.stream_events("hi", version="v3").output, await asked.output]
            for message in ways:
                assert comparable(message) == comparable(ways[0]), e.id
                assert content_of(message) == at_once, e.id


def added(chunks: list[AIMessageChunk]) -> AIMessage:
    return add_ai_message_chunks(*chunks)


def content_of(message: AIMessage) -> dict[str, Any]:
    said = comparable(message)
    about = said.pop("response_metadata")
    return {**said, "kept": about.get("ai_protocol")}
