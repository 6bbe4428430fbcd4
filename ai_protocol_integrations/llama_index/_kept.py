"""What LlamaIndex's blocks have no place for, and how it finds its way back to them.

An answer's message keeps, in ``additional_kwargs["ai_protocol"]``, every part of it as a standard block, without what
its own blocks say already: of a text there are length and checksum. When the message comes back as history, each part
is the one that the wire gave; a block that was edited, or is new, is read as anybody's, and one that is gone is gone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import CitationBlock, TextBlock, ThinkingBlock, ToolCallBlock

from ai_protocol_integrations._blocks import Block, from_block
from ai_protocol_runtime.types import Part

from ._read import read_blocks

_CALLS = ("tool_call", "invalid_tool_call")
_MEDIA = {"image": "image", "audio": "audio", "video": "video", "file": "data"}
"""Where a block of LlamaIndex has the bytes."""


class Notes(dict[str, Any]):
    """What only this package reads of a message. LlamaIndex prints all that stands beside a message's content into some
    of its prompts: of this it prints no more than that it is there."""

    def __repr__(self) -> str:
        return "{...}"


def kept(blocks: Sequence[Block]) -> list[Block]:
    """The standard blocks of a message, without what its own show."""
    return [_condensed(block) for block in blocks]


def _condensed(block: Block) -> Block:
    kind = block["type"]
    if kind in _CALLS:
        return {key: value for key, value in block.items() if key not in ("name", "args", "error")}
    if kind == "reasoning" or (kind == "text" and block["text"]):
        made = {**block, kind: _mark(block[kind])}
        if kind == "reasoning" and "extras" in block:  # they stand in the block, for all to see
            made["extras"] = {key: value for key, value in block["extras"].items() if key != "signature"}
        return made
    if kind in _MEDIA and "base64" in block:
        return {**block, "base64": _mark(block["base64"])}
    if refused := _refusal(block):
        return {**block, "value": {"type": "refusal", "refusal": _mark(refused)}}
    return block


def _refusal(block: Block) -> Any:
    value = block.get("value")
    refused = isinstance(value, dict) and block["type"] == "non_standard" and value.get("type") == "refusal"
    return value["refusal"] if refused and isinstance(value, dict) else None


def _mark(text: str) -> list[int]:
    return [len(text), zlib.crc32(text.encode(errors="surrogatepass"))]


def restored(blocks: Sequence[Any], notes: Any) -> list[Part]:
    """The parts of a message that this package made, as far as its blocks are still the same."""
    if not isinstance(notes, list) or not all(isinstance(note, dict) and "type" in note for note in notes):
        return read_blocks(blocks)
    reading = _Reading(blocks)
    for note in notes:
        reading.take(note)
    return reading.end()


class _Reading:
    """The way along a message's blocks: `at` is the next block, `within` how much of its text has been read."""

    def __init__(self, blocks: Sequence[Any]) -> None:
        self.blocks = blocks
        self.at = self.within = 0
        self.parts: list[Part] = []

    def take(self, note: Block) -> None:
        """The part of a note, if the blocks have it; what stands before it is new."""
        if not _is_shown(note):
            if not _says(note):
                self._add(note)
            return
        for number in range(self.at, len(self.blocks)):
            within = self.within if number == self.at else 0
            said = _said(self.blocks[number], note, within)
            if said is None:
                continue
            if number > self.at:
                self._anew(number)
            self._add({**note, **said})
            self._on(note)
            return

    def end(self) -> list[Part]:
        self._anew(len(self.blocks))
        return self.parts

    def _add(self, block: Block) -> None:
        part = from_block(block)
        if part is not None:
            self.parts.append(part)

    def _on(self, note: Block) -> None:
        block = self.blocks[self.at]
        if isinstance(block, TextBlock):
            self.within += _length(note)
            if self.within < len(block.text):
                return
        self.at, self.within = self.at + 1, 0
        while self.at < len(self.blocks) and isinstance(self.blocks[self.at], CitationBlock):
            self.at += 1  # the note of its text has it

    def _anew(self, number: int) -> None:
        """Read what stands before the block of that number as anybody's."""
        blocks = list(self.blocks[self.at : number])
        if blocks and self.within:
            blocks[0] = TextBlock(text=blocks[0].text[self.within :])
        self.parts += read_blocks(blocks)
        self.at, self.within = number, 0


def _is_shown(note: Block) -> bool:
    kind = note["type"]
    if kind == "text" or _refusal(note) is not None:
        return _length(note) > 0
    return kind in (*_CALLS, "reasoning") or (kind in _MEDIA and ("base64" in note or "url" in note))


def _says(note: Block) -> bool:
    """Whether a note holds the text itself: those that are written here hold a mark of it."""
    return bool(note.get("text") if note["type"] == "text" else _refusal(note))


def _length(note: Block) -> int:
    mark = note.get("text") if note["type"] == "text" else _refusal(note)
    return mark[0] if isinstance(mark, list) else 0


def _said(block: Any, note: Block, within: int) -> Block | None:
    """What the block says of the part that is noted; None if it says another."""
    kind = note["type"]
    refused = _refusal(note)
    if kind in _CALLS:
        if not isinstance(block, ToolCallBlock) or block.tool_call_id != note.get("id"):
            return None
        return {"name": block.tool_name, "args": block.tool_kwargs}
    if kind == "text" or refused is not None:
        if not isinstance(block, TextBlock):
            return None
        text = block.text[within : within + _length(note)]
        if _mark(text) != (note["text"] if refused is None else refused):
            return None
        return {"text": text} if refused is None else {"value": {"type": "refusal", "refusal": text}}
    if kind == "reasoning":
        if not isinstance(block, ThinkingBlock) or _mark(block.content or "") != note["reasoning"]:
            return None
        extras = note.get("extras") or {}
        signature = block.additional_information.get("signature")
        extras = {**extras, "signature": signature} if signature is not None else extras
        return {"reasoning": block.content or "", "extras": extras}
    data = getattr(block, _MEDIA[kind], None)
    if isinstance(data, bytes) and _mark(data.decode("ascii", "replace")) == note.get("base64"):
        return {"base64": data.decode("ascii")}
    same = getattr(block, "url", None) is not None and str(block.url) == note.get("url")
    return {} if same else None
