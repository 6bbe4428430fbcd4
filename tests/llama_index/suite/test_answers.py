"""Rules: what an answer is, whole or in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.base.llms.types import CompletionResponse, ThinkingBlock
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler

from ai_protocol_runtime.types import Text, Usage

from .conftest import Stage, Way
from .material import (
    CALLED,
    CALLS,
    COUNTED,
    FOUND,
    QUESTION,
    SAID,
    THOUGHT,
    Report,
    Tools,
    answer,
    differing,
    given,
    seen,
    thought,
)

ODD = {
    "blanks": "\n\n  Leading blanks, trailing blanks.  \n",
    "unicode": "ÅÄÖ – “quoted” – 🦉👩🏽‍🚀 – naïve",
    "escapes": "a\tb\\n {json: no} </s>",
    "digit": "7",
}
"""Texts that come to harm when a stream is put together carelessly."""

BOTH = [pytest.param("chat", QUESTION, id="chat"), pytest.param("complete", "How warm is it in Oslo?", id="complete")]


@pytest.mark.parametrize("kind", ODD)
async def test_messages_are_cumulative_and_deltas_add_up(stage: Stage, way: Way, kind: str) -> None:
    llm = stage.play([ODD[kind]] * 2)
    assert added_up(await way.all(llm, "stream_chat", QUESTION)) == ODD[kind]
    assert added_up(await way.all(llm, "stream_complete", "Say it.")) == ODD[kind]
    assert stage.sent == 2


async def test_texts_around_a_call_add_up_too(stage: Stage, way: Way) -> None:
    """Though LlamaIndex, which has two blocks then, puts a line break between them."""
    llm = stage.play([[Text("First this."), CALLS[0], Text("Then that.")]] * 2)
    streamed = added_up(await way.all(llm, "stream_chat_with_tools", Tools().all, user_msg="Say it."))
    whole = (await way(llm, "chat_with_tools", Tools().all, user_msg="Say it.")).message.content
    assert streamed.replace("\n", "") == whole.replace("\n", "") == "First this.Then that."
    assert streamed == whole or stage.subject.lacks("order")
    assert stage.sent == 2


def added_up(pieces: list[Any]) -> str:
    """What the deltas make, of which each piece has all up to then."""
    said = ""
    for piece in pieces:
        said += piece.delta or ""
        assert said == (piece.text if isinstance(piece, CompletionResponse) else piece.message.content or "")
    return said


async def test_streams_bring_what_whole_answers_bring(stage: Stage, way: Way) -> None:
    """Text, calls, thoughts and usage."""
    llm = stage.play([answer(thought(stage.subject), Text(SAID), *CALLS, usage=Usage(input=11, output=5))] * 2)
    asked = {"user_msg": "How warm is it in Oslo?", "allow_parallel_tool_calls": True}
    whole = seen(llm, await way(llm, "chat_with_tools", Tools().all, **asked))
    pieces = await way.all(llm, "stream_chat_with_tools", Tools().all, **asked)
    assert len(pieces) > 5
    assert differing(seen(llm, pieces[-1]), whole) == []
    assert (whole["text"], whole["calls"], whole["usage"]) == (SAID, CALLED, [11, 5, 16])
    assert [content for content, _ in whole["thoughts"]] == [THOUGHT]
    assert stage.sent == 2


async def test_asynchronous_answers_are_the_synchronous_ones(stage: Stage) -> None:
    llm = stage.play([answer(thought(stage.subject), Text(SAID), usage=Usage(input=11, output=5))] * 8)
    assert differing(seen(llm, await llm.achat(QUESTION)), seen(llm, llm.chat(QUESTION))) == []
    assert (await llm.acomplete("How warm?")).text == llm.complete("How warm?").text == SAID
    pieces = [item async for item in await llm.astream_chat(QUESTION)]
    for piece, other in zip(pieces, llm.stream_chat(QUESTION), strict=True):
        assert differing(seen(llm, piece), seen(llm, other)) == []
        assert piece.delta == other.delta
    said = [(item.delta, item.text) async for item in await llm.astream_complete("How warm?")]
    assert said == [(item.delta, item.text) for item in llm.stream_complete("How warm?")]
    assert stage.sent == 8


@pytest.mark.parametrize(("name", "asked"), BOTH)
async def test_usage_is_told_with_whole_answers_and_with_the_last_piece(
    stage: Stage, way: Way, name: str, asked: Any
) -> None:
    """In `additional_kwargs` and in `raw`."""
    llm = stage.play([COUNTED, COUNTED])
    whole = await way(llm, name, asked)
    last = (await way.all(llm, f"stream_{name}", asked))[-1]
    for response in (whole, last):
        told = {name: response.additional_kwargs.get(name) for name in ("prompt_tokens", "completion_tokens")}
        assert told == {"prompt_tokens": 11, "completion_tokens": 5}
        assert response.additional_kwargs["total_tokens"] == 16
        assert dict(response.raw)["usage"]
    assert stage.sent == 2


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("name", "asked"), BOTH)
async def test_token_counting_handler_counts_what_the_provider_counted(
    stage: Stage, way: Way, name: str, asked: Any, streaming: bool
) -> None:
    """And once."""
    handler = TokenCountingHandler(tokenizer=str.split)
    llm = stage.play([COUNTED], callback_manager=CallbackManager([handler]))
    if streaming:
        await way.all(llm, f"stream_{name}", asked)
    else:
        await way(llm, name, asked)
    counted = [(event.prompt_token_count, event.completion_token_count) for event in handler.llm_token_counts]
    assert counted == [(11, 5)]
    assert stage.sent == 1


async def test_token_counting_handler_counts_structured_output_once(stage: Stage, way: Way) -> None:
    handler = TokenCountingHandler(tokenizer=str.split)
    said = given(FOUND)
    script = [lambda request: answer(said(request), usage=Usage(input=11, output=5))]
    llm = stage.play(script, callback_manager=CallbackManager([handler]))
    assert await way(llm, "structured_predict", Report, PromptTemplate("Report.")) == Report(**FOUND)
    counted = [(event.prompt_token_count, event.completion_token_count) for event in handler.llm_token_counts]
    assert counted == [(11, 5)]


async def test_thoughts_are_blocks_and_deltas(stage: Stage, way: Way) -> None:
    llm = stage.play([answer(thought(stage.subject), Text(SAID))] * 2)
    whole = await way(llm, "chat", QUESTION)
    pieces = await way.all(llm, "stream_chat", QUESTION)
    for response in (whole, pieces[-1]):
        assert [block.content for block in response.message.blocks if isinstance(block, ThinkingBlock)] == [THOUGHT]
        assert response.message.content == SAID
    assert "".join(piece.additional_kwargs.get("thinking_delta") or "" for piece in pieces) == THOUGHT
    assert "".join(piece.delta or "" for piece in pieces) == SAID
    assert stage.sent == 2


async def test_raw_answers_are_json(stage: Stage, way: Way) -> None:
    """Agents put them into events, and tracers write these down."""
    llm = stage.play([COUNTED] * 2)
    whole, pieces = await way(llm, "chat", QUESTION), await way.all(llm, "stream_chat", QUESTION)
    for response in (whole, pieces[-1]):
        assert type(response.raw) is dict
    for response in (whole, *pieces):
        assert json.loads(json.dumps(response.raw)) == response.raw


async def test_nothing_said_is_an_answer(stage: Stage, way: Way) -> None:
    llm = stage.play([[]] * 3)
    assert not (await way(llm, "chat", QUESTION)).message.content
    assert (await way(llm, "complete", "Well?")).text == ""
    last = (await way.all(llm, "stream_chat", QUESTION))[-1]
    assert not last.message.content
    assert stage.sent == 3
