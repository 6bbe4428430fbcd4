"""AIProtocolLLM by itself: what its arguments say, what it tells of a model, and what its answers become. What every
LLM of LlamaIndex has to do is in the suite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LogProb, ThinkingBlock, ToolCallBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from ai_protocol_integrations.llama_index import AIProtocolLLM
from ai_protocol_integrations.llama_index._stream import Responses
from ai_protocol_integrations.llama_index.errors import OutputError, RefusalError
from ai_protocol_runtime.flow.notices import UnknownModelWarning
from ai_protocol_runtime.simulator import Simulated, simulate
from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    LogprobsDelta,
    Message,
    PartialContentDelta,
    Raw,
    Reasoning,
    Refusal,
    Request,
    Text,
    ToolCall,
    ToolChoice,
    Usage,
)
from ai_protocol_runtime.types.errors import ArgumentError, ManifestError

ASKED = [ChatMessage("hi")]


class City(BaseModel):
    """A city."""

    name: str
    size: int


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


TOOL = FunctionTool.from_defaults(weather)
PROMPT = PromptTemplate("Tell of {what}.")


@pytest.fixture
def played() -> Iterator[Any]:
    """A function that makes a model say what a script says, and gives the LLM with what it was asked."""
    open_: list[Simulated] = []

    def play(*script: Any, **arguments: Any) -> tuple[AIProtocolLLM, Simulated]:
        simulated = simulate("played", list(script))
        open_.append(simulated)
        return AIProtocolLLM(model="simulator/played", **arguments), simulated

    yield play
    for simulated in open_:
        simulated.close()


def told(*parts: Any, **more: Any) -> Answer:
    usage = more.pop("usage", None)
    return Answer(candidates=[Candidate(Message("assistant", list(parts)), **more)], usage=usage)


def texts(request: Request) -> list[str]:
    return [part.text for message in request.messages for part in message.parts if isinstance(part, Text)]


# arguments


def test_the_nearest_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"no argument 'temprature'.*temperature"):
        AIProtocolLLM(model="simulator/any", temprature=1)
    with pytest.raises(ManifestError, match="simulator"):
        AIProtocolLLM(model="simulater/any")
    with pytest.raises(ArgumentError, match=r"no argument 'temprature'.*temperature"):
        AIProtocolLLM(model="simulator/any").chat(ASKED, temprature=1)


async def test_a_stream_tells_at_once_what_is_wrong() -> None:
    llm = AIProtocolLLM(model="simulator/any")
    for ask in (llm.stream_chat, llm.stream_complete):
        with pytest.raises(ArgumentError, match="temprature"):
            ask("hi" if ask == llm.stream_complete else ASKED, temprature=1)  # type: ignore[operator]
    with pytest.raises(ArgumentError, match="temprature"):
        await llm.astream_chat(ASKED, temprature=1)
    with pytest.raises(ArgumentError, match="temprature"):
        await llm.astream_complete("hi", temprature=1)


def test_names_that_users_of_other_classes_know() -> None:
    llm = AIProtocolLLM(model="simulator/any", api_base="https://a.example", additional_kwargs={"a": 1})
    assert (llm.base_url, llm.extra_body) == ("https://a.example", {"a": 1})


def test_what_a_call_says_counts_and_none_says_nothing(played: Any) -> None:
    llm, asked = played("a", "b", temperature=0.5, max_tokens=7)
    llm.chat(ASKED, temperature=0.25, top_p=None, tool_choice=None, tools=None)
    llm.complete("hi", max_tokens=None, presence_penalty=0.5)
    first, second = asked.requests
    assert (first.temperature, first.max_tokens, first.top_p, first.tools, first.tool_choice) == (
        0.25,
        7,
        None,
        [],
        None,
    )
    assert (second.temperature, second.max_tokens, second.presence_penalty) == (0.5, 7, 0.5)


def test_one_answer_only(played: Any) -> None:
    llm, asked = played("a", n=2)
    with pytest.raises(ArgumentError, match="one answer"):
        llm.chat(ASKED)
    assert asked.requests == []


def test_a_format_for_one_call(played: Any) -> None:
    llm, asked = played("{}", "{}", '{"name": "Oslo", "size": 1}')
    llm.chat(ASKED, response_format={"type": "json_object"})
    llm.chat(ASKED, response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}})
    llm.chat(ASKED, response_format=City)
    kinds = [(request.format.kind, request.format.name) for request in asked.requests if request.format is not None]
    assert kinds == [("json", None), ("schema", "n"), ("schema", "City")]


def test_a_providers_own_tool_goes_as_it_is(played: Any) -> None:
    llm, asked = played("a")
    own = {"type": "web_search", "max_uses": 2}
    llm.chat(ASKED, tools=[own, TOOL], tool_choice="weather")
    (request,) = asked.requests
    assert [tool.value for tool in request.tools if isinstance(tool, Raw)] == [own]
    assert request.tool_choice == ToolChoice("named", "weather", extra=request.tool_choice.extra)  # type: ignore[union-attr]
    with pytest.raises(ArgumentError, match="no tool: 3"):
        llm.chat(ASKED, tools=[3])
    with pytest.raises(ArgumentError, match=r"names no tool.*weather"):
        llm.chat(ASKED, tools=[TOOL], tool_choice="wether")


def test_completions_may_be_worded(played: Any) -> None:
    llm, asked = played("a", "b", completion_to_prompt=lambda said: f"<{said}>")
    llm.complete("hi")
    llm.complete("hi", formatted=True)
    assert [texts(request) for request in asked.requests] == [["<hi>"], ["hi"]]


# what is known of a model


def test_metadata_come_from_the_manifests() -> None:
    known = AIProtocolLLM(model="anthropic/claude-sonnet-4-5", max_tokens=100).metadata
    assert (known.context_window, known.num_output, known.is_chat_model) == (200_000, 100, True)
    assert (known.is_function_calling_model, known.model_name) == (True, "claude-sonnet-4-5")
    own = AIProtocolLLM(model="anthropic/claude-sonnet-4-5", context_window=5, is_function_calling_model=False).metadata
    assert (own.context_window, own.is_function_calling_model, own.num_output) == (5, False, -1)


def test_of_an_unknown_model_something_is_assumed_with_a_warning() -> None:
    with pytest.warns(UnknownModelWarning, match="it is taken for a chat model"):
        llm = AIProtocolLLM(model="openai/nobody-knows-it")
    with pytest.warns(UnknownModelWarning, match="32,768 tokens are assumed: say context_window"):
        assert llm.metadata.context_window == 32_768
    assert llm.metadata.is_function_calling_model


def test_a_short_repr_without_a_key() -> None:
    llm = AIProtocolLLM(model="simulator/any", api_key="hidden", temperature=0.5, headers={"authorization": "hidden"})
    assert repr(llm) == str(llm) == "AIProtocolLLM(model='simulator/any', temperature=0.5)"
    again = AIProtocolLLM.from_dict(llm.to_dict())
    assert (again.model, again.temperature, again.api_key) == ("simulator/any", 0.5, None)


# answers


def test_what_is_told_of_an_answer(played: Any) -> None:
    usage = Usage(10, 5, cache_read=4, cache_write=2, reasoning=3)
    llm, _ = played(told(Reasoning("hm"), Text("yes"), usage=usage))
    response = llm.chat(ASKED)
    assert response.raw["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert response.additional_kwargs == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "cached_tokens": 4,
        "cache_write_tokens": 2,
        "reasoning_tokens": 3,
    }
    assert {"model_name", "model_provider", "protocol", "finish_reason", "id", "request_id"} <= response.raw.keys()
    assert response.raw["finish_reason"] == "stop"
    (thought,) = (block for block in response.message.blocks if isinstance(block, ThinkingBlock))
    assert (thought.content, thought.num_tokens) == ("hm", 3)
    assert (llm.last_usage.input, llm.total_usage.output) == (10, 5)  # type: ignore[union-attr]


def test_the_total_of_all_calls(played: Any) -> None:
    llm, _ = played(told(Text("a"), usage=Usage(10, 5)), told(Text("b"), usage=Usage(1, 2)))
    llm.chat(ASKED)
    list(llm.stream_chat(ASKED))
    assert (llm.total_usage.input, llm.total_usage.output, llm.last_usage.input) == (11, 7, 1)  # type: ignore[union-attr]


@pytest.mark.parametrize("protocol", ["openai-chat", "openai-responses", "gemini-generate"])
def test_log_probabilities(protocol: str) -> None:
    """All of them come with the last item of a stream."""
    llm = AIProtocolLLM(model="simulator/any", protocol=protocol)
    asked: dict[str, Any] = {"top_logprobs": 2, "logprobs": True}
    if protocol == "openai-responses":  # its word for it
        asked["include"] = ["message.output_text.logprobs"]
        del asked["logprobs"]
    whole = llm.chat(ASKED, **asked).logprobs
    assert whole is not None
    assert "".join(likely[0].token for likely in whole) == "You said: hi"
    assert all(likely[0].logprob <= 0 and bytes(likely[0].bytes).decode() == likely[0].token for likely in whole)
    assert {len(likely) for likely in whole} == {2}
    assert list(llm.stream_chat(ASKED, **asked))[-1].logprobs == whole


def test_log_probabilities_of_a_piece() -> None:
    """Where a wire tells them with each."""
    told = Responses()
    told.feed(PartialContentDelta(0, "a"))
    piece = told.feed(LogprobsDelta(0, [{"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}]))
    assert piece is not None
    assert piece.logprobs == [[LogProb(token="a", logprob=-1.0, bytes=[97])]]
    assert (piece.delta, piece.message.content) == ("", "a")
    assert told.feed(LogprobsDelta(0, {"token_ids": [1]})) is None


# tools


def response_of(*blocks: Any, raw: Any = None, **more: Any) -> ChatResponse:
    message = ChatMessage(role="assistant", blocks=list(blocks), additional_kwargs=more)
    return ChatResponse(message=message, raw=raw)


def test_calls_as_far_as_they_have_come() -> None:
    llm = AIProtocolLLM(model="simulator/any")
    text = '{"city": "Oslo", "days": [1, 2]}'
    seen = []
    for end in range(len(text) + 1):
        block = ToolCallBlock(tool_call_id="1", tool_name="f", tool_kwargs=text[:end])
        (call,) = llm.get_tool_calls_from_response(response_of(block), error_on_no_tool_call=False)
        seen.append(call.tool_kwargs)
    assert seen[0] == {}
    assert {"city": "Os"} in seen
    assert seen[-1] == {"city": "Oslo", "days": [1, 2]}


def test_calls_that_cannot_be_made(played: Any) -> None:
    llm, _ = played(told(ToolCall("1", "weather", '{"city": "Os'), finish_reason="length", finish_word="length"))
    *pieces, last = llm.stream_chat_with_tools([TOOL], "weather?")
    for piece in pieces:
        llm.get_tool_calls_from_response(piece, error_on_no_tool_call=False)
    with pytest.raises(OutputError, match=r"call of weather cannot be made.*not JSON.*cut off at max_tokens") as error:
        llm.get_tool_calls_from_response(last, error_on_no_tool_call=False)
    assert error.value.output == '{"city": "Os'
    assert isinstance(error.value, ValueError)


def test_only_one_call_unless_more_are_allowed(played: Any) -> None:
    both = (ToolCall("1", "weather", '{"city":"Oslo"}'), ToolCall("2", "weather", '{"city":"Rome"}'))
    llm, asked = played(told(*both), told(*both), "done")
    response = llm.chat_with_tools([TOOL], "weather?")
    assert [call.tool_id for call in llm.get_tool_calls_from_response(response)] == ["1"]
    assert [call["id"] for call in response.additional_kwargs["dropped_tool_calls"]] == ["2"]
    response_of_both = llm.chat_with_tools([TOOL], "weather?", allow_parallel_tool_calls=True)
    assert [call.tool_id for call in llm.get_tool_calls_from_response(response_of_both)] == ["1", "2"]
    result = ChatMessage(role="tool", content="Sunny.", additional_kwargs={"tool_call_id": "1"})
    llm.chat([*ASKED, response.message, result])
    one, two, last = asked.requests
    assert (one.parallel_tool_calls, two.parallel_tool_calls) == (False, None)
    assert [part.id for part in last.messages[1].parts if isinstance(part, ToolCall)] == ["1"]


def test_what_cannot_be_asked_for_is_not(recwarn: pytest.WarningsRecorder) -> None:
    """One call at a time is LlamaIndex's default, and nobody's wish: a wire without words for it is not warned of."""
    llm = AIProtocolLLM(model="simulator/any", protocol="gemini-generate")
    assert "parallel_tool_calls" not in llm._prepare_chat_with_tools([TOOL], "hi")
    assert llm._prepare_chat_with_tools([TOOL], "hi", model="simulator/any")["tools"]
    with_words = AIProtocolLLM(model="simulator/any", protocol="anthropic-messages")
    assert with_words._prepare_chat_with_tools([TOOL], "hi")["parallel_tool_calls"] is False
    assert not recwarn.list


def test_strict_tools() -> None:
    llm = AIProtocolLLM(model="simulator/any")
    made = llm._prepare_chat_with_tools([TOOL], "hi", strict=True)
    assert made["tools"][0]["function"]["strict"] is True
    assert "strict" not in llm._prepare_chat_with_tools([TOOL], "hi")["tools"][0]["function"]


# structured output


FORMS = ["json_schema", "tool"]


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a model that keeps to schemas, and of one that does not."""
    if request.param == "tool":
        facts = AIProtocolLLM(model="simulator/any")._facts().model_copy(update={"structured_output": False})
        monkeypatch.setattr(AIProtocolLLM, "_facts", lambda self, model=None: facts)
    return str(request.param)


