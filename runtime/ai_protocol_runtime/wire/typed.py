"""Streams of typed events: each event says what it does (`stream: {manner: events}`).

The verbs of an event table: `start` (the answer begins), `open` (a block begins), a kind of part (a delta of such a
block, which it opens if need be), `final` (the block again, complete), `close`, `finish` (why it ended, usage),
`end` (nothing follows), `error`, `ignore`. A block's key is its `$index`, with `$sub` where one item holds several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ai_protocol_runtime.types import Answer, Raw, RawEvent, StreamingEvent

from .assembly import Block, merged
from .decoder import Decoder
from .kinds import KINDS, Kind
from .notation import Node
from .objects import ObjShape
from .operators import FAIL
from .shapes import ElementShape, Shape, content_of

if TYPE_CHECKING:
    from .format import WireFormat
    from .tables import Table

FRAME_NAME = "$event"
"""`dispatch` of a format whose events are named by their framing alone."""

VERBS = ("start", "open", "final", "close", "finish", "end", "error", "ignore")
KEYS = frozenset({"index", "sub", "item_id", "sequence", "part", "answer", "candidates", "usage", "error"})
"""Holes of an event besides the fields of the part it tells of."""


@dataclass(slots=True)
class Line:
    """One alternative of an event: what it does, and its shape."""

    verb: str
    space: str  # blocks may be numbered in several ways of counting: `open@calls`
    shape: Shape
    kind: Kind | None  # for a delta
    fields: tuple[str, ...]  # the fields of the part that a delta fills
    node: Node

    @property
    def shape_table(self) -> Table:
        """The table of its `$part`."""
        return next(_tables_in(self.shape))

    @property
    def nested(self) -> list[str]:
        """Keys that only wrap: what is left in them belongs to the answer itself."""
        shape = self.shape
        return [e.first for e in shape.entries if isinstance(e.shape, ObjShape)] if isinstance(shape, ObjShape) else []


def _tables_in(shape: Shape) -> Iterator[Table]:
    for e in shape.entries if isinstance(shape, ObjShape) else ():
        if isinstance(e.shape, ElementShape):
            yield e.shape.table
        else:
            yield from _tables_in(e.shape)


def line(verb: str, space: str, shape: Shape, node: Node) -> Line:
    kind = KINDS.get(verb) if verb not in VERBS else None
    fields = tuple(sorted(shape.holes() & kind.fields)) if kind else ()
    return Line(verb, space, shape, kind, fields, node)


class EventDecoder(Decoder):
    """Events in, events out."""

    def __init__(self, fmt: WireFormat, generated: bool = True) -> None:
        super().__init__(fmt)
        self.lane = self.assembly.lane(0)
        self._dispatch: str = fmt.stream["dispatch"]
        self._lines = fmt.events
        self._fast = fmt.generated_events if generated else {}
        self._groups: dict[Any, Any] = {}  # wrappers that are open: number -> their mark

    def feed(self, data: Any, name: Any = None) -> list[StreamingEvent]:
        """`name` is the event's name in its framing; most formats say it in the data as well, and that one counts."""
        out: list[StreamingEvent] = []
        if self._dispatch != FRAME_NAME:
            name = data.get(self._dispatch) if isinstance(data, dict) else None
        if not isinstance(name, str):
            name = None
        fast = self._fast.get(name)
        if fast is not None and fast(self, data, out):
            return out
        data = self.trimmed(data)
        for entry in self._lines.get(name, ()):
            own: dict[str, Any] = {}
            rest = entry.shape.match(data, own)
            if rest is not FAIL:
                if "part" in own and "index" not in own:  # some name an item by its id alone
                    own.setdefault("item_id", id_in(data))
                getattr(self, "_" + (entry.verb if entry.kind is None else "delta"))(entry, own, rest, out)
                return out
        self.unknown(data, out)
        return out

    def done(self) -> list[StreamingEvent]:
        """The sentinel that some add after the last event; it says nothing new."""
        return []

    def block(self, entry: Line, own: dict[str, Any]) -> Block | None:
        block = self.lane.by_key.get((entry.space, _item(own), own.get("sub")))
        if block is None and entry.kind is not None and _item(own) is None:  # it belongs to the last of its kind
            block = next((b for b in reversed(self.lane.blocks) if b.part.kind == entry.verb), None)
        return block

    # verbs

    def _ignore(self, entry: Line, own: dict[str, Any], rest: Any, out: list[StreamingEvent]) -> None:
        """It says nothing that another event does not say."""

    def _start(self, entry: Line, own: dict[str, Any], rest: Any, out: list[StreamingEvent]) -> None:
        self._take(own["answer"], out)

    def _take(self, answer: Answer, out: list[StreamingEvent]) -> None:
        """The envelope of an answer that stands inside an event."""
        head = self.assembly.head
        for name in ("id", "model", "created", "service_tier", "fingerprint", "error"):
            value = getattr(answer, name)
            if value is not None:
                setattr(head, name, value)
        head.extra = answer.extra
        self.assembly.start(out)
        usage, answer.usage = answer.usage, None
        self.assembly.usage(usage, self.format.read_usage, out)
        for candidate in answer.candidates[:1]:
            parts = self.lane.candidate.message.parts
            self.lane.candidate = candidate
            candidate.message.parts = parts

    def _open(self, entry: Line, own: dict[str, Any], rest: Any, out: list[StreamingEvent]) -> None:
        self.assembly.start(out)
        things, mark = own["part"]
        item = _item(own)
        if mark is not None:
            self._groups[item] = mark
            mark["n"] = item
            if left := content_of(mark.pop("rest", None)):
                mark["rest"] = left
        for number, thing in enumerate(things):
            sub = own.get("sub") if mark is None else number
            group = self._groups.get(item) if mark is None else mark
            if group is not None:
                thing.extra["group"] = group
            key = (entry.space, item, sub)
            left = content_of(thing.extra.pop("rest", None)) if thing.extra else None
            if left:
                thing.extra["rest"] = left
            if key not in self.lane.by_key:
                self.assembly.begin(self.lane, thing, key, out)

    def _delta(self, entry: Line, own: dict[str, Any], rest: Any, out: list[StreamingEvent]) -> None:
        assert entry.kind is not None
        block = self.block(entry, own)
        if block is None:
            block = self.fresh(entry.kind, (entry.space, _item(own), own.get("sub")), out)
        for name in entry.fields:
            if name not in own:
                continue
            if not hasattr(block.part, name):  # a delta of a block that nobody knows
                out.append(RawEvent({name: own[name], "index": block.index}, self.format.id))
            elif name == block.field:
                self.stretch(block, own[name], out)
            else:
                self.assembly.put(block, name, own[name], out)

    def fresh(self, kind: Kind, key: Any, out: list[StreamingEvent]) -> Block:
        """A block whose beginning nobody announced."""
        self.assembly.start(out)
        part = kind.make({})
        part.extra = {"wire": self.format.id}
        return self.assembly.begin(self.lane, part, key, out)

    def stretch(self, block: Block, text: str, out: list[StreamingEvent]) -> None:
        if block.field == "arguments" and not block.pieces and not text:
            return  # what the block was opened with still holds
        self.assembly.append(block, text, out)

    def _final(self, entry: Line, own: dict[str, Any], rest: Any, out: list[StreamingEvent]) -> None:
        things, mark = own["part"]
        item = _item(own)
        if mark is not None:
            mark["n"] = item
        for number, thing in enumerate(things):
            sub = own.get("sub") if mark is None else number
            key = (entry.space, item, sub)
            if mark is not None:
                thing.extra["group"] = mark
            elif item in self._groups:
                thing.extra["group"] = self._groups[item]
            block = self.lane.by_key.get(key)
            if block is None and mark is not None and number == 0:  # it was opened without a number
                block = self.lane.by_key.get((entry.space, item, None))
            if block is None:
                self.assembly.start(out)
                block = self.assembly.begin(self.lane, thing, key, out)
            self.assembly.settle(block, out, thing)

    def _close(self, entry: Line, own: dict[str, Any], rest: Any, out: list[StreamingEvent]) -> None:
        block = self.block(entry, own)
        if block is not None:
            self.assembly.settle(block, out)

    def _finish(self, entry: Line, own: dict[str, Any], rest: Any, out: list[StreamingEvent]) -> None:
        self.assembly.start(out)
        answer = own.get("answer")
        if answer is not None:
            parts = answer.message.parts
            self._take(answer, out)
            self._agree(parts, out)
        for ending in own.get("candidates", ())[:1]:
            candidate = self.lane.candidate
            for name in ("finish_word", "finish_detail", "stop_sequence"):
                setattr(candidate, name, getattr(ending, name) or getattr(candidate, name))
        self.assembly.usage(own.get("usage"), self.format.read_usage, out)
        left = content_of(rest) or {}
        left.pop(self._dispatch, None)
        for key in entry.nested:
            inner = left.pop(key, None)
            if isinstance(inner, dict):
                left = {**left, **inner}
        if left:
            extra = self.assembly.head.extra = self.assembly.head.extra or {"wire": self.format.id}
            extra["rest"] = merged(extra.get("rest") or {}, left)
        self.terminal = self.terminal or not self.format.has_end

    def _agree(self, parts: list[Any], out: list[StreamingEvent]) -> None:
        """The last event says the whole answer again: its parts hold, and what was not streamed is told now."""
        blocks = list(self.lane.blocks)
        for part in parts:
            block = next((b for b in blocks if _same(b.part, part)), None)
            if block is None:
                block = self.assembly.begin(self.lane, part, None, out)
            else:
                blocks.remove(block)
            self.assembly.settle(block, out, part)

    def _end(self, entry: Line, own: dict[str, Any], rest: Any, out: list[StreamingEvent]) -> None:
        self.terminal = True

    def _error(self, entry: Line, own: dict[str, Any], rest: Any, out: list[StreamingEvent]) -> None:
        self.fail(own.get("error"), out)


def _item(own: dict[str, Any]) -> Any:
    """What the blocks of one item have in common: its number, or else its id."""
    return own["index"] if "index" in own else own.get("item_id")


def id_in(body: Any) -> str:
    """The id of the item that an event holds."""
    for value in body.values() if isinstance(body, dict) else ():
        if isinstance(value, dict) and isinstance(value.get("id"), str):
            return str(value["id"])
    return ""


def _same(a: Any, b: Any) -> bool:
    """Whether two parts are one, said twice."""
    if a.kind != b.kind:
        return False
    if isinstance(a, Raw) and isinstance(a.value, dict) and isinstance(b.value, dict):
        return bool(a.value.get("id") == b.value.get("id"))
    ids = getattr(a, "id", None), getattr(b, "id", None)
    return ids[0] == ids[1] or None in ids
