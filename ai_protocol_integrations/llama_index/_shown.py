"""Our parts -> LlamaIndex's content blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from ai_protocol_integrations._alike import alike
from ai_protocol_integrations._blocks import parse_arguments
from ai_protocol_runtime.types import Citation, Media, Part, Reasoning, Refusal, Text, ToolCall

_SOUNDS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}


def text_block(text: str) -> TextBlock:
    return alike(_TEXT, text=text)


def thinking_block(text: str, about: dict[str, Any], tokens: int | None = None) -> ThinkingBlock:
    return alike(_THINKING, content=text, num_tokens=tokens, additional_information=about)


def call_block(call_id: str | None, name: str, arguments: dict[str, Any] | str) -> ToolCallBlock:
    return alike(_CALL, tool_call_id=call_id, tool_name=name, tool_kwargs=arguments)


_TEXT = TextBlock(text="")
_THINKING = ThinkingBlock()
_CALL = ToolCallBlock(tool_name="", tool_kwargs="")


def blocks_of(parts: list[Part], call_ids: list[str | None], tokens: int | None = None) -> list[Any]:
    """The parts as blocks; what no block can show has none.

    Texts that follow each other are one block, because LlamaIndex puts a line break between two. What they cite comes
    after it. `call_ids` are those of the tool calls, in order; `tokens` is how many were spent on reasoning, told if
    there is one block of it.
    """
    blocks: list[Any] = []
    ids = iter(call_ids)
    tokens = tokens if sum(isinstance(part, Reasoning) for part in parts) == 1 else None
    text, cited = "", list[CitationBlock]()
    for part in parts:
        if isinstance(part, (Text, Refusal)):
            cited += _citations(part, len(text)) if isinstance(part, Text) else ()
            text += part.text
            continue
        shown = _block(part, next(ids) if isinstance(part, ToolCall) else None, tokens)
        if shown is not None:
            blocks += [*_said(text), *cited, shown]
            text, cited = "", []
    return [*blocks, *_said(text), *cited]


def _said(text: str) -> Iterator[TextBlock]:
    if text:
        yield text_block(text)


def _citations(part: Text, before: int) -> Iterator[CitationBlock]:
    """Offsets count characters of the block, `before` of which were said by other texts."""
    for citation in part.citations or ():
        if isinstance(citation, Citation):
            where = {"start": citation.start, "end": citation.end}
            yield CitationBlock(
                cited_content=TextBlock(text=citation.text or ""),
                source=citation.url or citation.id or "",
                title=citation.title or "",
                additional_location_info={key: at + before for key, at in where.items() if at is not None},
            )


def _block(part: Part, call_id: str | None, tokens: int | None) -> Any:
    match part:
        case Reasoning():
            about = {"signature": part.signature, "encrypted_content": part.encrypted, "id": part.id}
            return thinking_block(part.text, {key: said for key, said in about.items() if said is not None}, tokens)
        case ToolCall():
            arguments, _ = parse_arguments(part.arguments)
            return call_block(call_id, part.name, part.arguments if arguments is None else arguments)
        case Media() if part.data is not None or part.url is not None:
            return _media(part)
    return None


def _media(part: Media) -> Any:
    data = part.data.encode() if part.data is not None else None
    if part.kind == "image":
        return ImageBlock(image=data, url=part.url, image_mimetype=part.mime_type, detail=part.detail)
    if part.kind == "audio":
        mime = part.mime_type or ""
        return AudioBlock(audio=data, url=part.url, format=_SOUNDS.get(mime, mime.partition("/")[2]) or None)
    if part.kind == "video":
        return VideoBlock(video=data, url=part.url, video_mimetype=part.mime_type, detail=part.detail)
    return DocumentBlock(data=data, url=part.url, title=part.filename, document_mimetype=part.mime_type)