def said(form: str, text: str, **more: Any) -> Answer:
    return told(Text(text) if form == "json_schema" else ToolCall("1", "City", text), **more)


async def test_objects(played: Any, form: str) -> None:
    oslo = '{"name": "Oslo", "size": 700000}'
    llm, asked = played(*[said(form, oslo)] * 4, system_prompt="Be brief.")
    wanted = City(name="Oslo", size=700000)
    assert llm.structured_predict(City, PROMPT, what="Oslo") == wanted
    assert await llm.astructured_predict(City, PROMPT, what="Oslo") == wanted
    *pieces, last = llm.stream_structured_predict(City, PROMPT, what="Oslo")
    assert last == wanted
    assert {type(piece).__name__ for piece in pieces[:-1]} == {"FlexibleCity"}
    waited = [piece async for piece in await llm.astream_structured_predict(City, PROMPT, what="Oslo")]
    assert [piece.model_dump() for piece in waited] == [piece.model_dump() for piece in (*pieces, last)]
    for request in asked.requests:
        assert texts(request) == ["Be brief.", "Tell of Oslo."]
        if form == "json_schema":
            assert request.format is not None
            assert (request.format.kind, request.format.name, request.tools) == ("schema", "City", [])
        else:
            assert (request.format, request.tool_choice and request.tool_choice.kind) == (None, "any")  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ['{"name": "Oslo"}', '{"name": "Oslo", "size": "big"}', "[]", "Oslo is big."])
