"""Parts of ours <-> standard (v1) content blocks, as LangChain has them: `to_block` writes, `from_block` reads them
back. They are plain JSON; LangChain's messages hold them, those of LlamaIndex what its own blocks have no place for.

A block shows what LangChain has a key for. What it has none for goes into the block's ``extras``: under LangChain's own
words (``signature``, ``cache_control``, ``filename``, ``detail``, ``context``, ``citations``) where there is one, else
under ``ai_protocol``, where also the part's complement is. So a block that comes back as history is the part it was, as
long as it was not edited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any
from uuid import uuid4

from ai_protocol_runtime.types import (
    Citation,
    Media,
    Message,
    Part,
    Raw,
    Reasoning,
    Refusal,
    ServerToolCall,
    ServerToolResult,
    Text,
    ToolCall,
)
from ai_protocol_runtime.wire.jsontext import dumps

Block = dict[str, Any]

OURS = "ai_protocol"
"""The key of ``extras`` and ``response_metadata`` under which is kept what only this package reads."""

_DATA_URL = re.compile(r"data:(?P<mime>[^;,]*)(?:;[^,;]*)*;base64,(?P<data>.*)", re.DOTALL)
_MIME: dict[Any, str] = {"audio/mp3": "audio/mpeg"}  # LangChain's word for what is registered under another
_GENERATED_ID = "lc_"  # LangChain gives such ids to blocks that have none


def parse_arguments(text: str | None) -> tuple[dict[str, Any] | None, str | None]:
    """The arguments of a finished tool call, or None and why they cannot be used. No text at all is no arguments.

    Nothing is repaired: half a call must not be run. Line breaks inside strings are taken, as LangChain does.
    """
    if text is None or not text.strip():
        return {}, None
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        return None, f"the arguments are not JSON: {error}"
    if not isinstance(value, dict):
        return None, f"the arguments are not a JSON object, but {type(value).__name__}"
    return value, None


# parts -> blocks


def to_block(part: Part, *, call_id: str | None = None) -> Block:
    """The finished part as a content block, without an index. `call_id` stands in for the id of a tool call without
    (or with a used) one; the true one is kept aside."""
    match part:
        case Text(citations=None, logprobs=None, signature=None, cache=None, extra=None):  # most of them
            return {"type": "text", "text": part.text}
        case Text():
            annotations = [to_annotation(citation) for citation in part.citations or ()] or None
            shown: Block = {"type": "text", "text": part.text, "annotations": annotations}
            return _block(part, shown, logprobs=part.logprobs)
        case Reasoning():
            shown = {"type": "reasoning", "reasoning": part.text, "id": part.id}
            return _block(part, shown, encrypted=part.encrypted, full=part.full)
        case Refusal():
            return _block(part, {"type": "non_standard", "value": {"type": "refusal", "refusal": part.text}})
        case ToolCall():
            return _call_block(part, call_id)
        case ServerToolCall():
            args, _ = parse_arguments(part.arguments)
            args = {"text": part.arguments} if args is None else args
            shown = {"type": "server_tool_call", "id": part.id or "", "name": part.name, "args": args}
            return _block(part, shown, unsaid=("id", "arguments"), arguments=_verbatim(part.arguments, args))
        case ServerToolResult():
            status = "error" if part.is_error else "success"
            shown = {"type": "server_tool_result", "tool_call_id": part.call_id or "", "status": status}
            shown["output"] = part.content
            failed = None if part.is_error else part.is_error
            return _block(part, shown, unsaid=("call_id",), name=part.name or None, is_error=failed)
        case Media():
            return _media_block(part)
        case Raw():
            if isinstance(part.value, dict):
                return _block(part, {"type": "non_standard", "value": part.value})
            return _block(part, {"type": "non_standard", "value": {"value": part.value}}, bare=True)
        case _:  # a result has no place in an answer; should a wire ever read one there, it is shown
            value = {f.name: getattr(part, f.name) for f in fields(part) if f.name != "parts"}
            return {"type": "non_standard", "value": {**value, "parts": [to_block(inner) for inner in part.parts]}}


def _call_block(part: ToolCall, call_id: str | None) -> Block:
    args, error = parse_arguments(part.arguments)
    block: Block = {"type": "tool_call", "id": part.id, "name": part.name, "args": args}
    if error is not None:
        block |= {"type": "invalid_tool_call", "args": part.arguments, "error": error}
    block = _block(part, block, arguments=None if args is None else _verbatim(part.arguments, args))
    if call_id is not None:
        block["id"] = call_id
        block.setdefault("extras", {}).setdefault(OURS, {})["id"] = part.id
    return block


def _media_block(part: Media) -> Block:
    shown: Block = {"type": part.kind, "base64": part.data, "url": part.url, "file_id": part.file_id}
    shown["mime_type"] = part.mime_type
    if part.kind != "file" or part.text is None:
        return _block(part, shown, text=part.text)
    shown |= {"type": "text-plain", "text": part.text, "title": part.filename, "context": part.context}
    shown["mime_type"] = part.mime_type or "text/plain"
    return _block(part, shown, unsaid=("mime_type",))


def _block(part: Any, shown: Block, *, unsaid: tuple[str, ...] = (), **hidden: Any) -> Block:
    """`shown` without what is None, and extras with the rest of the part: `hidden`, and which of the fields `unsaid`
    the wire did not say though the block has to show something."""
    block = {key: value for key, value in shown.items() if value is not None}
    own = {name: None for name in unsaid if getattr(part, name) is None}
    own |= {name: value for name, value in hidden.items() if value is not None}
    if part.extra:
        own["extra"] = part.extra
    extras = {word: value for name, word in _WORDS.items() if (value := getattr(part, name, None)) is not None}
    for key, word in (("title", "filename"), ("context", "context")):
        if key in block:
            del extras[word]
    if getattr(part, "citable", None) is not None:
        extras["citations"] = {"enabled": part.citable}
    if own:
        extras[OURS] = own
    if extras:
        block["extras"] = extras
    return block


_WORDS = {
    "signature": "signature",
    "cache": "cache_control",
    "filename": "filename",
    "detail": "detail",
    "context": "context",
}
"""Fields of parts, and LangChain's words for them."""


