"""An answer under construction: the blocks of a stream, put together and told as events.

Both manners of streaming end here, and so does everything they have in common: our block indices, text collected in
lists and joined once, calls that are calls only when they are complete, usage that a later null does not erase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Citation,
    CitationDelta,
    FinalCandidate,
    LogprobsDelta,
    Metadata,
    Part,
    PartEnded,
    PartialContentDelta,
    PartialToolCall,
    PartStarted,
    Raw,
    Reasoning,
    Refusal,
    RefusalDelta,
    ResponseStarted,
    SignatureDelta,
    StreamEnd,
    StreamingEvent,
    Text,
    ThinkingDelta,
    ToolCall,
    ToolCallEnded,
    ToolCallStarted,
    Usage,
)

# the field that a kind's deltas fill, and the event that tells of one
STREAMED: dict[str, tuple[str, Any]] = {
    "text": ("text", PartialContentDelta),
    "reasoning": ("text", ThinkingDelta),
    "refusal": ("text", RefusalDelta),
    "tool_call": ("arguments", PartialToolCall),
    "server_tool_call": ("arguments", None),
}


class Block:
    """One part while it grows. `pieces` are its deltas, joined when the block is settled."""

    __slots__ = ("candidate", "event", "field", "index", "open", "part", "pieces", "table")

    def __init__(self, index: int, candidate: int, part: Any) -> None:
        self.index, self.candidate, self.part = index, candidate, part
        self.field, self.event = STREAMED.get(part.kind, ("", None))
        self.table = part.extra["alt"][0] if part.extra and "alt" in part.extra else ""
        self.pieces: list[str] = []
        self.open = True

    def current(self) -> Any:
        """The part as far as it has come."""
        if self.pieces:
            return replace(self.part, **{self.field: "".join(self.pieces)})
        return self.part


class Lane:
    """The blocks of one candidate."""

    __slots__ = ("blocks", "by_key", "candidate", "last", "number")

    def __init__(self, number: int, candidate: Candidate) -> None:
        self.number, self.candidate = number, candidate
        self.blocks: list[Block] = []
        self.by_key: dict[Any, Block] = {}
        self.last: dict[str, Block] = {}  # the last block of each home table


class Assembly:
    """Collects what a decoder reads. Every method appends the events it causes to `out`."""

    def __init__(self) -> None:
        self.head = Answer()
        self.lanes: dict[int, Lane] = {}
        self.started = False

    def lane(self, number: int) -> Lane:
        found = self.lanes.get(number)
        if found is None:
            candidate = Candidate(index=number if number else None)
            found = self.lanes[number] = Lane(number, candidate)
        return found

    def start(self, out: list[StreamingEvent]) -> None:
        if not self.started:
            self.started = True
            out.append(ResponseStarted(self.head.id or None, self.head.model or None, self.head.created or None))

    # blocks

    def begin(self, lane: Lane, part: Any, key: Any, out: list[StreamingEvent]) -> Block:
        last = lane.blocks[-1] if lane.blocks else None
        if (
            last is not None
            and last.open
            and last.event is not None
            and not last.pieces
            and last.part.kind != "tool_call"
        ):
            self.append(last, "", out)
            out.append(last.event(last.index, "", last.candidate))  # so that blocks are told of in their order
        block = Block(len(lane.blocks), lane.number, part)
        lane.blocks.append(block)
        lane.last[block.table] = block
        if key is not None:
            lane.by_key[key] = block
        if isinstance(part, ToolCall):
            out.append(ToolCallStarted(block.index, part.id, part.name, lane.number, part.extra))
        elif block.event is None:
            out.append(PartStarted(block.index, part, lane.number))
        else:
            if (announced := announcement(part)) is not None:
                out.append(PartStarted(block.index, announced, lane.number))
            if getattr(part, block.field):
                self.append(block, getattr(part, block.field), out)
        return block

    def append(self, block: Block, text: str, out: list[StreamingEvent]) -> None:
        """The next piece of a block's streamed field."""
        block.pieces.append(text)
        if text and block.event is not None:
            out.append(block.event(block.index, text, block.candidate))

    def put(self, block: Block, name: str, value: Any, out: list[StreamingEvent]) -> None:
        """A delta of any other field."""
        part = block.part
        before = getattr(part, name)
        if isinstance(value, list):
            if not value:
                return
            setattr(part, name, [*(before or []), *value])
        elif isinstance(value, str) and isinstance(before, str):
            setattr(part, name, before + value)
        elif isinstance(value, dict) and isinstance(before, dict):
            setattr(part, name, merged(before, value))
        else:
            setattr(part, name, value)
        if name == "signature" and value:
            out.append(SignatureDelta(block.index, value, block.candidate))
        elif name == "citations":
            out += [CitationDelta(block.index, citation, block.candidate) for citation in value]
        elif name == "logprobs":
            out.append(LogprobsDelta(block.index, value, block.candidate))

    def settle(self, block: Block, out: list[StreamingEvent], final: Any = None) -> None:
        """The block is complete, `final` its part where the wire says it again in full."""
        if not block.open:
            if final is not None:
                block.part = final
                block.pieces = []
            return
        block.open = False
        said = "".join(block.pieces)
        if final is not None:
            whole = getattr(final, block.field, None) if block.field and final.kind == block.part.kind else None
            block.part = final
            if isinstance(whole, str) and whole != said and whole.startswith(said):
                self.append(block, whole[len(said) :], out)
        elif said:
            setattr(block.part, block.field, said)
        elif block.part.kind == "tool_call" and block.part.arguments:
            self.append(block, block.part.arguments, out)
        block.pieces = []
        ended = ToolCallEnded if isinstance(block.part, ToolCall) else PartEnded
        out.append(ended(block.index, block.part, block.candidate))

    def usage(self, usage: Usage | None, decode: Any, out: list[StreamingEvent]) -> None:
        """The latest counts hold, but a null says nothing."""
        if usage is None:
            return
        before = self.head.usage
        if before is not None and before.raw is not None and usage.raw is not None:
            usage = decode({**before.raw, **{k: v for k, v in usage.raw.items() if v is not None}})
        if usage != before:
            self.head.usage = usage
            out.append(Metadata(usage))

    # the whole

    def answer(self) -> Answer:
        """What has arrived; a call that is not complete is not in it."""
        candidates = []
        for number in sorted(self.lanes):
            lane = self.lanes[number]
            parts = [b.current() for b in lane.blocks if not (b.open and b.part.kind == "tool_call")]
            message = replace(lane.candidate.message, role=lane.candidate.message.role or "assistant", parts=parts)
            candidates.append(replace(lane.candidate, message=message))
        return replace(self.head, candidates=candidates)

    def finish(self, settle: Any, out: list[StreamingEvent]) -> Answer:
        """Everything has been said. `settle` infers what a wire leaves out (as for a whole answer)."""
        self.start(out)
        for lane in self.lanes.values():
            message = lane.candidate.message
            texts = [b for b in lane.blocks if b.part.kind == "text" and b.open]
            if message.citations and texts:  # given for the message as a whole
                for number, cited in placed(message.citations, [b.current().text for b in texts]).items():
                    self.put(texts[number], "citations", cited, out)
                message.citations = None
            for block in lane.blocks:
                if block.open:
                    self.settle(block, out)
        answer: Answer = settle(self.answer())
        out += [FinalCandidate(c.index or 0, c.finish_reason) for c in answer.candidates]
        out.append(StreamEnd(answer))
        return answer


