"""Our streaming events -> LangChain's chunks, whose sum is the message that the whole answer would have been.

Chunks are made to be added by LangChain's rules, and those decide what is sent when:

- Every block has our index, over all kinds of blocks, and a tool call's fragments have the same one.
- Text is sent as it comes. All else that a part says (signature, citations, complement ...) is sent once, with the last
  chunk, from the finished answer: of two values under one key LangChain makes a third, and only then is it final.
- So are usage and metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from langchain_core.messages import AIMessageChunk, ToolCallChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils.json import parse_partial_json

from ai_protocol_integrations._about import candidates_of
from ai_protocol_integrations._alike import alike
from ai_protocol_integrations._blocks import OURS, Block, CallIds, to_block, to_blocks
from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Message,
    PartEnded,
    PartialContentDelta,
    PartialToolCall,
    PartStarted,
    Raw,
    RawEvent,
    RefusalDelta,
    StreamEnd,
    StreamingEvent,
    ThinkingDelta,
    ToolCallStarted,
)

from ._outputs import generation_info, metadata, usage_metadata
from ._versions import V1, Version, as_text, said_in


class Pieces:
    """The blocks of a stream's answer, piece by piece: `feed` it every event, in order.

    A block's pieces have its type and index, and are what is new of it. Of several candidates only the first is told.
    """

    def __init__(self) -> None:
        self._unknown: list[Any] = []
        self._ids = CallIds()
        self._called: dict[int, tuple[str | None, str]] = {}  # id and name under which each call was announced
        self._shown: set[int] = set()

    def feed(self, event: StreamingEvent) -> Block | None:
        """The piece that this event is; None if it says nothing yet."""
        read = _READERS.get(type(event))
        if read is None or getattr(event, "candidate", None):
            return None
        return read(self, event)

    def _text(self, event: PartialContentDelta) -> Block:
        self._shown.add(event.index)
        return {"type": "text", "text": event.content, "index": event.index}

    def _thinking(self, event: ThinkingDelta) -> Block:
        self._shown.add(event.index)
        return {"type": "reasoning", "reasoning": event.thinking, "index": event.index}

    def _refusal(self, event: RefusalDelta) -> Block:
        self._shown.add(event.index)
        value = {"type": "refusal", "refusal": event.refusal}
        return {"type": "non_standard", "value": value, "index": event.index}

    def _call_started(self, event: ToolCallStarted) -> Block:
        self._shown.add(event.index)
        call_id = self._ids.replacement(event.id) or event.id
        self._called[event.index] = (call_id, event.name)
        return {"type": "tool_call_chunk", "id": call_id, "name": event.name, "args": "", "index": event.index}

    def _call_went_on(self, event: PartialToolCall) -> Block:
        return {"type": "tool_call_chunk", "id": None, "name": None, "args": event.arguments, "index": event.index}

    def _part_known(self, event: PartStarted | PartEnded) -> Block | None:
        """A part of which nothing is streamed is shown when it is complete; one that no shape knows may still change
        until the very end, so that only its place and type are shown."""
        unknown = isinstance(event.part, Raw)
        if event.index in self._shown or (isinstance(event, PartStarted) and not unknown):
            return None
        self._shown.add(event.index)
        block = to_block(event.part)
        block.pop("extras", None)
        block.pop("annotations", None)
        if unknown:
            value = block["value"]
            block["value"] = {"type": value["type"]} if "type" in value else {}
        return {**block, "index": event.index}

    def _not_known(self, event: RawEvent) -> None:
        self._unknown.append(event.value)

    def finished(self, message: Message) -> list[Block]:
        """The finished message's blocks, its calls under the ids that they were announced by."""
        return list(to_blocks(message, self.call_id))

    def completions(self, message: Message, finished: Iterable[Block]) -> tuple[list[Block], list[ToolCallChunk]]:
        """What the finished message's blocks say beyond the pieces, and what is to be added to its calls."""
        blocks: list[Block] = []
        calls: list[ToolCallChunk] = []
        for index, block in enumerate(finished):
            if index not in self._shown:
                blocks.append({**block, "index": index})
                continue
            rest = {key: block[key] for key in _ADDED if key in block}
            if block["type"] in ("tool_call", "invalid_tool_call"):
                late = None if self._called[index][1] else block["name"]
                rest |= {"type": "tool_call_chunk", "id": None, "name": late, "args": ""}
                ending = unreadable_ending(block["args"]) if "error" in block else ""
                if late or ending:
                    calls.append(tool_call_chunk(name=late, args=ending, id=None, index=index))
            elif block["type"] == "text":
                rest["text"] = ""
            elif isinstance(message.parts[index], Raw):  # a block with a value adds that and nothing else
                blocks.append({"type": block["type"], "value": block["value"], "index": index})
            if len(rest) > 1:
                blocks.append({**rest, "index": index})
        return blocks, calls

    def call_id(self, index: int, call_id: str | None) -> str | None:
        """The id under which a call was announced, where the wire has it otherwise."""
        announced = self._called.get(index, (call_id,))[0]
        return None if announced == call_id else announced

    def metadata(self, answer: Answer, candidate: Candidate, version: Version, **ours: Any) -> dict[str, Any]:
        """What is said besides the content, with the events that the wire format does not know, as they came."""
        about = metadata(answer, candidate, version, **ours)
        return about | {"raw_events": self._unknown} if self._unknown else about


