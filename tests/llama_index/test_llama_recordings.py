"""Recorded answers as responses of LlamaIndex: what is streamed grows into what the whole answer is, and either goes
back as it was, by way of a memory that keeps JSON too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, TextBlock, ThinkingBlock, ToolCallBlock

from ai_protocol_integrations.llama_index import AIProtocolLLM
from ai_protocol_integrations.llama_index._inputs import to_messages
from ai_protocol_integrations.llama_index._outputs import to_response
from ai_protocol_integrations.llama_index._stream import Responses
from ai_protocol_runtime.types import Answer, Call, Message, StreamEnd, StreamingEvent
from tests.client.conftest import Server, streamed
from tests.corpus.recordings import ABSENT, CORPUS, Exchange, exchanges, format_of
from tests.corpus.streaming import in_pieces, read
from tests.langchain.sameness import plain

pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)]

PROVIDERS = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic-messages": "anthropic",
    "gemini-generate": "google",
}
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


def comparable(response: ChatResponse) -> Any:
    """The response without what a stream alone has: what is new, and events that no shape knows. Ids that are made up
    are told by their order."""
    said = response.model_dump(mode="json")
    said.pop("delta")
    said["raw"].pop("raw_events", None)
    return plain(said)


def stored(message: ChatMessage) -> ChatMessage:
    return ChatMessage.model_validate_json(message.model_dump_json())


def back(message: ChatMessage) -> Message:
    (made,) = to_messages([message])
    return made


def unlike(answer: Answer, response: ChatResponse) -> Iterator[str]:
    """In what the response is not the answer."""
    if back(response.message) != answer.message:
        yield "another history"
    if back(stored(response.message)) != answer.message:
        yield "another history, by way of JSON"
    texts = "".join(block.text for block in response.message.blocks if isinstance(block, TextBlock))
    if texts != answer.text + "".join(p.text for p in answer.message.parts if p.kind == "refusal"):  # type: ignore[union-attr]
        yield "another text"


def grown(responses: list[ChatResponse]) -> Iterator[str]:
    """In what responses are not each the one before and something new."""
    content = ""
    before: list[Any] = []
    for response in responses[:-1]:
        content += response.delta or ""
        if (response.message.content or "") != content:
            yield "the deltas are not the content"
            return
        blocks = response.message.blocks
        if len(blocks) < len(before) or not all(map(_begins, blocks, before)):
            yield "something is gone"
            return
        before = blocks
    last = responses[-1]
    if (last.message.content or "") != content or last.delta:
        yield "the last is another content"


def _begins(now: Any, before: Any) -> bool:
    match now, before:
        case TextBlock(), TextBlock():
            return now.text.startswith(before.text)
        case ThinkingBlock(), ThinkingBlock():
            return (now.content or "").startswith(before.content or "")
        case ToolCallBlock(), ToolCallBlock():
            same = (now.tool_call_id, now.tool_name) == (before.tool_call_id, before.tool_name)
            return same and str(now.tool_kwargs).startswith(str(before.tool_kwargs))
    return False


def test_streams() -> None:
    count, otherwise = 0, []
    for e, events, answer in streams():
        count += 1
        told = Responses()
        responses = [made for event in events if (made := told.feed(event)) is not None]
        found = [*grown(responses), *unlike(answer, responses[-1])]
        if comparable(responses[-1]) != comparable(to_response(answer)):
            found.append("another response")
        otherwise += [(e.id, e.wire, what) for what in found]
    assert count > 1000
    assert otherwise == []


def test_whole_answers() -> None:
    count, otherwise = 0, []
    for e in exchanges():
        if e.answer is None or (answer := format_of(e.wire).decode_answer(e.answer)).error is not None:
            continue
        count += 1
        otherwise += [(e.id, e.wire, what) for what in unlike(answer, to_response(answer))]
    assert count > 3000
    assert otherwise == []


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.mark.filterwarnings("ignore::ai_protocol_runtime.flow.notices.UnknownModelWarning")
@pytest.mark.parametrize("wire", PROVIDERS)
async def test_streams_over_http(server: Server, wire: str) -> None:
    """Whether waited for or not, as a chat or a completion, it is the same."""
    llm = AIProtocolLLM(model=f"{PROVIDERS[wire]}/any", protocol=wire, base_url=server.origin, api_key="k")
    asked = [ChatMessage("hi")]
    found = [(e, answer) for e, _, answer in streams() if e.wire == wire and e.framing == "sse"]
    for e, answer in random.Random(wire).sample(found, OVER_HTTP):
        server.play(streamed(*in_pieces((e.stream or "").encode(), random.Random(e.id), largest=500)))
        told = list(llm.stream_chat(asked))
        waited = [response async for response in await llm.astream_chat(asked)]
        assert [comparable_piece(r) for r in told] == [comparable_piece(r) for r in waited], e.id
        content = to_response(answer).message.content or ""
        assert told[-1].message.content == (content or None), e.id
        completed = list(llm.stream_complete("hi"))
        assert (completed[-1].text, "".join(c.delta or "" for c in completed)) == (content, content), e.id
        assert [c.text async for c in await llm.astream_complete("hi")][-1] == content, e.id


def comparable_piece(response: ChatResponse) -> Any:
    said = response.model_dump(mode="json")
    if said["raw"]:
        said["raw"].pop("request_id", None)
    return plain(said)
