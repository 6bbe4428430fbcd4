"""Content blocks that are not LangChain's standard ones: the shapes of vendors' own APIs, which LangChain allows too.

What is not listed here LangChain itself may know: its translators turn what they can into standard blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from ai_protocol_integrations._blocks import Block, arguments_text, from_annotation, from_block, said, split_url
from ai_protocol_runtime.types import (
    Media,
    Part,
    Raw,
    Reasoning,
    Refusal,
    ServerToolCall,
    ServerToolResult,
    Text,
    ToolCall,
    ToolResult,
)
from ai_protocol_runtime.types.errors import ArgumentError

_RESULT = "_tool_result"


def read_content(message: BaseMessage) -> list[Part]:
    """The parts of a message's content, whatever the shape of its blocks. The message is left as it is.

    Raises `ArgumentError` for a block that nobody knows, naming its type and the way to send it nonetheless.
    """
    parts = [part for _, part in read_blocks(message)]
    return [part for part in parts if part != Text("")] or parts  # some APIs take no empty text beside others


def read_blocks(message: BaseMessage) -> Iterator[tuple[Block, Part]]:
    """The same, each part with the block it was read from."""
    content = message.content
    if isinstance(content, str):
        content = [content] if content else []
    text: Text | None = None  # the last thing said, where that is a text
    for block in content:
        if isinstance(block, str):
            found: Iterable[tuple[Block, Part]] = [({}, Text(block))]
        else:
            part = _own(block)
            found = _translated(block, message) if part is None else [(block, part)]
        for read, part in found:
            apart = isinstance(part, Text) and not part.text and not part.extra  # as in a sum of others' chunks
            if text is not None and isinstance(part, Text) and part.citations and apart:
                text.citations = [*(text.citations or ()), *part.citations]
                continue
            text = part if isinstance(part, Text) else None
            yield read, part


def _own(block: Block) -> Part | None:
    """The part of a block that this package reads by itself."""
    kind = block.get("type")
    if not isinstance(kind, str) or "source_type" in block:  # such blocks are LangChain's former standard
        return None
    if kind in _SHAPES:
        part = _SHAPES[kind](block)
        if part is not None:
            return part
    part = from_block(block)
    if part is None and kind.endswith(_RESULT):
        name = kind.removesuffix(_RESULT)
        return ServerToolResult(block.get("tool_use_id"), name, block.get("content"), is_error=block.get("is_error"))
    return part


def _translated(block: Block, message: BaseMessage) -> Iterator[tuple[Block, Part]]:
    """What LangChain makes of a block: it knows the shapes of the models it has classes for."""
    provider = message.response_metadata.get("model_provider")
    alone: BaseMessage = HumanMessage(content=[block])
    if isinstance(message, AIMessage) and provider:
        alone = AIMessage(content=[block], response_metadata={"model_provider": provider})
    for found in map(dict, alone.content_blocks):
        unknown = found.get("type") == "non_standard" and found.get("value") == block
        part = None if unknown else _own(found)
        if part is None:
            raise _unreadable(block)
        yield found, part


def _unreadable(block: Block) -> ArgumentError:
    kind = block.get("type")
    what = f"of type {kind!r}" if kind else f"with the keys {', '.join(map(repr, block))}"
    return ArgumentError(f"no part of a message is known for a content block {what}; {_AS_IT_IS}")


_AS_IT_IS = "to send it as it is, wrap it in {'type': 'non_standard', 'value': ...}"


# shapes; None from a reader: the block has this type, but is LangChain's own


def _image_url(block: Block) -> Media:
    said_url = block.get("image_url")
    image = said_url if isinstance(said_url, dict) else {"url": said_url}
    data, mime, url = split_url(image.get("url") or "")
    detail = image.get("detail") or block.get("detail")
    return Media(
        "image", data, url, block.get("file_id"), mime_type=mime, detail=detail, cache=said(block, "cache_control")
    )


def _video_url(block: Block) -> Media:
    said_url = block.get("video_url")
    data, mime, url = split_url((said_url.get("url") if isinstance(said_url, dict) else said_url) or "")
    return Media("video", data, url, mime_type=mime)


def _as_it_is(block: Block) -> Raw:
    """What only its vendor understands."""
    return Raw({key: value for key, value in block.items() if key not in ("index", "id")})


def _sourced(kind: str) -> Callable[[Block], Media | Raw | None]:
    """Media whose bytes, URL or id are in a `source` of their own."""

    def read(block: Block) -> Media | Raw | None:
        source = block.get("source")
        if not isinstance(source, dict) or source.get("type") not in _SOURCES:
            return None
        citations = block.get("citations")
        if citations not in _CITATIONS or any(block.get(key) is not None for key in block.keys() - _OF_SOURCED):
            return _as_it_is(block)
        field, key = _SOURCES[source["type"]]
        media = Media(kind, mime_type=source.get("media_type"), filename=block.get("title"))
        media.citable = citations and citations["enabled"]
        media.context, media.cache = block.get("context"), block.get("cache_control")
        setattr(media, field, source.get(key))
        return media

    return read


_OF_SOURCED = {"type", "source", "cache_control", "title", "context", "citations", "index", "id"}
_CITATIONS = (None, {"enabled": True}, {"enabled": False})
_SOURCES = {"base64": ("data", "data"), "url": ("url", "url"), "file": ("file_id", "file_id"), "text": ("text", "data")}


def _media(block: Block) -> Media:
    """Any medium, by its MIME type."""
    mime = block.get("mime_type")
    kind = (mime or "").partition("/")[0]
    url = block.get("file_uri") or block.get("url")
    return Media(kind if kind in ("image", "audio", "video") else "file", block.get("data"), url, mime_type=mime)


def _file(block: Block) -> Media | None:
    file = block.get("file")
    if not isinstance(file, dict):
        return None
    data, mime, rest = split_url(file.get("file_data") or "")
    return Media("file", data or rest or None, None, file.get("file_id"), mime_type=mime, filename=file.get("filename"))


def _audio(block: Block) -> Media:
    audio = block.get("input_audio") or {}
    form = audio.get("format") or "wav"
    return Media("audio", audio.get("data"), mime_type="audio/mpeg" if form == "mp3" else f"audio/{form}")


def _plain_text(block: Block) -> Text:
    return Text(block.get("text") or "", cache=block.get("cache_control"))


def _thinking(block: Block) -> Reasoning:
    return Reasoning(block.get("thinking") or "", signature=block.get("signature") or None)


def _tool_use(block: Block) -> ToolCall:
    args = arguments_text(block.get("input"))
    return ToolCall(block.get("id"), block.get("name") or "", args, cache=block.get("cache_control"))


def _function_call(block: Block) -> ToolCall:
    return ToolCall(block.get("call_id"), block.get("name") or "", block.get("arguments") or "")


def _tool_result(block: Block) -> ToolResult:
    content = block.get("content")
    inner = [content] if isinstance(content, str) else content or []
    parts = read_content(BaseMessage(content=inner, type="tool"))
    cache = block.get("cache_control")
    return ToolResult(block.get("tool_use_id"), parts, is_error=block.get("is_error"), cache=cache)


def _server_tool_use(block: Block) -> ServerToolCall:
    args = arguments_text(block.get("input"))
    return ServerToolCall(block.get("id"), block.get("name") or "", args, cache=block.get("cache_control"))


def _text(block: Block) -> Text | None:
    """A text with citations in their vendor's form, or with what LangChain keeps of that."""
    if said(block, "prompt_cache_breakpoint") is not None:
        raise ArgumentError(f"a content block of type 'text' is read without its prompt_cache_breakpoint; {_AS_IT_IS}")
    citations = block.get("citations")
    if isinstance(citations, list):
        return Text(block.get("text") or "", citations=[Raw(c) for c in citations], cache=said(block, "cache_control"))
    annotations = block.get("annotations") or ()
    located = [_located(annotation) for annotation in annotations]
    part = from_block(block) if any(located) else None
    if not isinstance(part, Text):
        return None
    part.citations = [one or from_annotation(a) for one, a in zip(located, annotations, strict=True)]
    return part