def _verbatim(text: str | None, args: dict[str, Any]) -> str | None:
    """The model's own spelling of its arguments, where it is not how they would be written again."""
    return None if text == dumps(args) else text


def to_annotation(citation: Citation | Raw, **ours: Any) -> Block:
    """The citation as an annotation of a text block; `ours` is kept with it."""
    if citation.extra:
        ours["extra"] = citation.extra
    if isinstance(citation, Raw):
        value = citation.value if isinstance(citation.value, dict) else {"value": citation.value}
        block: Block = {"type": "non_standard_annotation", "value": value}
    else:
        block = {
            "type": "citation",
            "url": citation.url,
            "title": citation.title,
            "cited_text": citation.text,
            "start_index": citation.start,
            "end_index": citation.end,
            "id": citation.id,
        }
        block = {key: value for key, value in block.items() if value is not None}
    return {**block, "extras": {OURS: ours}} if ours else block


class CallIds:
    """Ids by which the tool calls of one answer can be told apart: the wire's own, where it gives such."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def replacement(self, call_id: str | None) -> str | None:
        """An id to use instead of this one, if it is missing or not the first of its kind."""
        if call_id and call_id not in self._used:
            self._used.add(call_id)
            return None
        return f"call_{uuid4().hex}"


def to_blocks(message: Message, call_id: Callable[[int, str | None], str | None]) -> Iterator[Block]:
    """The message's parts as blocks. What it cites as a whole is shown with its last text.

    `call_id` is given a tool call's place and id, and says which id it is to have instead (None: its own).
    """
    last = max((n for n, part in enumerate(message.parts) if part.kind == "text"), default=None)
    for number, part in enumerate(message.parts):
        block = to_block(part, call_id=call_id(number, part.id) if isinstance(part, ToolCall) else None)
        if number == last and message.citations:
            block.setdefault("annotations", [])
            block["annotations"] += [to_annotation(citation, of_message=True) for citation in message.citations]
        yield block


# blocks -> parts


def from_block(block: Block) -> Part | None:
    """The part that a standard block stands for; None if it is none of LangChain's types."""
    read = _READERS.get(block.get("type", ""))
    return None if read is None else read(block, _extras(block).get(OURS) or {})


def _extras(block: Block) -> Block:
    extras = block.get("extras")
    return extras if isinstance(extras, dict) else {}


def said(block: Block, *names: str) -> Any:
    """What a block says under the first of these names, itself or in its extras."""
    extras = _extras(block)
    for name in names:
        value = block.get(name, extras.get(name))
        if value is not None:
            return value
    return None


def split_url(url: str) -> tuple[str | None, str | None, str | None]:
    """`(data, mime type, url)`: a ``data:`` URL taken apart, any other as it is."""
    found = _DATA_URL.fullmatch(url)
    return (found["data"], found["mime"] or None, None) if found else (None, None, url)


def arguments_text(args: Any, verbatim: Any = None) -> str:
    """Arguments as JSON text: as the model spelt them, if they still are what it said."""
    if isinstance(verbatim, str) and parse_arguments(verbatim)[0] == args:
        return verbatim
    return args if isinstance(args, str) else dumps({} if args is None else args)


def _text(block: Block, own: Block) -> Text:
    citations = [from_annotation(a) for a in block.get("annotations") or () if not of_message(a)]
    return Text(
        block.get("text") or "",
        citations=citations or None,
        logprobs=own.get("logprobs"),
        signature=said(block, "signature"),
        cache=said(block, "cache_control"),
        extra=own.get("extra"),
    )


