"""Keyword arguments become a request, or an error that says what would."""

from dataclasses import fields
from typing import Any

import pytest

from ai_protocol_runtime.flow.params import ARGUMENTS, read_params
from ai_protocol_runtime.types import Message, Request, ResponseFormat, Text, Tool, ToolChoice
from ai_protocol_runtime.types.errors import ArgumentError

BY_REASONING = {"thinking", "effort", "reasoning_budget", "include_thoughts", "reasoning_summary"}
HI = [Message("user", [Text("hi")])]
SCHEMA = {"title": "T", "type": "object"}
NOT_ARGUMENTS = {"messages", "extra", "stream", "stream_usage"}


def test_every_field_of_a_request_can_be_given() -> None:
    names = {field.name for field in fields(Request)}
    assert names - BY_REASONING - NOT_ARGUMENTS <= ARGUMENTS


@pytest.mark.parametrize("asked", ["hi", HI, Request(messages=HI)])
def test_what_is_asked_may_be_text_messages_or_a_request(asked: Any) -> None:
    assert read_params(asked, {})[0].messages == HI


@pytest.mark.parametrize("asked", [{"role": "user"}, [{"role": "user", "content": "hi"}], None, 7])
def test_anything_else_is_refused(asked: Any) -> None:
    with pytest.raises(ArgumentError, match="a text, a list of Message, or a Request"):
        read_params(asked, {})


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"temperature": 0}, {"temperature": 0}),
        ({"stop": "END"}, {"stop": ["END"]}),
        ({"stop": ("a", "b")}, {"stop": ["a", "b"]}),
        ({"tool_choice": "any"}, {"tool_choice": ToolChoice("any")}),
        ({"tool_choice": "search"}, {"tool_choice": ToolChoice("named", name="search")}),
        ({"tools": [Tool("search")]}, {"tools": [Tool("search")]}),
        ({"tools": None}, {"tools": []}),
        ({"format": "json"}, {"format": ResponseFormat("json")}),
        ({"format": SCHEMA}, {"format": ResponseFormat("schema", "T", SCHEMA)}),
        ({"reasoning": "high"}, {"effort": "high"}),
        ({"reasoning": 2048}, {"reasoning_budget": 2048}),
        ({"reasoning": True}, {"thinking": "enabled"}),
        ({"reasoning": False}, {"thinking": "disabled"}),
        (
            {"reasoning": {"effort": "low", "budget": 10, "summary": "auto", "include": True}},
            {"effort": "low", "reasoning_budget": 10, "reasoning_summary": "auto", "include_thoughts": True},
        ),
        ({"max_tokens": None}, {"max_tokens": None}),
    ],
)
def test_an_argument_sets_its_field(params: dict[str, Any], said: dict[str, Any]) -> None:
    request = read_params("hi", params)[0]
    assert {name: getattr(request, name) for name in said} == said


def test_an_argument_overrides_the_request_and_leaves_the_callers_alone() -> None:
    mine = Request(messages=[], temperature=1.0, effort="low", reasoning_budget=5)
    request = read_params(mine, {"temperature": 0.5, "reasoning": "high"})[0]
    assert (request.temperature, request.effort, request.reasoning_budget) == (0.5, "high", None)
    assert (mine.temperature, mine.effort, mine.reasoning_budget) == (1.0, "low", 5)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"temprature": 1}, "did you mean `temperature`"),
        ({"max_token": 1}, "did you mean `max_tokens`"),
        ({"qqqq": 1}, "known are extra_body"),
        ({"temperature": "warm"}, "temperature must be a number, not 'warm'"),
        ({"temperature": True}, "a number"),
        ({"temperature": float("nan")}, "a number"),
        ({"max_tokens": 0}, "a whole number from 1"),
        ({"max_tokens": 1.5}, "a whole number"),
        ({"n": True}, "a whole number"),
        ({"stop": [1]}, "a list of texts"),
        ({"tools": [{"name": "x"}]}, "a list of Tool"),
        ({"format": "xml"}, "'plain' or 'json'"),
        ({"reasoning": {"effrt": "low"}}, "did you mean `effort`"),
        ({"reasoning": {"budget": -1}}, "a whole number from 0"),
        ({"reasoning": 1.5}, "an effort word"),
        ({"on_unsupported": "ignore"}, "'warn' or 'error' or 'drop'"),
        ({"max_retries": -1}, "a whole number from 0"),
        ({"headers": {"x": 1}}, "a dict of texts"),
        ({"extra_body": []}, "a dict"),
    ],
)
def test_a_wrong_argument_says_what_would_be_right(params: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        read_params("hi", params)