def _located(annotation: Block) -> Raw | None:
    extras = annotation.get("extras") or {}
    kind, title = next((named for key, named in _LOCATIONS.items() if key in extras), (None, ""))
    if kind is None:
        return None
    shown = {"url": annotation.get("url"), title: annotation.get("title"), "cited_text": annotation.get("cited_text")}
    return Raw({"type": kind} | {key: value for key, value in shown.items() if value is not None} | extras)


_LOCATIONS = {
    "encrypted_index": ("web_search_result_location", "title"),
    "search_result_index": ("search_result_location", "title"),
    "start_char_index": ("char_location", "document_title"),
    "start_page_number": ("page_location", "document_title"),
    "start_block_index": ("content_block_location", "document_title"),
}
"""By what LangChain keeps of a citation: its vendor's type, and what that calls the title."""


def _standard_call(block: Block) -> ServerToolCall | None:
    """LangChain's word for code that the provider runs."""
    args = block.get("args")
    if block.get("name") != "code_interpreter" or not isinstance(args, dict) or args.keys() != {"code", "language"}:
        return None
    return ServerToolCall(None, args["language"], args["code"])


def _standard_result(block: Block) -> ServerToolResult | None:
    """The type that it had is in its extras."""
    extras = block.get("extras")
    kind = extras.get("block_type") if isinstance(extras, dict) else None
    if not isinstance(kind, str):
        return None
    failed = block.get("status") == "error"
    if kind == "code_execution_result":
        return _ran(block.get("output"), failed=failed)
    name = kind.removesuffix(_RESULT)
    return ServerToolResult(block.get("tool_call_id"), name, block.get("output"), is_error=failed or None)


def _ran(output: Any, *, failed: bool) -> ServerToolResult:
    return ServerToolResult(None, "OUTCOME_FAILED" if failed else "OUTCOME_OK", output)


_SHAPES: dict[str, Callable[[Block], Part | None]] = {
    "image_url": _image_url,
    "input_image": _image_url,
    "video_url": _video_url,
    "input_audio": _audio,
    "media": _media,
    "image": _sourced("image"),
    "document": _sourced("file"),
    "file": _file,
    "input_text": _plain_text,
    "output_text": _plain_text,
    "thinking": _thinking,
    "redacted_thinking": lambda block: Reasoning(encrypted=block.get("data")),
    "refusal": lambda block: Refusal(block.get("refusal") or ""),
    "tool_use": _tool_use,
    "function_call": _function_call,
    "tool_result": _tool_result,
    "server_tool_use": _server_tool_use,
    "server_tool_call": _standard_call,
    "server_tool_result": _standard_result,
    "executable_code": lambda block: ServerToolCall(None, block.get("language") or "", block.get("executable_code")),
    "code_execution_result": lambda block: _ran(block.get("code_execution_result"), failed=block.get("outcome") != 1),
    "search_result": _as_it_is,
    "text": _text,
}


def call_signatures(message: AIMessage) -> Block:
    """The signatures of tool calls that are kept beside the message, by the calls' ids."""
    kept = (value for key, value in message.additional_kwargs.items() if key.endswith(_SIGNATURES))
    return next((value for value in kept if isinstance(value, dict)), {})


_SIGNATURES = "function_call_thought_signatures__"