async def test_what_satisfies_no_class(played: Any, form: str, text: str) -> None:
    llm, _ = played(*[said(form, text)] * 4)
    with pytest.raises(OutputError):
        llm.structured_predict(City, PROMPT, what="Oslo")
    with pytest.raises(OutputError):
        await llm.astructured_predict(City, PROMPT, what="Oslo")
    with pytest.raises(OutputError):
        list(llm.stream_structured_predict(City, PROMPT, what="Oslo"))
    with pytest.raises(OutputError):
        [piece async for piece in await llm.astream_structured_predict(City, PROMPT, what="Oslo")]


def test_an_object_that_was_cut_off(played: Any, form: str) -> None:
    llm, _ = played(*[said(form, '{"name": "Os', finish_reason="length", finish_word="length")] * 2)
    with pytest.raises(OutputError, match="cut off at max_tokens"):
        llm.structured_predict(City, PROMPT, what="Oslo")
    told = llm.stream_structured_predict(City, PROMPT, what="Oslo")
    assert next(told).name
    with pytest.raises(OutputError, match="cut off at max_tokens"):
        list(told)


def test_a_refusal(played: Any, form: str) -> None:
    llm, _ = played(*[told(Refusal("I will not."))] * 2)
    with pytest.raises(RefusalError, match="I will not"):
        llm.structured_predict(City, PROMPT, what="Oslo")
    with pytest.raises(RefusalError, match="I will not"):
        list(llm.stream_structured_predict(City, PROMPT, what="Oslo"))


def test_a_model_that_only_talks_is_asked_in_words(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = AIProtocolLLM(model="simulator/any")._facts()
    none = facts.model_copy(update={"structured_output": False, "tool_calling": False})
    monkeypatch.setattr(AIProtocolLLM, "_facts", lambda self, model=None: none)
    llm, asked = played('{"name": "Oslo", "size": 1}')
    assert llm.structured_predict(City, PROMPT, what="Oslo") == City(name="Oslo", size=1)
    (request,) = asked.requests
    assert (request.tools, request.format) == ([], None)
    assert "JSON" in texts(request)[-1]
