"""The simulated model: what it says, calls, thinks and counts."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ai_protocol_runtime.simulator import brain
from ai_protocol_runtime.simulator.behaviour import SLOW, Behaviour, behaviour
from ai_protocol_runtime.simulator.check import problem
from ai_protocol_runtime.simulator.events import events_of
from ai_protocol_runtime.simulator.tokens import tokens
from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Citation,
    Media,
    Message,
    Part,
    PartEnded,
    PartialContentDelta,
    PartialToolCall,
    Reasoning,
    Request,
    ResponseFormat,
    ResponseStarted,
    StreamEnd,
    StreamError,
    Text,
    ThinkingDelta,
    Tool,
    ToolCall,
    ToolCallEnded,
    ToolCallStarted,
    ToolChoice,
    ToolResult,
)


def tool(name: str, **properties: Any) -> Tool:
    return Tool(name, "d", {"type": "object", "properties": properties, "required": list(properties)})


MAGIC = tool("magic_function", input={"type": "integer"})
WEATHER = tool("get_weather", location={"type": "string"})


def ask(text: str | list[Part], **fields: Any) -> Request:
    return Request("m", [Message("user", [Text(text)] if isinstance(text, str) else text)], **fields)


def calls(request: Request) -> list[tuple[str, Any]]:
    parts = brain.respond(request).message.parts
    return [(part.name, json.loads(part.arguments)) for part in parts if isinstance(part, ToolCall)]


def test_says_what_it_got() -> None:
    answer = brain.respond(ask("Grüß dich"), tag="t", created=5.0)
    assert (answer.text, answer.model, answer.finish_reason) == ("You said: Grüß dich", "m", "stop")
    assert (answer.id, answer.created) == ("sim-t", 5.0)
    assert answer == brain.respond(ask("Grüß dich"), tag="t", created=5.0)


def test_describes_media() -> None:
    media = [Media("image", data="aGVsbG8=", mime_type="image/png"), Media("audio", url="https://x.org/a.mp3")]
    said = brain.respond(ask([Text("look"), *media])).text
    assert said == "You said: look You sent an image (image/png, 5 bytes). You sent an audio (https://x.org/a.mp3)."


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("What is the value of magic_function(3)?", {}, [("magic_function", {"input": 3})]),
        ("What is the weather in San Francisco, CA?", {}, [("get_weather", {"location": "San Francisco, CA"})]),
        (
            "In 2024: magic_function(3), magic_function(4), then get weather for Rome.",
            {},
            [("magic_function", {"input": 3}), ("magic_function", {"input": 4}), ("get_weather", {"location": "Rome"})],
        ),
        ("magic_function(3), magic_function(4)", {"parallel_tool_calls": False}, [("magic_function", {"input": 3})]),
        ("Hello", {"tool_choice": ToolChoice("any")}, [("magic_function", {"input": 1})]),
        ("Hello", {"tool_choice": ToolChoice("none")}, []),
        ("Rome, Rome", {"tool_choice": ToolChoice("named", "get_weather")}, [("get_weather", {"location": "Rome"})]),
        (
            "magic_function 7",
            {"tool_choice": ToolChoice("allowed", names=["get_weather"])},
            [("get_weather", {"location": "some location"})],
        ),
    ],
)
def test_calls_tools(text: str, fields: dict[str, Any], expected: Any) -> None:
    assert calls(ask(text, tools=[MAGIC, WEATHER], **fields)) == expected


def test_uses_what_a_tool_gave_back() -> None:
    request = ask("weather?", tools=[WEATHER])
    first = brain.respond(request)
    call = first.message.parts[0]
    assert isinstance(call, ToolCall)
    assert (first.finish_reason, call.id) == ("tool_calls", "call-0-00")
    request.messages += [first.message, Message("tool", [ToolResult(call.id, [Text("sunny")])])]
    assert brain.respond(request).text == "get_weather says: sunny"
    request.messages[-1].parts = [ToolResult(call.id, [Text("no such place")], is_error=True)]
    assert brain.respond(request).text == "get_weather failed: no such place"
    request.messages += [Message("assistant", [Text("ok")]), Message("user", [Text("and Rome?")])]
    assert calls(request) == [("get_weather", {"location": "Rome"})]


def test_structured_output() -> None:
    schema = {"type": "object", "properties": {"setup": {"type": "string"}}, "required": ["setup"]}
    answer = brain.respond(ask("setup: 'Why?'", format=ResponseFormat("schema", "joke", schema)))
    assert json.loads(answer.text) == {"setup": "Why?"}
    answer = brain.respond(ask("JSON with 'setup' and 'punchline' keys", format=ResponseFormat("json")))
    assert set(json.loads(answer.text)) == {"setup", "punchline"}


def test_thinks_when_asked() -> None:
    for fields in ({"thinking": "enabled"}, {"effort": "low"}, {"reasoning_budget": 1024}, {"include_thoughts": True}):
        answer = brain.respond(ask("hi", **fields))
        thought = answer.message.parts[0]
        assert isinstance(thought, Reasoning)
        assert thought.signature == brain.signature(thought.text)
        assert answer.usage is not None
        assert answer.usage.reasoning == len(tokens(thought.text))
    for fields in ({}, {"effort": "none"}, {"reasoning_budget": 0}, {"thinking": "disabled", "effort": "high"}):
        assert [part.kind for part in brain.respond(ask("hi", **fields)).message.parts] == ["text"]


def test_stops_where_it_is_told() -> None:
    answer = brain.respond(ask("one two three", stop=["thr", "two"]))
    assert (answer.text, answer.finish_reason, answer.candidates[0].stop_sequence) == ("You said: one ", "stop", "two")
    answer = brain.respond(ask("one two three", max_tokens=4))
    assert (answer.text, answer.finish_reason) == ("You said: one", "length")
    assert answer.usage is not None
    assert answer.usage.output == 4
    answer = brain.respond(ask("magic_function(1)", tools=[MAGIC], max_tokens=2))
    assert (answer.message.parts, answer.finish_reason) == ([], "length")
    answer = brain.respond(ask("hi", thinking="enabled", max_tokens=3))
    assert [part.kind for part in answer.message.parts] == ["reasoning"]
    assert answer.finish_reason == "length"


def test_several_candidates() -> None:
    answer = brain.respond(ask("hi", n=3))
    assert [candidate.message.parts[0].text for candidate in answer.candidates] == [  # type: ignore[union-attr]
        "You said: hi",
        "(2) You said: hi",
        "(3) You said: hi",
    ]
    assert [candidate.index for candidate in answer.candidates] == [0, 1, 2]


def test_counts_tokens() -> None:
    usage = brain.respond(ask("four and four")).usage
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read) == (6, 6, 0)
    marked = Request("m", [Message("user", [Text("remember " * 4, cache={"type": "ephemeral"})])])
    usage = brain.respond(marked).usage
    assert usage is not None
    assert usage.cache_write == usage.input
    marked.messages += [Message("assistant", [Text("ok")]), Message("user", [Text("and?")])]
    usage = brain.respond(marked).usage
    assert usage is not None
    assert usage.cache_write == 0
    assert usage.cache_read
    assert usage.input
    assert usage.cache_read < usage.input


def test_log_probabilities() -> None:
    answer = brain.respond(ask("hi", logprobs=True, top_logprobs=2))
    entries = answer.candidates[0].logprobs["content"]
    assert "".join(entry["token"] for entry in entries) == answer.text
    assert all(entry["logprob"] < 0 and len(entry["top_logprobs"]) == 2 for entry in entries)


def test_names_ask_for_behaviour() -> None:
    assert behaviour("gpt-4o") == behaviour("claude-thinking") == Behaviour()
    assert behaviour("my-slow-echo") == Behaviour(echo=True, pace=SLOW)
    assert behaviour("error-429") == Behaviour(status=429)
    assert behaviour("error-200") == behaviour("terror-429") == behaviour("error-4290") == Behaviour()
    assert brain.respond(ask("Say\nthis", tools=[MAGIC]), told=Behaviour(echo=True)).text == "Say\nthis"
    assert brain.respond(ask("hi"), told=Behaviour(silent=True)).message.parts == []
    assert brain.respond(ask("hi"), told=Behaviour(refuse=True)).message.parts[0].kind == "refusal"


CALL = Message("assistant", [ToolCall("c1", "get_weather", "{}")])
RESULT = Message("tool", [ToolResult("c1", [Text("sunny")])])
SIGNED = Reasoning("hm", signature=brain.signature("hm"))


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (ask("hi"), None),
        (Request("m"), "messages"),
        (Request("", ask("hi").messages), "model"),
        (ask("hi", temperature=3), "temperature"),
        (ask("hi", max_tokens=0), "max_tokens"),
        (ask("hi", tools=[MAGIC, MAGIC]), "two named"),
        (ask("hi", tools=[Tool("a b")]), "no name"),
        (ask("hi", tools=[MAGIC], tool_choice=ToolChoice("named", "x")), "'x'"),
        (ask("hi", tool_choice=ToolChoice("any")), "no tools"),
        (Request("m", [*ask("hi").messages, CALL, RESULT]), None),
        (Request("m", [*ask("hi").messages, RESULT]), "not made just before"),
        (Request("m", [*ask("hi").messages, CALL, *ask("hi").messages]), "has no result"),
        (Request("m", [*ask("hi").messages, CALL]), "has no result"),
        (Request("m", [Message("assistant", [SIGNED, Text("a")]), *ask("hi").messages]), None),
        (
            Request("m", [Message("assistant", [Reasoning("h", signature=SIGNED.signature)]), *ask("hi").messages]),
            "signature",
        ),
        (Request("m", [Message("assistant", [Reasoning("h", signature="another's")]), *ask("hi").messages]), None),
    ],
)
def test_refuses_what_providers_refuse(request_: Request, complaint: str | None) -> None:
    found = problem(request_)
    assert found is None if complaint is None else complaint in (found or "")


def _collected(answer: Answer, pieces: int | None) -> list[dict[int, str]]:
    texts: list[dict[int, str]] = [{} for _ in answer.candidates]
    for event in events_of(answer, pieces):
        if isinstance(event, PartialContentDelta | ThinkingDelta | PartialToolCall):
            said = getattr(event, "content", None) or getattr(event, "thinking", None) or event.arguments  # type: ignore[union-attr]
            texts[event.candidate][event.index] = texts[event.candidate].get(event.index, "") + said
            assert pieces is None or len(said) <= pieces
    return texts


@pytest.mark.parametrize("pieces", [None, 1, 4, 1000])
def test_events_of_an_answer(pieces: int | None) -> None:
    parts = [
        Reasoning("Ich denke", signature="s"),
        Text("a  b\n\nc ü 你好", citations=[Citation("u")]),
        ToolCall("i", "n", "{}"),
    ]
    answer = Answer(
        "id", "m", candidates=[Candidate(Message("assistant", parts)), Candidate(Message("assistant", [Text("x")]))]
    )
    assert _collected(answer, pieces) == [{0: "Ich denke", 1: "a  b\n\nc ü 你好", 2: "{}"}, {0: "x"}]
    events = list(events_of(answer, pieces))
    assert events[0] == ResponseStarted("id", "m")
    assert events[-1] == StreamEnd(answer)
    ended = [event.part for event in events if isinstance(event, PartEnded | ToolCallEnded) and event.candidate == 0]
    assert ended == parts
    assert ToolCallStarted(2, "i", "n") in events


def test_events_of_an_error() -> None:
    events = list(events_of(Answer("id", "m", [Candidate(Message("assistant", [Text("a")]))], error={"message": "no"})))
    assert events[-1] == StreamError({"message": "no"})
    assert not any(isinstance(event, StreamEnd) for event in events)


def test_speaks_aloud() -> None:
    answer = brain.respond(Request("m", [Message("user", [Text("hello")])], modalities=["text", "audio"]), tag="t")
    (sound,) = answer.message.parts
    assert isinstance(sound, Media)
    assert (sound.kind, sound.text, sound.mime_type) == ("audio", "You said: hello", "audio/wav")
    assert sound.file_id
    assert base64.b64decode(sound.data or "").startswith(b"RIFF")
    assert answer.usage
    assert answer.usage.audio_output == answer.usage.output
    heard = brain.respond(Request("m", [Message("user", [sound])]))
    assert heard.usage
    assert heard.usage.audio_input
    assert heard.usage.audio_output == 0
