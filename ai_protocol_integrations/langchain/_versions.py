"""The two forms that LangChain's messages have: v1, whose content is standard blocks, and v0, whose content is text.

Every answer is made as v1 blocks. In v0 the text is in ``content``, calls are in ``tool_calls``, reasoning and a
refusal in ``additional_kwargs``. Where that is not all, the blocks are kept under ``ai_protocol``, without what is said
already: of a text they have the length, of a call the id. They stand in ``additional_kwargs`` if they say something
that a program may want to know, else, being complements only, in ``response_metadata``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeVar

from langchain_core.messages import AIMessage, AIMessageChunk, ToolCallChunk

from ai_protocol_integrations._blocks import OURS, Block, parse_arguments

Version = Literal["v0", "v1"]
Text = TypeVar("Text", str, int)

V0 = {"output_version": "v0"}
"""In a whole message, and in the last chunk of a stream: it is of this package, and its content is text."""
V1 = {"output_version": "v1"}
"""In every message and every chunk: the content is standard blocks, not to be converted again."""

_KEYS = {"reasoning": "reasoning_content", "refusal": "refusal"}
"""Texts that stand in ``additional_kwargs``, and where."""

_TEXTS = ("text", *_KEYS)
_BLOCKS = "blocks"
_CALLS = ("tool_call", "invalid_tool_call")


# blocks -> text


def as_text(blocks: Sequence[Block]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The content and the ``additional_kwargs`` of a message whose tool calls are those of the blocks, and what its
    ``response_metadata`` has of them under ``ai_protocol``."""
    content, more = said_in(blocks)
    plain = _plain(content, more, [block for block in blocks if block["type"] == "tool_call"])
    if blocks == plain:
        return content, more, {}
    kept = {_BLOCKS: [_condensed(block) for block in blocks]}
    if [_shown(block) for block in blocks] == plain:
        return content, more, kept
    return content, {**more, OURS: kept}, {}


def said_in(blocks: Iterable[Block]) -> tuple[str, dict[str, Any]]:
    """All the text in blocks, or pieces of blocks: the content, and by their keys those of ``additional_kwargs``."""
    texts = dict.fromkeys(_TEXTS, "")
    for block in blocks:
        if (found := _spoken(block, str)) is not None:
            texts[found[0]] += found[1]
    content = texts.pop("text")
    return content, {_KEYS[kind]: text for kind, text in texts.items() if text}


def _spoken(block: Block, said: type[Text]) -> tuple[str, Text] | None:
    """What kind of text a block is and the text, or where that is an `int` its length; None if it is none."""
    kind, inner = block["type"], block
    value = block.get("value") if kind == "non_standard" else None
    if isinstance(value, dict) and value.keys() == {"type", "refusal"} and value["type"] == "refusal":
        kind, inner = "refusal", value
    text = inner.get(kind, said()) if kind in _TEXTS else None
    return (kind, text) if isinstance(text, said) else None


def _saying(block: Block, kind: str, text: str | int) -> Block:
    return {**block, "value": {"type": kind, kind: text}} if kind == "refusal" else {**block, kind: text}


def _plain(content: str, more: dict[str, Any], calls: Iterable[Any]) -> list[Block]:
    """The blocks of a message that says nothing beside its texts and calls."""
    blocks: list[Block] = []
    if thought := more.get(_KEYS["reasoning"]):
        blocks.append({"type": "reasoning", "reasoning": thought})
    if content:
        blocks.append({"type": "text", "text": content})
    blocks += ({key: call[key] for key in ("type", "id", "name", "args")} for call in calls)
    if refused := more.get(_KEYS["refusal"]):
        blocks.append({"type": "non_standard", "value": {"type": "refusal", "refusal": refused}})
    return blocks


def _shown(block: Block) -> Block:
    """The block without what only this package reads."""
    extras = {key: value for key, value in block.get("extras", {}).items() if key != OURS}
    shown = {key: value for key, value in block.items() if key != "extras"}
    return {**shown, "extras": extras} if extras else shown


def _condensed(block: Block) -> Block:
    """The block without what the message says elsewhere."""
    kind = block["type"]
    if kind in _CALLS:
        kept = {key: value for key, value in block.items() if key not in ("name", "args", "error")}
        return kept if kind == "tool_call" else {**kept, "args": len(block["args"])}
    found = _spoken(block, str)
    return block if found is None else _saying(block, found[0], len(found[1]))


# text -> blocks


