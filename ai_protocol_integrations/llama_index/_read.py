"""LlamaIndex's content blocks -> our parts, those of other classes' messages among them."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Callable, Iterable
from io import IOBase
from pathlib import Path
from typing import Any

import filetype
from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from ai_protocol_integrations._blocks import arguments_text, split_url
from ai_protocol_runtime.types import Citation, Media, Part, Reasoning, Text, ToolCall
from ai_protocol_runtime.types.errors import ArgumentError

_UNTITLED = "input_document"  # LlamaIndex's word for a document without a title
_SOUNDS = {"mp3": "audio/mpeg", "wav": "audio/wav"}


def read_blocks(blocks: Iterable[Any]) -> list[Part]:
    """The parts that blocks stand for. A cache point marks the part before it, and so does a citation.

    Files are read here; a URL is sent as one, and nothing is fetched. Raises `ArgumentError` for a block that nobody
    knows, a file that cannot be read, and a cache point or citation with nothing before it.
    """
    parts: list[Part] = []
    for block in blocks:
        if isinstance(block, CachePoint):
            _before(parts, "a cache point").cache = block.cache_control.model_dump()
        elif isinstance(block, CitationBlock):
            _cite(parts, block)
        elif isinstance(block, CitableBlock):
            parts += _citable(block)
        else:
            read = _READERS.get(type(block)) or next((r for cls, r in _READERS.items() if isinstance(block, cls)), None)
            if read is None:
                raise ArgumentError(f"no part of a message is known for a block of type {type(block).__name__}")
            parts.append(read(block))
    return parts


def _before(parts: list[Part], what: str) -> Any:
    part = parts[-1] if parts else None
    if part is None or not hasattr(part, "cache"):
        raise ArgumentError(f"{what} has to stand after what it is for")
    return part


def _cite(parts: list[Part], block: CitationBlock) -> None:
    text = next((part for part in reversed(parts) if isinstance(part, Text)), None)
    if text is None:
        raise ArgumentError("a citation has to stand after the text it is for")
    where = block.additional_location_info
    cited = block.cited_content.text if isinstance(block.cited_content, TextBlock) else None
    url = block.source if "://" in block.source else None
    citation = Citation(url, block.title or None, cited or None, where.get("start"), where.get("end"))
    citation.id = None if url or not block.source else block.source
    text.citations = [*(text.citations or ()), citation]


def _citable(block: CitableBlock) -> Iterable[Part]:
    """Its texts as one document that may be cited; what is no text stands after it."""
    texts = [inner.text for inner in block.content if isinstance(inner, TextBlock)]
    if texts:
        document = Media("file", text="\n\n".join(texts), filename=block.title)
        document.citable, document.context = True, block.source or None
        yield document
    for inner in block.content:
        if not isinstance(inner, TextBlock):
            (part,) = read_blocks([inner])
            if isinstance(inner, DocumentBlock) and isinstance(part, Media):
                part.citable, part.context = True, block.source or None
                part.filename = part.filename or block.title
            yield part


def _thinking(block: ThinkingBlock) -> Reasoning:
    about = block.additional_information
    encrypted = about.get("encrypted_content") or about.get("data")
    return Reasoning(block.content or "", about.get("signature"), encrypted, about.get("id"))


def _call(block: ToolCallBlock) -> ToolCall:
    return ToolCall(block.tool_call_id, block.tool_name, arguments_text(block.tool_kwargs))


def _image(block: ImageBlock) -> Media:
    return _media("image", block, block.image, block.image_mimetype, detail=block.detail)


def _audio(block: AudioBlock) -> Media:
    mime = block.format and _SOUNDS.get(block.format, f"audio/{block.format}")
    return _media("audio", block, block.audio, mime)


def _video(block: VideoBlock) -> Media:
    return _media("video", block, block.video, block.video_mimetype, detail=block.detail)


def _document(block: DocumentBlock) -> Media:
    media = _media("file", block, block.data, block.document_mimetype)
    named = block.title if block.title != _UNTITLED else None
    media.filename = named or (Path(str(block.path)).name if block.path else None)
    return media


def _media(kind: str, block: Any, data: bytes | IOBase | None, mime: str | None, **more: Any) -> Media:
    if block.url is not None:
        inline, found, url = split_url(str(block.url))
        return Media(kind, data=inline, url=url, mime_type=mime or found, **more)
    if block.path is not None:
        raw = _file(Path(block.path))
        mime = mime or mimetypes.guess_type(str(block.path))[0] or _guessed(raw)
        return Media(kind, data=base64.b64encode(raw).decode(), mime_type=mime, **more)
    if isinstance(data, IOBase):
        data.seek(0)
        raw = data.read()
        return Media(kind, data=base64.b64encode(raw).decode(), mime_type=mime or _guessed(raw), **more)
    if not data:
        raise ArgumentError(f"a block of type {block.block_type} has neither data nor a path nor a URL")
    if mime is None:
        mime = _guessed(base64.b64decode(data[:4096]))  # LlamaIndex keeps bytes in base64
    return Media(kind, data=data.decode("ascii"), mime_type=mime, **more)


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArgumentError(f"the file of a block cannot be read: {error}") from error


def _guessed(raw: bytes) -> str | None:
    found: str | None = filetype.guess_mime(raw)
    return found


_READERS: dict[type[Any], Callable[[Any], Part]] = {
    TextBlock: lambda block: Text(block.text),
    ThinkingBlock: _thinking,
    ToolCallBlock: _call,
    ImageBlock: _image,
    AudioBlock: _audio,
    VideoBlock: _video,
    DocumentBlock: _document,
}
