"""How many tokens a request has, estimated where nobody can be asked.

Every provider cuts texts in its own way, none of which is here. What they have in common is: a word is about a token,
and so is a mark or a number of three digits; the scripts of the world differ in letters per token; messages and tools
cost something by themselves. The figures were fitted to the usage that providers have told of recorded requests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from ai_protocol_runtime.types import (
    Media,
    Message,
    Part,
    Raw,
    Reasoning,
    Refusal,
    Request,
    ServerToolCall,
    ServerToolResult,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

_PIECE = re.compile(
    r"(?P<english>[A-Za-z]++(?![^\x00-\x7F]))|(?P<word>(?:[A-Za-z]|[^\x00-\x7F])+)"
    r"|(?P<digits>\d{1,3})|(?P<space>\s+)|[!-/:-@\[-`{-~\x00-\x1F\x7F]+"
)

LONG_WORD = 6
"""Letters of an English word that are one token; each beyond costs `PER_LETTER`."""
PER_LETTER = 0.12
PER_DIGITS = 1.2
"""Up to three digits."""
PER_MARK, PER_FURTHER_MARK = 0.8, 0.4
"""A run of marks: its first, and each of the others."""

PER_REQUEST, PER_MESSAGE = 3, 4
PER_CALL = 6
"""A tool's call or its result, beside what it says."""
WITH_TOOLS = 16
"""What is said before the tools. Some providers say more: a few hundred tokens."""
OF_SCHEMA = 0.7
"""Of the JSON of a schema, what reaches the model: some providers have shorter notations."""

IMAGE, SMALL_IMAGE = 800, 85
"""A picture of usual size, and one asked for in low detail."""
BY_SIZE = {"audio": (50, 800), "video": (300, 1000), "file": (500, 100)}
"""Tokens at least, and bytes per token: of sound 20 tokens a second, of video 260, of a document 500 a page of text."""

_SCRIPTS = (
    (0x0370, 0.28),  # Latin with accents
    (0x0530, 0.34),  # Greek, Cyrillic
    (0x0780, 0.42),  # Armenian, Hebrew, Arabic
    (0x1100, 0.45),  # of India and Southeast Asia
    (0x1200, 0.7),  # Hangul
    (0x2000, 0.4),
    (0x2E80, 1.0),  # dashes, arrows, signs
    (0xAC00, 0.85),  # Chinese, Japanese
    (0xD7B0, 0.7),  # Hangul
    (0x10000, 0.9),
)
"""Tokens per character up to a code point."""
_EMOJI = 2.0


def estimate_tokens(request: Request) -> int:
    """About how many tokens of input a request is; text is mostly within a tenth, tools are within a third where a
    provider adds no long instructions to them.

    Pictures, sounds, videos and documents count by rules of thumb, what is only referred to by the least of them;
    reasoning by the text of it that is shown. It never fails.
    """
    total = PER_REQUEST + sum(map(_message, request.messages))
    if request.tools:
        total += WITH_TOOLS + sum(map(_tool, request.tools))
    if request.format is not None:
        total += OF_SCHEMA * _data(request.format.schema)
    return round(total)


def estimate_text(text: str) -> int:
    """About how many tokens a text has by itself."""
    return round(_text(text))


def _text(text: str) -> float:
    total = 0.0
    for match in _PIECE.finditer(text):
        kind, piece = match.lastgroup, match.group()
        if kind == "english":
            total += 1 + PER_LETTER * max(0, len(piece) - LONG_WORD)
        elif kind == "word":
            total += max(1.0, sum(map(_character, piece)))
        elif kind == "digits":
            total += PER_DIGITS
        elif kind == "space":
            total += piece != " "
        else:
            total += PER_MARK + PER_FURTHER_MARK * (len(piece) - 1)
    return total


def _character(character: str) -> float:
    code = ord(character)
    return next((tokens for end, tokens in _SCRIPTS if code < end), _EMOJI)


def _data(value: Any) -> float:
    """The tokens of JSON, of none if it is left out."""
    if value is None:
        return 0.0
    try:
        return _text(json.dumps(value, ensure_ascii=False, default=str))
    except (TypeError, ValueError, RecursionError):  # no JSON, and so nothing that can be sent
        return 0.0


def _message(message: Message) -> float:
    return PER_MESSAGE + _text(message.name or "") + _parts(message.parts)


def _parts(parts: Iterable[Part]) -> float:
    return sum(map(_part, parts))


def _part(part: Part) -> float:
    match part:
        case Text() | Reasoning() | Refusal():
            return _text(part.text)
        case ToolCall() | ServerToolCall():
            return PER_CALL + _text(part.name) + _text(part.arguments or "")
        case ToolResult():
            return PER_CALL + _parts(part.parts)
        case ServerToolResult():
            return PER_CALL + _data(part.content)
        case Media():
            return _media(part) + _text(part.context or "")
        case Raw():
            return _data(part.value)


def _media(media: Media) -> float:
    if media.text is not None:
        return _text(media.text)
    if media.kind == "image":
        return SMALL_IMAGE if media.detail == "low" else IMAGE
    least, bytes_per_token = BY_SIZE.get(media.kind, BY_SIZE["file"])
    return max(least, len(media.data or "") * 3 / 4 / bytes_per_token)


def _tool(tool: Tool | Raw) -> float:
    if isinstance(tool, Raw):
        return _data(tool.value)
    return _text(tool.name) + _text(tool.description or "") + OF_SCHEMA * _data(tool.parameters)
