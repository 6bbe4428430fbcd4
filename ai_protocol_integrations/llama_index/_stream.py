"""Our streaming events -> LlamaIndex's responses: each holds the whole message so far, and what is new of it.

The last one is the response that the whole answer would have been, usage and all. A tool call's arguments are text
until then, because half of them are none. What is new of each (`delta`) adds up to the message's `content`, the line
break included that LlamaIndex puts between two blocks of text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, TextBlock

from ai_protocol_integrations._blocks import CallIds
from ai_protocol_runtime.types import (
    Answer,
    LogprobsDelta,
    PartialContentDelta,
    PartialToolCall,
    RawEvent,
    RefusalDelta,
    StreamEnd,
    StreamingEvent,
    ThinkingDelta,
    ToolCallStarted,
)

from ._logprobs import read_logprobs
from ._outputs import listed, response, to_response
from ._shown import call_block, text_block, thinking_block


class Responses:
    """The responses of one stream: `feed` it every event, in order. `answer` is the whole one, at the end."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self._blocks: list[Any] = []
        self._places: dict[int, int] = {}  # our index -> that of the block
        self._calls: dict[int, int] = {}  # our index -> place among the calls
        self._listed: list[dict[str, Any]] = []
        self._ids = CallIds()
        self._announced: dict[int, str | None] = {}
        self._unknown: list[Any] = []

    def feed(self, event: StreamingEvent) -> ChatResponse | None:
        """The response that this event makes; None if it says nothing yet. Of several candidates the first counts."""
        read = _READERS.get(type(event))
        if read is None or getattr(event, "candidate", None):
            return None
        return read(self, event)

    def _text(self, event: PartialContentDelta) -> ChatResponse:
        return self._said(event.index, event.content)

    def _refusal(self, event: RefusalDelta) -> ChatResponse:
        return self._said(event.index, event.refusal)

    def _said(self, index: int, piece: str) -> ChatResponse:
        """Texts that follow each other are one block."""
        blocks = self._blocks
        place = self._places.get(index)
        if place is None and blocks and isinstance(blocks[-1], TextBlock):
            place = self._places[index] = len(blocks) - 1
        if place is not None:
            blocks[place] = text_block(blocks[place].text + piece)
            return self._response(piece)
        if not piece:
            return self._response("")
        apart = any(isinstance(block, TextBlock) for block in blocks)
        self._put(index, text_block(piece))
        return self._response("\n" + piece if apart else piece)

    def _thinking(self, event: ThinkingDelta) -> ChatResponse:
        place = self._places.get(event.index)
        if place is None:
            self._put(event.index, thinking_block(event.thinking, {}))
        else:
            self._blocks[place] = thinking_block(self._blocks[place].content + event.thinking, {})
        made = self._response("")
        made.additional_kwargs["thinking_delta"] = event.thinking
        return made

    def _call_started(self, event: ToolCallStarted) -> ChatResponse:
        call_id = self._announced[event.index] = self._ids.replacement(event.id) or event.id
        self._put(event.index, call_block(call_id, event.name, ""))
        self._calls[event.index] = len(self._listed)
        self._listed.append(listed(call_id, event.name, ""))
        return self._response("")

    def _call_went_on(self, event: PartialToolCall) -> ChatResponse | None:
        place = self._places.get(event.index)
        if place is None:
            return None
        block = self._blocks[place]
        arguments = block.tool_kwargs + event.arguments
        self._blocks[place] = call_block(block.tool_call_id, block.tool_name, arguments)
        self._listed[self._calls[event.index]] = listed(block.tool_call_id, block.tool_name, arguments)
        return self._response("")

    def _likely(self, event: LogprobsDelta) -> ChatResponse | None:
        found = read_logprobs(event.logprobs)
        if found is None:
            return None
        made = self._response("")
        made.logprobs = found
        return made

    def _end(self, event: StreamEnd) -> ChatResponse:
        self.answer = event.answer
        made = to_response(event.answer, self._call_id)
        made.delta = ""
        if self._unknown:
            made.raw = {**(made.raw or {}), "raw_events": self._unknown}
        return made

    def _not_known(self, event: RawEvent) -> None:
        """An event that the wire format does not know is told at the end, as it came."""
        self._unknown.append(event.value)

    def _call_id(self, index: int, call_id: str | None) -> str | None:
        """The id under which a call was announced, where the wire has it otherwise."""
        announced = self._announced.get(index) or self._ids.replacement(call_id) or call_id
        return None if announced == call_id else announced

    def _put(self, index: int, block: Any) -> None:
        self._places[index] = len(self._blocks)
        self._blocks.append(block)

    def _response(self, delta: str) -> ChatResponse:
        more = {"tool_calls": list(self._listed)} if self._listed else {}
        return response(list(self._blocks), more, delta)


_READERS: dict[type[Any], Callable[[Responses, Any], ChatResponse | None]] = {
    PartialContentDelta: Responses._text,
    RefusalDelta: Responses._refusal,
    ThinkingDelta: Responses._thinking,
    ToolCallStarted: Responses._call_started,
    PartialToolCall: Responses._call_went_on,
    LogprobsDelta: Responses._likely,
    RawEvent: Responses._not_known,
    StreamEnd: Responses._end,
}
