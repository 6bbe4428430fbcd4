"""Tokens: asked for where the manifest says how, else estimated, and never a crash."""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage, trim_messages

from ai_protocol_integrations.langchain import ChatAIProtocol, _counting
from ai_protocol_integrations.langchain._counting import EstimateWarning
from ai_protocol_integrations.langchain._inputs import to_messages
from ai_protocol_runtime.flow.estimate import estimate_text, estimate_tokens
from ai_protocol_runtime.simulator import Server
from ai_protocol_runtime.types import (
    Media,
    Message,
    Raw,
    Reasoning,
    Refusal,
    Request,
    ResponseFormat,
    ServerToolCall,
    ServerToolResult,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

Connect = Callable[..., ChatAIProtocol]


def weather(city: str, days: int = 1) -> str:
    """Tell the weather of a city."""
    return city


MESSAGES: list[BaseMessage] = [
    SystemMessage("Be brief."),
    HumanMessage([{"type": "text", "text": "How is the weather?"}, {"type": "image", "url": "https://a.test/b.png"}]),
    AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Rome"}, "id": "c1", "type": "tool_call"}]),
    ToolMessage("Sunny.", tool_call_id="c1"),
]


@pytest.fixture(autouse=True)
def _nobody_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_counting, "_warned", set())


@pytest.fixture
def counted(tmp_path: Path, simulated: Server) -> Connect:
    """Models of a provider that counts tokens."""
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "shop.yaml").write_text(
        "id: shop\nname: Shop\ndocs: {checked: 2026-11-21, pages: ['https://shop.test']}\n"
        "base_url: https://shop.test\ncredentials: {env: [SHOP_KEY]}\n"
        "protocols:\n  anthropic-messages: {path: /v1/messages, count_path: /v1/messages/count_tokens}\n"
    )

    def make(**arguments: Any) -> ChatAIProtocol:
        usual: dict[str, Any] = {"api_key": "k", "base_url": simulated.url, "manifests": tmp_path}
        return ChatAIProtocol(model="shop/any", **usual | arguments)

    return make


def test_the_provider_is_asked(counted: Connect) -> None:
    model = counted(max_tokens=100)
    answer = model.invoke(MESSAGES)
    assert answer.usage_metadata is not None
    assert model.get_num_tokens_from_messages(MESSAGES) == answer.usage_metadata["input_tokens"]
    with_tools = model.bind_tools([weather]).invoke(MESSAGES)
    assert isinstance(with_tools, AIMessage)
    assert with_tools.usage_metadata is not None
    assert model.get_num_tokens_from_messages(MESSAGES, [weather]) == with_tools.usage_metadata["input_tokens"]