def announcement(part: Text | Reasoning | Refusal) -> Part | None:
    """What the beginning of a part says that no delta of it will: an id, and what no field has a place for."""
    if isinstance(part, Reasoning) and part.id:
        return Reasoning(id=part.id, extra=part.extra)
    return type(part)(extra=part.extra) if part.extra and not {"rest", "group"}.isdisjoint(part.extra) else None


def placed(citations: Sequence[Citation | Raw], texts: list[str]) -> dict[int, list[Citation | Raw]]:
    """Which of the texts a message's citations belong to: the one that says what is cited, else the last.

    Some wires count bytes; where that is told by what is cited, characters are counted instead.
    """
    found: dict[int, list[Citation | Raw]] = {}
    for citation in citations:
        number = len(texts) - 1
        if isinstance(citation, Citation) and citation.text and citation.end is not None:
            start, end = citation.start or 0, citation.end
            for at, text in enumerate(texts):
                in_bytes = text.encode("utf-8", "surrogatepass")
                if text[start:end] == citation.text:
                    number = at
                    break
                if in_bytes[start:end].decode("utf-8", "replace") == citation.text:
                    before = len(in_bytes[:start].decode("utf-8", "replace"))
                    citation, number = replace(citation, start=before, end=before + len(citation.text)), at
                    break
        found.setdefault(number, []).append(citation)
    return found


def merged(before: Any, now: Any) -> Any:
    """Complements of two pieces of one thing: objects merged, lists joined, a null says nothing, else the later
    holds."""
    if now is None or before == now:
        return before
    if isinstance(before, dict) and isinstance(now, dict):
        out = dict(before)
        for key, value in now.items():
            out[key] = merged(before[key], value) if key in before else value
        return out
    if isinstance(before, list) and isinstance(now, list):
        return before if now[: len(before)] == before and len(now) == len(before) else joined(before, now)
    return now


def joined(before: list[Any], now: list[Any]) -> list[Any]:
    """A list said again in full (running totals) replaces what it repeats; new elements are added."""
    return now if now[: len(before)] == before else before + now