def _reasoning(block: Block, own: Block) -> Reasoning:
    text = block.get("reasoning")
    if text is None:  # as the Responses API spells it, in messages of other packages
        text = "".join(piece.get("text") or "" for piece in block.get("summary") or ())
    return Reasoning(
        text,
        signature=said(block, "signature"),
        encrypted=own["encrypted"] if "encrypted" in own else said(block, "encrypted_content"),
        id=given_id(block),
        full=own.get("full"),
        extra=own.get("extra"),
    )


def given_id(block: Block) -> str | None:
    """The block's id, unless LangChain made it up."""
    known = block.get("id")
    return known if isinstance(known, str) and not known.startswith(_GENERATED_ID) else None


def _tool_call(block: Block, own: Block) -> ToolCall:
    return ToolCall(
        own["id"] if "id" in own else block.get("id"),
        block.get("name") or "",
        arguments_text(block.get("args"), own.get("arguments")),
        signature=said(block, "signature"),
        cache=said(block, "cache_control"),
        extra=own.get("extra"),
    )


def _server_tool_call(block: Block, own: Block) -> ServerToolCall:
    verbatim = own.get("arguments")
    args = block.get("args")
    untouched = args == {"text": verbatim} or ("arguments" in own and verbatim is None and not args)
    return ServerToolCall(
        own["id"] if "id" in own else block.get("id"),
        block.get("name") or "",
        verbatim if untouched else arguments_text(args, verbatim),
        signature=said(block, "signature"),
        cache=said(block, "cache_control"),
        extra=own.get("extra"),
    )


def _server_tool_result(block: Block, own: Block) -> ServerToolResult:
    failed = block.get("status") == "error"
    return ServerToolResult(
        own["call_id"] if "call_id" in own else block.get("tool_call_id"),
        own.get("name") or "",
        block.get("output"),
        is_error=True if failed else own.get("is_error"),
        signature=said(block, "signature"),
        cache=said(block, "cache_control"),
        extra=own.get("extra"),
    )


def _media(block: Block, own: Block) -> Media:
    data, mime, url = block.get("base64"), block.get("mime_type"), block.get("url")
    if data is None and isinstance(url, str):
        data, found, url = split_url(url)
        mime = found or mime
    plain = block["type"] == "text-plain"
    citations = said(block, "citations")
    # what may be cited is cited by its title
    named = ("filename", "title", "name") if citations is None else ("title", "filename", "name")
    return Media(
        "file" if plain else block["type"],
        data=data,
        url=url,
        file_id=block.get("file_id"),
        text=block.get("text") if plain else own.get("text"),
        mime_type=own["mime_type"] if "mime_type" in own else _MIME.get(mime, mime),
        filename=said(block, *named),
        detail=said(block, "detail"),
        citable=citations.get("enabled") if isinstance(citations, dict) else None,
        context=said(block, "context"),
        signature=said(block, "signature"),
        cache=said(block, "cache_control"),
        extra=own.get("extra"),
    )


def _non_standard(block: Block, own: Block) -> Part:
    value = block.get("value")
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(value, dict) and kind == "refusal" and isinstance(value.get("refusal"), str):
        return Refusal(value["refusal"], extra=own.get("extra"))
    if isinstance(value, dict) and kind == "redacted_thinking":  # so LangChain's own translators put it
        return Reasoning(encrypted=value.get("data"))
    if isinstance(value, dict) and own.get("bare"):  # the block's value has to be an object
        value = value.get("value")
    return Raw(value, own.get("extra"))


def from_annotation(annotation: Block) -> Citation | Raw:
    extra = (_extras(annotation).get(OURS) or {}).get("extra")
    if annotation.get("type") != "citation":
        return Raw(annotation.get("value", annotation), extra)
    return Citation(
        url=annotation.get("url"),
        title=annotation.get("title"),
        text=annotation.get("cited_text"),
        start=annotation.get("start_index"),
        end=annotation.get("end_index"),
        id=given_id(annotation),
        extra=extra,
    )


def of_message(annotation: Block) -> bool:
    """Whether the wire gave this citation for the message as a whole; it is shown on one of its texts."""
    return bool((_extras(annotation).get(OURS) or {}).get("of_message"))


def message_citations(blocks: Iterable[Any]) -> list[Citation | Raw] | None:
    """The citations that belong to the message, from all its blocks."""
    annotations = [a for b in blocks if isinstance(b, dict) for a in b.get("annotations") or ()]
    return [from_annotation(a) for a in annotations if isinstance(a, dict) and of_message(a)] or None


_READERS: dict[str, Callable[[Block, Block], Part]] = {
    "text": _text,
    "reasoning": _reasoning,
    "tool_call": _tool_call,
    "tool_call_chunk": _tool_call,  # a call whose arguments are no JSON keeps this type in a sum of chunks
    "invalid_tool_call": _tool_call,
    "server_tool_call": _server_tool_call,
    "server_tool_call_chunk": _server_tool_call,
    "server_tool_result": _server_tool_result,
    "image": _media,
    "audio": _media,
    "video": _media,
    "file": _media,
    "text-plain": _media,
    "non_standard": _non_standard,
}
