"""Streams of partial answers: every chunk has the shape of an answer, with pieces of it (`stream: {manner: pieces}`).

A piece continues the last block of its home table if it is of the same kind, so that what is one key in a whole
answer is one block here. A tool call's piece belongs to the call of its `slot`, of its id, or else to the last one;
with a name and no id of an earlier call it begins another. A signed piece stands alone, as it must go back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_protocol_runtime.types import Answer, Candidate, StreamingEvent, ToolCall

from .assembly import Block, Lane, joined, merged
from .decoder import Decoder
from .operators import FAIL
from .shapes import content_of

if TYPE_CHECKING:
    from .format import WireFormat

_RUNNING_ON = ("text", "reasoning", "refusal")


class PieceDecoder(Decoder):
    """Chunks in, events out."""

    def __init__(self, fmt: WireFormat, generated: bool = True) -> None:
        super().__init__(fmt)
        self._fast = fmt.generated_piece if generated else None
        self._passing = fmt.passing_keys
        self.envelope: Any = None  # of the chunk before, without what differs in every chunk

    def feed(self, data: Any, name: str | None = None) -> list[StreamingEvent]:
        """`name` is the event's name in its framing; a chunk needs none."""
        out: list[StreamingEvent] = []
        if self._fast is not None and self._fast(self, data, out):
            return out
        self._read(data, out)
        return out

    def done(self) -> list[StreamingEvent]:
        """The sentinel that ends a stream without being JSON."""
        self.terminal = True
        return []

    def _read(self, data: Any, out: list[StreamingEvent]) -> None:
        data = self.trimmed(data)
        piece = self.format.pieces.read_one(data, {}) if self.format.pieces is not None else FAIL
        if piece is FAIL:
            self.unknown(data, out)
            return
        self._head(piece)
        if piece.candidates or self.assembly.head.id:  # some send a chunk about the prompt first, which names nothing
            self.assembly.start(out)
        for candidate in piece.candidates:
            self._candidate(candidate, out)
        self.assembly.usage(piece.usage, self.format.read_usage, out)
        if piece.blocked is not None:
            self.terminal = True
        if piece.error is not None:
            self.fail(piece.error, out)
        self.envelope = {k: v for k, v in data.items() if k not in self._passing}

    def _head(self, piece: Answer) -> None:
        head = self.assembly.head
        for name in ("id", "model", "created", "service_tier", "fingerprint", "blocked"):
            if not getattr(head, name):
                setattr(head, name, getattr(piece, name))
        self._keep(head, piece)

    def _keep(self, whole: Any, piece: Any) -> None:
        """The complement of a piece, added to that of the whole."""
        left = content_of(piece.extra.get("rest")) if piece.extra else None
        if left:
            whole.extra = whole.extra or {"wire": self.format.id}
            whole.extra["rest"] = merged(whole.extra["rest"], left) if "rest" in whole.extra else left
        elif whole.extra is None:
            whole.extra = {"wire": self.format.id}

    def _candidate(self, piece: Candidate, out: list[StreamingEvent]) -> None:
        lane = self.assembly.lane(piece.index or 0)
        candidate, message = lane.candidate, lane.candidate.message
        self._keep(candidate, piece)
        if candidate.extra is not None and piece.extra and "alt" in piece.extra:
            candidate.extra["alt"] = piece.extra["alt"]  # a whole one is said in the same words, if it has the table
        if piece.finish_word:
            candidate.finish_word = piece.finish_word
            self.terminal = True
        candidate.finish_detail = piece.finish_detail or candidate.finish_detail
        candidate.stop_sequence = piece.stop_sequence or candidate.stop_sequence
        if piece.logprobs is not None:
            candidate.logprobs = merged(candidate.logprobs, piece.logprobs)
        message.role = message.role or piece.message.role
        message.name = message.name or piece.message.name
        if cited := [*(piece.message.citations or ()), *(piece.citations or ())]:
            message.citations = joined(message.citations or [], cited)
        self._keep(message, piece.message)
        for part in piece.message.parts:
            self._part(lane, part, out)

    def _part(self, lane: Lane, part: Any, out: list[StreamingEvent]) -> None:
        if isinstance(part, ToolCall):
            self._call(lane, part, out)
            return
        signed = bool(getattr(part, "signature", None))
        if part.kind in _RUNNING_ON and not signed:
            last = lane.last.get(part.extra["alt"][0])
            if last is not None and last.part.kind == part.kind and last.open:
                self.assembly.append(last, part.text, out)
                self._rest(last, part)
                return
        block = self.assembly.begin(lane, part, None, out)
        if part.extra and "rest" in part.extra:
            part.extra["rest"] = content_of(part.extra["rest"]) or {}
        if part.kind not in _RUNNING_ON or signed:
            self.assembly.settle(block, out)

    def _rest(self, block: Block, part: Any) -> None:
        left = content_of(part.extra.get("rest"))
        if left:
            extra = block.part.extra
            extra["rest"] = merged(extra["rest"], left) if "rest" in extra else left

    def _call(self, lane: Lane, part: ToolCall, out: list[StreamingEvent]) -> None:
        slot, part.slot = part.slot, None
        block = self._find(lane, slot, part)
        if block is None:
            arguments, part.arguments = part.arguments, ""
            if part.extra and "rest" in part.extra:
                part.extra["rest"] = content_of(part.extra["rest"]) or {}
            block = self.assembly.begin(lane, part, None, out)
            lane.by_key[("slot", slot)] = block
            if part.id:
                lane.by_key[("id", part.id)] = block
            if arguments:
                self.assembly.append(block, arguments, out)
            return
        block.part.id = block.part.id or part.id
        block.part.name = block.part.name or part.name
        if part.arguments:
            self.assembly.append(block, part.arguments, out)
        self._rest(block, part)

    def _find(self, lane: Lane, slot: int | None, part: ToolCall) -> Block | None:
        """The call that this piece goes on with, None if it begins one."""
        if slot is not None:
            block = lane.by_key.get(("slot", slot))
            other = block is not None and part.id and block.part.id and part.id != block.part.id and part.name
            return None if other else block
        if part.id:
            return lane.by_key.get(("id", part.id))
        return None if part.name else lane.by_key.get(("slot", None))