@pytest.mark.parametrize("wrong", [{"base_url": "http://127.0.0.1:1"}, {"api_key": None}, {"base_url": "{}/nowhere"}])
def test_a_provider_that_cannot_be_asked(
    counted: Connect, simulated: Server, wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_KEY", raising=False)
    model = counted(**{name: value and value.format(simulated.url) for name, value in wrong.items()})
    with pytest.warns(EstimateWarning, match="Shop did not count tokens"):
        number = model.get_num_tokens_from_messages(MESSAGES)
    assert model.get_num_tokens_from_messages(MESSAGES) == number  # without a warning: that would be an error here
    assert number == estimate_tokens(Request(messages=to_messages(MESSAGES)))
    assert model.get_num_tokens_from_messages(MESSAGES, [weather]) > number


def test_a_provider_without_counting_is_not_asked(connect: Connect) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = connect(base_url="http://127.0.0.1:1")
        assert model.get_num_tokens_from_messages(MESSAGES) == estimate_tokens(Request(messages=to_messages(MESSAGES)))


def test_texts_are_estimated_here(counted: Connect) -> None:
    model = counted(base_url="http://127.0.0.1:1")
    assert model.get_num_tokens("How is the weather?") == estimate_text("How is the weather?") == 5
    with pytest.raises(NotImplementedError, match="get_num_tokens"):
        model.get_token_ids("How is the weather?")


def test_a_tokenizer_of_ones_own(counted: Connect) -> None:
    model = counted(base_url="http://127.0.0.1:1", custom_get_token_ids=lambda text: list(range(len(text))))
    assert model.get_token_ids("abc") == [0, 1, 2]
    assert model.get_num_tokens("abc") == 3
    assert model.get_num_tokens_from_messages([HumanMessage("abc")]) == len("Human: abc")


def test_messages_are_trimmed(connect: Connect) -> None:
    said: list[BaseMessage] = [HumanMessage("word " * 100), AIMessage("ok"), HumanMessage("hi")]
    kept = trim_messages(said, max_tokens=50, token_counter=connect(), start_on="human")
    assert kept == said[2:]


# the estimate


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("Hello", 1),
        ("Heute ist schönes Wetter, lass uns im Park spazieren gehen.", 13),
        ("Il fait beau aujourd'hui, allons nous promener au parc.", 13),
        ("Сегодня хорошая погода, пойдём гулять в парк.", 14),
        ("今天天气很好，我们一起去公园散步吧。", 15),
        ("今日は天気がいいので、公園へ散歩に行きましょう。", 19),
        ("오늘은 날씨가 좋아서 공원에 산책하러 갑시다.", 15),
        ("الطقس جميل اليوم، لنذهب في نزهة إلى الحديقة.", 16),
        ("आज मौसम अच्छा है, चलो पार्क में टहलने चलते हैं।", 18),
        ("def area(r: float) -> float:\n    return 3.14159 * r ** 2\n", 25),
        ('{"name": "weather", "arguments": {"city": "Rome", "days": 3}}', 21),
        ("🎉🎉 done ✅", 6),
    ],
)
def test_texts(text: str, tokens: int) -> None:
    assert abs(estimate_text(text) - tokens) <= 0.2 * tokens


def test_every_part_counts() -> None:
    said = "The quick brown fox"
    parts: list[Any] = [
        Text(said),
        Reasoning(said),
        Refusal(said),
        ToolCall(name="run", arguments=json.dumps({"text": said})),
        ToolResult(parts=[Text(said)]),
        ServerToolCall(name="search", arguments=None),
        ServerToolResult(content={"text": said}),
        Raw({"text": said}),
        Media(kind="file", text=said),
        Media(kind="image", url="https://a.test/b.png"),
        Media(kind="audio", data="AAAA"),
        Media(kind="video", data="AAAA"),
        Media(kind="file", data="AAAA", mime_type="application/pdf"),
    ]
    empty = estimate_tokens(Request(messages=[Message("user")]))
    sizes = [estimate_tokens(Request(messages=[Message("user", [part])])) - empty for part in parts]
    assert min(sizes) >= 4
    assert estimate_tokens(Request(messages=[Message("user", parts)])) == pytest.approx(
        empty + sum(sizes), abs=len(parts)
    )
    small, large = (Media(kind="image", data="AAAA", detail=detail) for detail in ("low", "high"))
    assert _of(small) < _of(large)
    assert _of(Media(kind="file", text=said, context=said)) > _of(Media(kind="file", text=said))
    assert _of(Media(kind="file", data="A" * 4_000_000)) > 10 * _of(Media(kind="file", data="AAAA"))


def _of(part: Any) -> int:
    return estimate_tokens(Request(messages=[Message("user", [part])]))


def test_tools_and_formats_count() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string", "description": "Where it is"}}}
    plain = Request(messages=[Message("user", [Text("hi")], name="ann")])
    with_tools = Request(
        messages=plain.messages, tools=[Tool("weather", "Tell the weather", schema), Raw({"type": "x"})]
    )
    with_format = Request(messages=plain.messages, format=ResponseFormat("schema", "city", schema))
    assert estimate_tokens(plain) < estimate_tokens(with_format) < estimate_tokens(with_tools)


def test_nothing_breaks_it() -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless
    odd: list[Any] = [Raw(endless), Raw({(1, 2): object()}), Raw(object()), Text("\ud800\x00 \u3000")]
    assert estimate_tokens(Request(messages=[Message("user", odd)])) > 0
    chance = random.Random(7)
    for _ in range(200):
        assert estimate_text("".join(chr(chance.randrange(0x110000)) for _ in range(30))) > 0
