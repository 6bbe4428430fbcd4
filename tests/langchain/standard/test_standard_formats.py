"""The table of formats is true: each refuses exactly what it is said to lack or to lose, if losses are to be errors."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.types.errors import UnsupportedError

from .formats import FORMATS, KEY, Format
from .web import FILES, WAV

pytestmark = pytest.mark.filterwarnings("ignore:no manifest knows")

IMAGE, PDF = (
    {"type": kind, "base64": base64.b64encode(FILES[place]).decode(), "mime_type": mime}
    for kind, mime, place in (
        ("image", "image/png", ("raw.githubusercontent.com", ".png")),
        ("file", "application/pdf", ("www.w3.org", ".pdf")),
    )
)
SOUND = {"type": "audio", "base64": WAV, "mime_type": "audio/wav"}
THOUGHT = {"type": "thinking", "thinking": "A greeting.", "signature": "from elsewhere"}
MARK = {"cache_control": {"type": "ephemeral"}}
LOOK = {"title": "look", "description": "Look.", "type": "object", "properties": {}}
MARKED_LOOK = {"name": "look", "description": "Look.", "input_schema": {"type": "object", "properties": {}}, **MARK}


def talk(*parts: Any, **more: Any) -> list[BaseMessage]:
    return [HumanMessage([{"type": "text", "text": "Hello"}, *parts], **more)]


def looked(*content: Any, **more: Any) -> list[BaseMessage]:
    call = {"id": "1", "name": "look", "args": {}}
    return [*talk(), AIMessage("", tool_calls=[call]), ToolMessage([*content], tool_call_id="1", name="look", **more)]


CASES: dict[str, Callable[[ChatAIProtocol], Any]] = {
    "pdf": lambda model: model.invoke(talk(PDF)),
    "audio": lambda model: model.invoke(talk(SOUND)),
    "image.url": lambda model: model.invoke(talk({"type": "image", "url": "https://example.com/a.png"})),
    "image_result": lambda model: model.bind_tools([LOOK]).invoke(looked(IMAGE)),
    "pdf_result": lambda model: model.bind_tools([LOOK]).invoke(looked(PDF)),
    "tool_result.is_error": lambda model: model.bind_tools([LOOK]).invoke(looked("No.", status="error")),
    "json_mode": lambda model: model.invoke("Hello", response_format={"type": "json_object"}),
    "tool_choice": lambda model: model.bind_tools([LOOK], tool_choice="look").invoke("Hello"),
    "tool.cache": lambda model: model.bind_tools([MARKED_LOOK]).invoke("Hello"),
    "text.cache": lambda model: model.invoke(talk({"type": "text", "text": "Hello", **MARK})),
    "message.name": lambda model: model.invoke(talk(name="ada")),
    "stop": lambda model: model.invoke("Hello", stop=["you"]),
    "reasoning": lambda model: model.invoke(
        [*talk(), AIMessage([THOUGHT, {"type": "text", "text": "Hello."}]), *talk()]
    ),
}
"""What shows whether a format has a place for something."""


@pytest.mark.parametrize("what", CASES)
@pytest.mark.parametrize("format", FORMATS.values(), ids=lambda format: format.protocol)
def test_places(format: Format, what: str, provider_url: Callable[[str], str]) -> None:
    model = ChatAIProtocol(
        model=format.name,
        protocol=format.protocol,
        base_url=provider_url(format.provider),
        api_key=KEY,
        on_unsupported="error",
    )
    if what not in {*format.lacks, *format.losses}:
        assert CASES[what](model).id
    else:
        with pytest.raises(UnsupportedError):
            CASES[what](model)


def test_every_word_is_shown() -> None:
    assert CASES.keys() == {word for format in FORMATS.values() for word in (*format.lacks, *format.losses)}