def blocks_of(message: AIMessage) -> list[Block] | None:
    """The blocks of a message that this package made in v0; None for any other.

    An edited text stands where its kind of text stood first, without what was said of the former; a call that is not
    in `tool_calls` any more is gone, and a new one comes last.
    """
    kept = _kept(message)
    content, more = message.content, message.additional_kwargs
    calls: list[Any] = [*message.tool_calls, *message.invalid_tool_calls]
    if kept is None:
        ours = isinstance(content, str) and message.response_metadata.get("output_version") == "v0"
        return _plain(str(content), more, calls) if ours else None
    texts: dict[str, Any] = {"text": content, **{kind: more.get(key) or "" for kind, key in _KEYS.items()}}
    lengths = _lengths(kept)
    edited = {kind: _anew(kind, text) for kind, text in texts.items() if not _fits(text, lengths[kind])}
    blocks: list[Block] = []
    at = dict.fromkeys(texts, 0)
    for block in kept:
        found = _spoken(block, int)
        if block["type"] in _CALLS:
            call = next((call for call in calls if call.get("id") == block.get("id")), None)
            if call is not None:
                calls.remove(call)
                blocks.append(_whole(block, call))
        elif found is None:
            blocks.append(block)
        elif (kind := found[0]) in edited:
            blocks += edited[kind]
            edited[kind] = []
        else:
            start, at[kind] = at[kind], at[kind] + found[1]
            blocks.append(_saying(block, kind, texts[kind][start : at[kind]]))
    first = next((number for number, block in enumerate(blocks) if block["type"] in _CALLS), len(blocks))
    blocks[first:first] = edited.get("text", [])
    return [*edited.get("reasoning", []), *blocks, *_plain("", {}, calls), *edited.get("refusal", [])]


def pieces_of(chunk: AIMessageChunk) -> list[Block] | None:
    """The same of a chunk. The last one of a stream has only what was left to say, and so have its blocks."""
    kept = _kept(chunk)
    told = chunk.content or any(call["id"] for call in chunk.tool_call_chunks)
    if kept is None or told or any(chunk.additional_kwargs.get(key) for key in _KEYS.values()):
        return blocks_of(chunk)
    late = {call["index"]: call for call in chunk.tool_call_chunks}
    return [{**_piece(block, late.get(index)), "index": index} for index, block in enumerate(kept)]


def _kept(message: AIMessage) -> list[Block] | None:
    """The condensed blocks, if they have a form that can be read: they may have been anywhere."""
    places = (message.additional_kwargs.get(OURS), message.response_metadata.get(OURS))
    kept = next((place[_BLOCKS] for place in places if isinstance(place, dict) and _BLOCKS in place), None)
    if not isinstance(kept, list) or message.response_metadata.get("output_version") == "v1":
        return None
    if not isinstance(message.content, str) and any(
        isinstance(block, dict) and block.get("type") != "text" for block in message.content
    ):
        return None
    return kept if all(map(_readable, kept)) else None


def _readable(block: Any) -> bool:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        return False
    return block["type"] not in _TEXTS or _spoken(block, int) is not None


def _lengths(kept: Iterable[Block]) -> Counter[str]:
    lengths: Counter[str] = Counter()
    for block in kept:
        if (found := _spoken(block, int)) is not None:
            lengths[found[0]] += found[1]
    return lengths


def _fits(text: Any, length: int) -> bool:
    return isinstance(text, str) and len(text) == length


def _anew(kind: str, said: Any) -> list[Block]:
    """The blocks of an edited text. Content may have become a list, too."""
    texts = said if isinstance(said, list) else [said] if said else []
    plain: Block = {"type": "non_standard"} if kind == "refusal" else {"type": kind}
    return [_saying(plain, kind, text) if isinstance(text, str) else text for text in texts]


def _whole(block: Block, call: Any) -> Block:
    """The block of a call, with what the message says of it."""
    made = {**block, **{key: call[key] for key in ("name", "args")}, "type": "tool_call"}
    if isinstance(call["args"], dict):
        return made
    # LangChain's sum of chunks makes the arguments longer, so that nobody repairs them
    args = (call["args"] or "")[: block.get("args")]
    return {**made, "type": "invalid_tool_call", "args": args, "error": parse_arguments(args)[1]}


def _piece(block: Block, late: ToolCallChunk | None) -> Block:
    if block["type"] in _CALLS:
        said = {"name": late and late["name"], "args": (late and late["args"]) or ""}
        return {**block, **said, "type": "tool_call_chunk"}
    found = _spoken(block, int)
    return block if found is None else _saying(block, found[0], "")
