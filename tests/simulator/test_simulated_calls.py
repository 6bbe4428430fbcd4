"""The simulator through the client, in every wire format: whole and streamed, told to fail, scripted."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.simulator import simulate
from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Media,
    Message,
    PartialContentDelta,
    Reasoning,
    Request,
    ResponseFormat,
    StreamEnd,
    Text,
    Tool,
    ToolCall,
    ToolCallEnded,
    ToolChoice,
    ToolResult,
    Usage,
)
from ai_protocol_runtime.types.errors import (
    ArgumentError,
    AuthenticationError,
    ConnectionFailedError,
    InvalidRequestError,
    MalformedResponseError,
    OverloadedError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitedError,
    ServerError,
    StreamInterruptedError,
)

SIMULATED = manifests().provider("simulator")
PROTOCOLS = list(SIMULATED.protocols)
MAGIC = Tool(
    "magic_function", "Magic.", {"type": "object", "properties": {"input": {"type": "integer"}}, "required": ["input"]}
)


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def client(model: str, protocol: str, **arguments: Any) -> AIClient:
    arguments = {"max_retries": 0, "on_unsupported": "drop", **arguments}
    return AIClient(f"simulator/{model}", protocol=protocol, **arguments)


def streamed(model: AIClient, request: Any, **params: Any) -> Answer:
    (*_, end) = model.stream(request, **params)
    assert isinstance(end, StreamEnd)
    return end.answer


def essence(answer: Answer) -> Any:
    """What is said, without where it came from: an answer in pieces leaves other traces than a whole one."""
    candidates = []
    for candidate in answer.candidates:
        parts = [
            tuple(getattr(part, name, None) for name in ("kind", "text", "name", "arguments", "signature", "logprobs"))
            for part in candidate.message.parts
        ]
        candidates.append((parts, candidate.finish_reason, candidate.stop_sequence, candidate.logprobs))
    usage = answer.usage
    assert usage is not None
    return candidates, answer.model, (usage.input, usage.output, usage.reasoning, usage.cache_read, usage.cache_write)


def test_four_formats_are_simulated() -> None:
    assert len(PROTOCOLS) >= 4
    assert set(PROTOCOLS) <= set(manifests().wires())


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"reasoning": "low"},
        {"reasoning": 2048, "max_tokens": 4000},
        {"tools": [MAGIC]},
        {"max_tokens": 5},
        {"n": 2},
        {"logprobs": True, "top_logprobs": 2},
        {"stop": ["(4"]},
        {"format": ResponseFormat("schema", "out", MAGIC.parameters)},
    ],
    ids=str,
)
def test_streamed_is_whole(protocol: str, params: dict[str, Any]) -> None:
    asked = "Grüße 你好! magic_function(3) and magic_function(4)"
    model = client("any", protocol)
    whole = model.chat(asked, **params)
    assert essence(streamed(model, asked, **params)) == essence(whole)
    assert whole.model == "any"


def test_calls_a_tool_and_uses_its_result(protocol: str) -> None:
    model = client("any", protocol)
    messages = [Message("user", [Text("What is magic_function(3)?")])]
    answer = model.chat(messages, tools=[MAGIC])
    (call,) = (part for part in answer.message.parts if isinstance(part, ToolCall))
    assert (call.name, json.loads(call.arguments), answer.finish_reason) == (
        "magic_function",
        {"input": 3},
        "tool_calls",
    )
    messages += [answer.message, Message("tool", [ToolResult(call.id, [Text("5")])])]
    assert model.chat(messages, tools=[MAGIC]).text == "magic_function says: 5"
    assert streamed(model, messages, tools=[MAGIC]).text == "magic_function says: 5"


def test_thoughts_are_sent_back_unchanged(protocol: str) -> None:
    model = client("any", protocol)
    messages = [Message("user", [Text("magic_function(3)")])]
    for ask in (model.chat, lambda *args, **params: streamed(model, *args, **params)):
        answer = ask(messages, tools=[MAGIC], reasoning="low")
        assert isinstance(answer.message.parts[0], Reasoning)
        (call,) = (part for part in answer.message.parts if isinstance(part, ToolCall))
        turn = [*messages, answer.message, Message("tool", [ToolResult(call.id, [Text("5")])])]
        assert model.chat(turn, tools=[MAGIC], reasoning="low").text == "magic_function says: 5"


def test_hidden_thoughts_are_sent_back_unchanged() -> None:
    model = client("any", "openai-responses")
    asked = Message("user", [Text("hi")])
    answer = model.chat([asked], reasoning="low", include=["reasoning.encrypted_content"])
    thought = answer.message.parts[0]
    assert isinstance(thought, Reasoning)
    assert thought.encrypted
    assert model.chat([asked, answer.message, asked]).text == "You said: hi"
    thought.text = "Something else."
    with pytest.raises(InvalidRequestError, match="another text"):
        model.chat([asked, answer.message, asked])


def test_sees_media_and_system(protocol: str) -> None:
    messages = [
        Message("system", [Text("Be brief.")]),
        Message("user", [Text("Look"), Media("image", data="aGVsbG8=", mime_type="image/png")]),
    ]
    assert client("any", protocol).chat(messages).text == "You said: Look You sent an image (image/png, 5 bytes)."


def test_chooses_and_forces_tools(protocol: str) -> None:
    model = client("any", protocol)
    for choice, kinds in (
        (ToolChoice("none"), {"text"}),
        (ToolChoice("any"), {"tool_call"}),
        (ToolChoice("named", "magic_function"), {"tool_call"}),
    ):
        answer = model.chat("Hello", tools=[MAGIC], tool_choice=choice)
        assert {part.kind for part in answer.message.parts} == kinds


def test_counts_what_is_cached() -> None:
    messages = [Message("user", [Text("Remember this. " * 20, cache={"type": "ephemeral"})])]
    model = client("any", "anthropic-messages")
    first = model.chat(messages)
    assert first.usage is not None
    assert first.usage.cache_write
    messages += [first.message, Message("user", [Text("And?")])]
    second = model.chat(messages)
    assert second.usage is not None
    assert second.usage.cache_read == first.usage.cache_write


def test_refuses_what_providers_refuse(protocol: str) -> None:
    with pytest.raises(InvalidRequestError, match="temperature"):
        client("any", protocol).chat("hi", temperature=7)
    with pytest.raises(InvalidRequestError, match="no result"):
        client("any", protocol).chat([Message("user", [Text("a")]), Message("assistant", [ToolCall("c", "f", "{}")])])


# told to fail


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (402, QuotaExhaustedError),
        (429, RateLimitedError),
        (500, ServerError),
        (529, OverloadedError),
    ],
)
def test_http_errors(protocol: str, status: int, kind: type[ProviderError]) -> None:
    for ask in (AIClient.chat, streamed):
        with pytest.raises(kind) as caught:
            ask(client(f"error-{status}", protocol), "hi")
        assert caught.value.status == status
        assert "told to fail" in caught.value.message
    assert caught.value.retry_after == (1.0 if status == 429 else None)


def test_errors_in_the_middle(protocol: str) -> None:
    text = "tell me a long story of the sea"
    for word, kind in (
        ("fail", ServerError),
        ("cut", StreamInterruptedError),
        ("drop", StreamInterruptedError),
        ("garbled", MalformedResponseError),
    ):
        with pytest.raises(kind) as caught:
            streamed(client(word, protocol), text)
        assert f"You said: {text}".startswith(caught.value.partial.text)
        assert caught.value.partial.text
    for word, kind in (
        ("fail", ServerError),
        ("cut", MalformedResponseError),
        ("drop", ConnectionFailedError),
        ("garbled", MalformedResponseError),
    ):
        with pytest.raises(kind):
            client(word, protocol).chat(text)


def test_silence_and_refusal(protocol: str) -> None:
    for ask in (AIClient.chat, streamed):
        answer = ask(client("silent", protocol), "hi")
        assert (answer.message.parts, answer.finish_reason) == ([], "stop")
        assert ask(client("refuse", protocol), "hi").finish_reason == "content_filter"


async def test_stalls_until_the_timeout(protocol: str) -> None:
    model = client("stall", protocol, timeout={"idle": 0.05})
    with pytest.raises(ProviderTimeoutError):
        streamed(model, "hello there")
    with pytest.raises(ProviderTimeoutError):
        async for _ in model.astream("hello there"):
            pass
    model = client("stall", protocol, timeout={"total": 0.05})
    with pytest.raises(ProviderTimeoutError):
        model.chat("hello there")


def test_slow() -> None:
    stream = client("slow", PROTOCOLS[0]).stream("hi")
    assert next(stream)
    stream.close()  # type: ignore[attr-defined]


# scripted


def test_script_of_all_kinds(protocol: str) -> None:
    said: list[Any] = [
        "Sunny.",
        {"city": "Łódź"},
        ToolCall(name="f", arguments='{"a":1}'),
        [Reasoning("hm"), "Well."],
        Message("assistant", [Text("A message.")]),
        Answer(candidates=[Candidate(Message("assistant", [Text("cut off")]), "length")], usage=Usage(1, 2)),
        lambda request: f"{len(request.messages)} message",
    ]
    for ask in (AIClient.chat, streamed):
        with simulate("bot", said) as bot:
            answers = [ask(client("bot", protocol), "hi") for _ in said]
        assert [answer.text for answer in answers] == [
            "Sunny.",
            '{"city":"Łódź"}',
            "",
            "Well.",
            "A message.",
            "cut off",
            "1 message",
        ]
        assert [part.kind for part in answers[2].message.parts] == ["tool_call"]
        assert (answers[2].finish_reason, answers[5].finish_reason) == ("tool_calls", "length")
        assert answers[5].usage is not None
        assert (answers[5].usage.input, answers[5].usage.output) == (1, 2)
        assert [request.messages[-1].parts[0].text for request in bot.requests] == ["hi"] * 7  # type: ignore[union-attr]
        assert bot.received[0].request.model == "bot"
        assert "hi" in json.dumps(bot.received[0].body)


def test_structured_answers(protocol: str) -> None:
    with simulate("bot", lambda _: {"input": 7}):
        model = client("bot", protocol)
        call = model.chat("hi", tools=[MAGIC], tool_choice=ToolChoice("named", "magic_function")).message.parts[0]
        assert isinstance(call, ToolCall)
        assert json.loads(call.arguments) == {"input": 7}
        assert json.loads(model.chat("hi").text) == {"input": 7}


def test_script_of_errors(protocol: str) -> None:
    script = [
        RateLimitedError("slow down", retry_after=0.01),
        OverloadedError("busy", status=529),
        InvalidRequestError("your fault", body={"error": {"message": "its own words"}}),
        OSError("gone"),
        StreamInterruptedError("", partial="Once upon"),
        RateLimitedError("in the middle", partial="Once upon"),
    ]
    with simulate("bot", script):
        model = client("bot", protocol)
        with pytest.raises(RateLimitedError, match="slow down") as limited:
            streamed(model, "hi")
        assert limited.value.retry_after == 0.01
        with pytest.raises(OverloadedError, match="busy"):
            model.chat("hi")
        with pytest.raises(InvalidRequestError, match="its own words"):
            model.chat("hi")
        with pytest.raises(ConnectionFailedError):
            model.chat("hi")
        with pytest.raises(StreamInterruptedError) as cut:
            streamed(model, "hi")
        assert cut.value.partial.text == "Once upon"
        with pytest.raises(RateLimitedError, match="in the middle") as inside:
            streamed(model, "hi")
        assert inside.value.partial.text == "Once upon"
        with pytest.raises(InvalidRequestError, match="has 6 answers, and was asked for number 7"):
            model.chat("hi")


def test_an_interrupted_call_is_not_finished(protocol: str) -> None:
    partial = Message("assistant", [Text("I call"), ToolCall("c", "f", '{"a": [1, 2')])
    with simulate("bot", [StreamInterruptedError("", partial=partial)]):
        events = []
        with pytest.raises(StreamInterruptedError):
            events.extend(client("bot", protocol).stream("hi"))
        assert not [event for event in events if isinstance(event, ToolCallEnded)]


def test_retries_reach_the_script(protocol: str) -> None:
    with simulate("bot", [OverloadedError("busy", retry_after=0.01), "at last"]) as bot:
        answer = client("bot", protocol, max_retries=1).chat("hi")
    assert (answer.text, len(bot.requests)) == ("at last", 2)
    assert answer.call is not None
    assert answer.call.attempts == 2


def test_a_name_is_scripted_once() -> None:
    with simulate("bot", ["a"]), pytest.raises(ArgumentError, match="already simulated"):
        simulate("bot", ["b"])
    with simulate("bot", "alone"):
        assert client("bot", PROTOCOLS[0]).chat("hi").text == "alone"
    assert client("bot", PROTOCOLS[0]).chat("hi").text == "You said: hi"


def test_what_a_script_cannot_say() -> None:
    with simulate("bot", [3]), pytest.raises(ArgumentError, match="cannot say 3"):  # type: ignore[list-item]
        client("bot", PROTOCOLS[0]).chat("hi")


async def test_threads_and_tasks_share_a_script() -> None:
    def numbered(request: Request) -> str:
        return request.messages[-1].parts[0].text  # type: ignore[union-attr]

    with simulate("bot", numbered, pace=0.001) as bot:
        model = client("bot", PROTOCOLS[0])
        texts: list[str] = []
        threads = [threading.Thread(target=lambda i=i: texts.append(model.chat(f"t{i}").text)) for i in range(8)]
        for thread in threads:
            thread.start()
        answers = await asyncio.gather(*(model.achat(f"a{i}") for i in range(8)))
        for thread in threads:
            thread.join()
    assert sorted(texts) == [f"t{i}" for i in range(8)]
    assert [answer.text for answer in answers] == [f"a{i}" for i in range(8)]
    assert len(bot.received) == 16


def test_ids_are_never_the_same() -> None:
    ids = {client("any", PROTOCOLS[0]).chat("hi").id for _ in range(3)}
    assert len(ids) == 3


def test_pieces_are_small(protocol: str) -> None:
    pieces = [
        event.content
        for event in client("any", protocol).stream("word " * 30)
        if isinstance(event, PartialContentDelta)
    ]
    assert len(pieces) > 5
    assert max(map(len, pieces)) < 20
