"""Our streaming events -> the events of LangChain's own protocol, which `stream_events(version="v3")` and graphs read.

A block begins with its first event and ends when nothing can be added to it: of most parts that is when they end, of
some only the end of the stream has the last word. LangChain puts the ends together to the message that `invoke` gives
in v1, so whatever else a part says is in its end.
"""

from __future__ import annotations

from typing import Any

from ai_protocol_integrations._about import candidates_of
from ai_protocol_integrations._blocks import Block, to_annotation, to_block
from ai_protocol_runtime.types import (
    Answer,
    Message,
    Part,
    PartEnded,
    PartStarted,
    Raw,
    Reasoning,
    ResponseStarted,
    StreamEnd,
    StreamingEvent,
    ToolCall,
    ToolCallEnded,
)

from ._chunks import Pieces
from ._outputs import usage_metadata

Event = dict[str, Any]


class Events:
    """LangChain's events of one stream: `feed` it every event of ours, in order.

    `message_id` is the one that LangChain has for the run; `provider` and `model` are those that are asked.
    """

    def __init__(self, message_id: str, provider: str, model: str) -> None:
        self._id, self._asked = message_id, {"provider": provider, "model": model}
        self._pieces = Pieces()
        self._started = False
        self._open: dict[int, bool] = {}  # the blocks that have begun, and whether they may still grow

    def feed(self, event: StreamingEvent) -> list[Event]:
        out: list[Event] = []
        if not self._started:
            self._start(event, out)
        if isinstance(event, StreamEnd):
            self._finish(event.answer, out)
        elif not getattr(event, "candidate", 0):
            if (piece := self._pieces.feed(event)) is not None:
                self._go_on(piece, out)
            if isinstance(event, PartStarted):
                self._begin(event.index, to_block(event.part), out)
            elif isinstance(event, PartEnded | ToolCallEnded) and not _may_change(event.part):
                self._end(event.index, self._block(event.index, event.part), out)
        return out

    def _start(self, event: StreamingEvent, out: list[Event]) -> None:
        self._started = True
        about = self._asked
        if isinstance(event, ResponseStarted) and event.model:
            about = {**about, "model": event.model}
        out.append({"event": "message-start", "role": "ai", "id": self._id, "metadata": about})

    def _go_on(self, piece: Block, out: list[Event]) -> None:
        index = piece["index"]
        if index not in self._open:
            self._begin(index, piece, out)
        kind, field = _DELTAS.get(piece["type"], ("", ""))
        if field and piece[field]:
            delta = {"type": kind, field: piece[field]}
            out.append({"event": "content-block-delta", "index": index, "delta": delta})

    def _begin(self, index: int, block: Block, out: list[Event]) -> None:
        if index not in self._open:
            self._open[index] = True
            shown = {key: type(value)() if key in _GROWING else value for key, value in block.items()}
            for key in _LATER:
                shown.pop(key, None)
            shown["index"] = index
            out.append({"event": "content-block-start", "index": index, "content": shown})

    def _end(self, index: int, block: Block, out: list[Event]) -> None:
        self._begin(index, block, out)
        if self._open[index]:
            self._open[index] = False
            out.append({"event": "content-block-finish", "index": index, "content": block})

    def _block(self, index: int, part: Part) -> Block:
        call_id = self._pieces.call_id(index, part.id) if isinstance(part, ToolCall) else None
        return to_block(part, call_id=call_id)

    def _finish(self, answer: Answer, out: list[Event]) -> None:
        candidate = candidates_of(answer)[0]
        late = self._late(candidate.message)
        for index, block in enumerate(self._pieces.finished(candidate.message)):
            self._end(index, block, out)
        about = self._pieces.metadata(answer, candidate, "v1", **late)
        finish: Event = {"event": "message-finish", "metadata": about}
        if (usage := usage_metadata(answer.usage)) is not None:
            finish["usage"] = usage
        out.append(finish)

    def _late(self, message: Message) -> dict[str, Any]:
        """What the message cites as a whole, if the text that would show it has ended already."""
        last = max((n for n, part in enumerate(message.parts) if part.kind == "text"), default=None)
        if not message.citations or last is None or self._open.get(last, True):
            return {}
        return {"citations": [to_annotation(citation) for citation in message.citations]}


_DELTAS = {
    "text": ("text-delta", "text"),
    "reasoning": ("reasoning-delta", "reasoning"),
    "tool_call_chunk": ("tool-call-delta", "args"),
}
_GROWING = ("text", "reasoning", "args", "value")
"""Keys of a block that are empty when it begins."""
_LATER = ("output", "base64", "annotations", "extras")
"""Keys that only its end has."""


def _may_change(part: Part) -> bool:
    """Whether the end of the stream may say a part otherwise that has ended: what no shape knows, what is encrypted
    (anew each time), and what stands in a wrapper that ends later."""
    if isinstance(part, Raw) or (isinstance(part, Reasoning) and part.encrypted):
        return True
    return "group" in (part.extra or {})
