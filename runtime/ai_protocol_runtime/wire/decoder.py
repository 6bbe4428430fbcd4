"""What both manners of streaming have in common: the answer under construction, its end, and what nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_protocol_runtime.types import Answer, RawEvent, StreamError, StreamingEvent

from .assembly import Assembly

if TYPE_CHECKING:
    from .format import WireFormat


class Decoder:
    """JSON of a stream in, events out. `terminal`: the answer has been said to be complete; `failed`: an error has
    come, and nothing follows."""

    def __init__(self, fmt: WireFormat) -> None:
        self.format = fmt
        self.assembly = Assembly()
        self.terminal = False
        self.failed = False
        self._padding = frozenset(fmt.stream.get("padding") or ())

    def trimmed(self, data: Any) -> Any:
        """The event without the keys that only make it longer."""
        if self._padding and isinstance(data, dict) and not self._padding.isdisjoint(data):
            return {key: value for key, value in data.items() if key not in self._padding}
        return data

    def finish(self) -> list[StreamingEvent]:
        """The body has ended, and the answer is complete."""
        out: list[StreamingEvent] = []
        self.assembly.finish(self.format.settle, out)
        return out

    @property
    def partial(self) -> Answer:
        """The answer as far as it has come; a tool call that is not complete is not in it."""
        return self.format.settle(self.assembly.answer())

    def unknown(self, data: Any, out: list[StreamingEvent]) -> None:
        """An event that no shape fits: the provider's error object, or something new."""
        error = self.format.error_in(data)
        if error is not None:
            self.fail(error, out)
        else:
            out.append(RawEvent(data, self.format.id))

    def fail(self, error: Any, out: list[StreamingEvent]) -> None:
        self.failed = True
        out.append(StreamError(error))