_ADDED = ("type", "id", "annotations", "extras", "error")
"""Keys of a block that come with the last chunk; `id` may be said twice if it is the same."""

_READERS: dict[type[Any], Callable[[Pieces, Any], Block | None]] = {
    PartialContentDelta: Pieces._text,
    ThinkingDelta: Pieces._thinking,
    PartialToolCall: Pieces._call_went_on,
    RefusalDelta: Pieces._refusal,
    ToolCallStarted: Pieces._call_started,
    PartStarted: Pieces._part_known,
    PartEnded: Pieces._part_known,
    RawEvent: Pieces._not_known,
}


class Chunks:
    """The chunks of one stream: `feed` it every event, in order."""

    def __init__(self, version: Version) -> None:
        self._pieces = Pieces()
        self._version = version
        self._shown = in_block if version == "v1" else in_text

    def feed(self, event: StreamingEvent) -> ChatGenerationChunk | None:
        """The chunk that this event becomes; None if it says nothing yet."""
        if type(event) is StreamEnd:
            return self._last(event.answer)
        block = self._pieces.feed(event)
        message = None if block is None else self._shown(block)
        if block is None or message is None:
            return None
        return alike(_GENERATION, text=block["text"] if block["type"] == "text" else "", message=message)

    def _last(self, answer: Answer) -> ChatGenerationChunk:
        candidate = candidates_of(answer)[0]
        finished = self._pieces.finished(candidate.message)
        blocks, calls = self._pieces.completions(candidate.message, finished)
        content: Any = blocks
        more: dict[str, Any] = {}
        kept: dict[str, Any] = {}
        if self._version == "v0":
            content, more = said_in(blocks)
            _, whole, kept = as_text(finished)
            more |= {key: value for key, value in whole.items() if key == OURS}
        message = AIMessageChunk(
            content=content,
            additional_kwargs=more,
            tool_call_chunks=calls,
            response_metadata=self._pieces.metadata(answer, candidate, self._version, **kept),
            usage_metadata=usage_metadata(answer.usage),
            chunk_position="last",
        )
        return ChatGenerationChunk(message=message, generation_info=generation_info(candidate))


def in_block(block: Block) -> AIMessageChunk:
    """A piece as a chunk in v1."""
    if block["type"] == "tool_call_chunk":
        return _fragment(block, [block], V1)
    return _like(_PLAIN, content=[block], response_metadata={**V1})


def in_text(block: Block) -> AIMessageChunk | None:
    """A piece as a chunk in v0, which shows texts and calls; all else comes with the last chunk."""
    kind = block["type"]
    if kind == "text":
        return _like(_PLAIN, content=block["text"]) if block["text"] else None
    if kind == "tool_call_chunk":
        return _fragment(block, "", {})
    more = said_in([block])[1]
    return _like(_PLAIN, content="", additional_kwargs=more) if more else None


def _fragment(block: Block, content: str | list[Any], about: dict[str, Any]) -> AIMessageChunk:
    """A piece of a tool call.

    LangChain's validator runs a parser of broken JSON over every fragment, for ten times the cost of all the rest. Only
    one that begins like an object can come out of it as a call; what the others come out as is put there directly.
    """
    args, name, call_id = block["args"], block["name"], block["id"]
    call = tool_call_chunk(name=name, args=args, id=call_id, index=block["index"])
    if not args or args.lstrip().startswith("{"):
        said: dict[str, Any] = {"content": content, "response_metadata": about, "additional_kwargs": {}}
        return AIMessageChunk(**said, tool_call_chunks=[call])
    broken = invalid_tool_call(name=name, args=args, id=call_id, error=None)
    said = {"tool_call_chunks": [call], "invalid_tool_calls": [broken]}
    return _like(_FRAGMENT, content=content, response_metadata={**about}, **said)


def _like(prototype: AIMessageChunk, **said: Any) -> AIMessageChunk:
    made = prototype.model_copy()
    made.__dict__.update(
        {
            "additional_kwargs": {},
            "response_metadata": {},
            "tool_calls": [],
            "tool_call_chunks": [],
            "invalid_tool_calls": [],
            **said,
        }
    )
    return made


_PLAIN = AIMessageChunk(content="", additional_kwargs={}, response_metadata={})
_FRAGMENT = AIMessageChunk(
    content="",
    additional_kwargs={},
    response_metadata={},
    tool_call_chunks=[tool_call_chunk(name=None, args="x", id=None, index=0)],
)
_GENERATION = ChatGenerationChunk(message=_PLAIN)


def unreadable_ending(arguments: str) -> str:
    """What has to follow arguments that are no JSON object so that LangChain takes them for none either.

    A sum of chunks repairs its arguments: of a call that was cut off at ``{"path": "/home`` it would make one that can
    be run. Only a closing bracket in the wrong place cannot be repaired, so such a call ends in one; the block in the
    content has the arguments as they were.
    """
    for ending in ("", "}", "]", '"}', '"]', '""}', '""]'):
        try:
            if not isinstance(parse_partial_json(arguments + ending), dict):
                return ending
        except (ValueError, RecursionError):
            return ending
    raise AssertionError(arguments)  # one of a string's end and a bracket's is always the wrong one
