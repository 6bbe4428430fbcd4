"""Events of ours in, events of a wire out: the same tables, read the other way."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    CitationDelta,
    FinalCandidate,
    LogprobsDelta,
    Loss,
    Message,
    Metadata,
    PartEnded,
    PartialContentDelta,
    PartialToolCall,
    PartStarted,
    RawEvent,
    Reasoning,
    Refusal,
    RefusalDelta,
    ResponseStarted,
    SignatureDelta,
    StreamEnd,
    StreamError,
    StreamingEvent,
    Text,
    ThinkingDelta,
    ToolCall,
    ToolCallEnded,
    ToolCallStarted,
    Usage,
)

from .objects import ObjShape
from .operators import MISSING
from .shapes import Writing
from .typed import FRAME_NAME, id_in

if TYPE_CHECKING:
    from .format import WireFormat
    from .tables import Table
    from .typed import Line

_BLANKS: tuple[tuple[str, Any], ...] = (
    ("text", ""),
    ("full", None),
    ("arguments", ""),
    ("citations", None),
    ("signature", None),
    ("encrypted", None),
    ("content", None),
)
"""Fields that deltas may fill, and what they are before."""

WireEvent: TypeAlias = tuple[str | None, Any]

_BLANK: dict[type[Any], type[Any]] = {PartialContentDelta: Text, ThinkingDelta: Reasoning, RefusalDelta: Refusal}


def delta_of(event: StreamingEvent) -> tuple[str, Any]:
    """The field that a delta event fills, and its value; ``("", None)`` for an event that is no delta."""
    if isinstance(event, PartialContentDelta):
        return "text", event.content
    if isinstance(event, ThinkingDelta):
        return "text", event.thinking
    if isinstance(event, RefusalDelta):
        return "text", event.refusal
    if isinstance(event, PartialToolCall):
        return "arguments", event.arguments
    if isinstance(event, SignatureDelta):
        return "signature", event.signature
    if isinstance(event, CitationDelta):
        return "citations", [event.citation]
    if isinstance(event, LogprobsDelta):
        return "logprobs", event.logprobs
    return "", None


class PieceEncoder:
    """Writes a stream of partial answers. `closing` is the sentinel to send after the last, if the format has one."""

    def __init__(self, fmt: WireFormat) -> None:
        self.format = fmt
        self.losses: list[Loss] = []
        self.closing: str | None = fmt.stream.get("closing")
        self._apart = fmt.stream.get("usage") == "apart"
        self._slots = any("slot" in v.holes for t in fmt.compiler.tables.values() for v in t.kinds.get("tool_call", ()))
        self._head = Answer()
        self._spoken: set[int] = set()  # candidates whose role has been said
        self._calls: dict[tuple[int, int], int] = {}
        self._kinds: dict[tuple[int, int], type[Any]] = {}
        self._said: set[tuple[int, int, str]] = set()

    def feed(self, event: StreamingEvent) -> list[WireEvent]:
        if isinstance(event, ResponseStarted):
            self._head = Answer(id=event.id, model=event.model, created=event.created)
            return []
        if isinstance(event, StreamEnd):
            return self._end(event.answer)
        if isinstance(event, StreamError):
            return [(None, self.format.error_body(event.error))]
        if isinstance(event, RawEvent):
            return [(None, event.value)] if event.wire == self.format.id else []
        part = self._part(event)
        if part is None:
            return []
        return [(None, self._piece(event.candidate, part))]  # type: ignore[union-attr]

    def _part(self, event: StreamingEvent) -> Any:
        name, value = delta_of(event)
        if isinstance(event, ToolCallStarted) and self._slots:
            slots = self._calls
            slots[event.candidate, event.index] = sum(c == event.candidate for c, _ in slots)
            call_id = event.id or f"call_{event.index}"
            return ToolCall(call_id, event.name, slot=slots[event.candidate, event.index])
        if isinstance(event, PartialToolCall):
            slot = self._calls.get((event.candidate, event.index))
            return None if slot is None else ToolCall(None, None, event.arguments, slot=slot)  # type: ignore[arg-type]
        if isinstance(event, ToolCallEnded):
            return None if self._slots else event.part
        if isinstance(event, (PartialContentDelta, ThinkingDelta, RefusalDelta)):
            kind = self._kinds[event.candidate, event.index] = _BLANK[type(event)]
            return kind(text=value)
        if name:
            kind = self._kinds.get((event.candidate, event.index), Text)  # type: ignore[union-attr]
            self._said.add((event.candidate, event.index, name))  # type: ignore[union-attr]
            return kind(**{name: value}) if self._says(kind.kind, name) else None
        if isinstance(event, PartEnded):
            return self._unsaid(event) if (event.candidate, event.index) in self._kinds else event.part
        return None

    def _unsaid(self, event: PartEnded) -> Any:
        """What no delta has said of a part that was told in deltas."""
        found = {}
        for name, _ in _BLANKS:
            value = getattr(event.part, name, None)
            told = name == "text" or (event.candidate, event.index, name) in self._said
            if value and not told and self._says(event.part.kind, name):
                found[name] = value
        return type(event.part)(**found) if found else None

    def _says(self, kind: str, field: str) -> bool:
        """Whether a piece of that kind has a place for the field; citations may be given for the message as a whole."""
        kinds = (kind, "message") if field == "citations" else (kind,)
        tables = self.format.compiler.tables.values()
        return any(field in v.holes for table in tables for k in kinds for v in table.kinds.get(k, ()))

    def _piece(self, number: int, part: Any) -> Any:
        role = "" if number in self._spoken else "assistant"
        self._spoken.add(number)
        message = Message(role, [part])
        return self._write(replace(self._head, candidates=[Candidate(message, index=number)]))

    def _write(self, answer: Answer) -> Any:
        assert self.format.pieces is not None
        body = self.format.pieces.write_one(answer, {}, Writing(self.format.id, answer=True))
        return body if body is not MISSING else {}

    def _end(self, answer: Answer) -> list[WireEvent]:
        self.format.encode_answer(answer, self.losses)
        worded = self.format.worded(answer, Writing(self.format.id, answer=True))
        endings = [replace(c, message=Message(name=c.message.name)) for c in worded.candidates]
        last = replace(self._head, service_tier=answer.service_tier, fingerprint=answer.fingerprint, candidates=endings)
        usage = answer.usage
        if usage is not None and not self._apart:
            last.usage = usage
        out: list[WireEvent] = [(None, self._write(last))]
        if usage is not None and self._apart:
            out.append((None, self._write(replace(self._head, usage=usage, candidates=[]))))
        return out


class EventEncoder:
    """Writes a stream of typed events; they know one candidate."""

    closing: str | None = None

    def __init__(self, fmt: WireFormat) -> None:
        self.format = fmt
        self.losses: list[Loss] = []
        self.closing = fmt.stream.get("closing")
        self._dispatch: str = fmt.stream["dispatch"]
        self._lines: list[tuple[str, Line]] = [(name, e) for name, entries in fmt.events.items() for e in entries]
        self._numbered = self._key("sequence")
        self._sequence = 0
        self._started: ResponseStarted | None = None
        self._begun = False
        self._items: dict[str, int] = {}
        self._announced: dict[int, str] = {}  # items' ids
        self._known: dict[int, Any] = {}  # blocks that have begun where they come from
        self._open: dict[int, _Opened] = {}
        self._group: _Group | None = None  # the last, if more of it may come

    def feed(self, event: StreamingEvent) -> list[WireEvent]:
        if isinstance(event, ResponseStarted):
            self._started = event
            return []
        out: list[WireEvent] = []
        usage = event.usage if isinstance(event, Metadata) else None
        if not self._begun and not isinstance(event, StreamError):
            self._start(usage, out)
        if isinstance(event, (Metadata, FinalCandidate)) or getattr(event, "candidate", 0) != 0:
            return out
        if isinstance(event, StreamEnd):
            self._end(event.answer, out)
        elif isinstance(event, StreamError):
            self._say("error", {"error": event.error}, out)
        elif isinstance(event, RawEvent) and event.wire != self.format.id:
            return out  # only its own wire knows what to do with it
        elif isinstance(event, RawEvent):
            self._pass_on(event.value, out)
        elif isinstance(event, ToolCallStarted):
            call_id = event.id or f"call_{event.index}"
            self._begin(event.index, ToolCall(call_id, event.name, extra=event.extra), out)
        elif isinstance(event, PartStarted) and isinstance(event.part, (Text, Reasoning, Refusal)):
            self._known[event.index] = event.part  # what it will be is told by its first delta
        elif isinstance(event, PartStarted):
            self._begin(event.index, event.part, out)
        elif isinstance(event, (PartEnded, ToolCallEnded)):
            self._finish_part(event.index, self.format.named(event.part, event.index), out)
        else:
            name, value = delta_of(event)
            kind = _BLANK.get(type(event))
            if event.index not in self._open:
                if kind is None:
                    return out  # of a block that is told of when it ends
                self._begin(event.index, self._known.get(event.index) or kind(), out)
            if event.index in self._open:
                self._delta(self._open[event.index], name, value, out)
        return out

    def _start(self, usage: Usage | None, out: list[WireEvent]) -> None:
        self._begun = True
        started = self._started or ResponseStarted()
        head = Answer(
            id=started.id or "",
            model=started.model,
            created=started.created,
            usage=usage or Usage(0, 0),
            candidates=[Candidate(Message("assistant"))],
        )
        self._say("start", {"answer": head}, out)

    def _pass_on(self, value: Any, out: list[WireEvent]) -> None:
        """An event that no shape knows: as it came, but with the number that is its own here."""
        name = None
        if isinstance(value, dict):
            name = value.get(self._dispatch)
            if self._numbered in value:
                value = {**value, self._numbered: self._sequence}
                self._sequence += 1
        out.append((name, value))

    def _key(self, hole: str) -> str | None:
        """The key under which the events have it."""
        shapes = [entry.shape for _, entry in self._lines]
        entries = [e for shape in shapes if isinstance(shape, ObjShape) for e in shape.entries]
        return next((e.first for e in entries if e.shape.holes() == {hole}), None)

    # blocks

    def _begin(self, index: int, part: Any, out: list[WireEvent]) -> None:
        for name, entry in self._lines:
            if entry.verb != "open":
                continue
            table: Table = entry.shape_table
            if table.group is not None and table.group.inner.takes(part):
                self._wrap(name, entry, table.group.inner.mark(part), out)
            elif table.takes(part):
                if "sub" in entry.shape.holes():
                    assert self._group is not None
                    opened = _Opened(entry.space, self._group.index, part, self._group)
                else:
                    self._leave_group(out)
                    opened = _Opened(entry.space, self._next(entry.space), part)
                self._open[index] = opened
                body = self._build(name, entry, {**opened.keys(), "part": ([part], None)}, out, opening=True)
                opened.item_id = opened.item_id or self._announce(opened.index, body)
                return

        space = next((entry.space for _, entry in self._lines if entry.verb == part.kind), None)
        if space is not None and index not in self._open:  # its first delta opens it
            self._leave_group(out)
            self._open[index] = _Opened(space, self._next(space), part)

    def _wrap(self, name: str, entry: Line, mark: dict[str, Any] | None, out: list[WireEvent]) -> None:
        """See to it that a wrapper is open: the last, if its things came in one there too."""
        number = mark.get("n") if mark else None
        if self._group is not None and self._group.number != number:
            self._leave_group(out)
        if self._group is None:
            self._group = _Group(self._next(entry.space), number)
            body = self._build(name, entry, {"index": self._group.index, "part": ([], mark or {})}, out)
            self._group.item_id = self._announce(self._group.index, body)

    def _announce(self, index: int, body: Any) -> str:
        """The id under which an item has begun, and under which it will end."""
        item_id = id_in(body)
        if item_id:
            self._announced[index] = item_id
        return item_id

    def _next(self, space: str) -> int:
        self._items[space] = self._items.get(space, -1) + 1
        return self._items[space]

    def _delta(self, opened: _Opened, field: str, value: Any, out: list[WireEvent]) -> None:
        values = value if field == "citations" else [value]
        for one in values:
            src = {**opened.keys(), field: [one] if field == "citations" else one}
            for name, entry in self._lines:
                if entry.verb == opened.part.kind and field in entry.fields:
                    opened.said.add(field)
                    self._build(name, entry, src, out)
                    break

    def _finish_part(self, index: int, part: Any, out: list[WireEvent]) -> None:
        if index not in self._open:
            blank = {name: empty for name, empty in _BLANKS if self._streams(part.kind, name)}
            self._begin(index, replace(part, **blank), out)
            if index not in self._open:
                return
        opened = self._open[index]
        for field, _ in _BLANKS:
            value = getattr(part, field, None)
            if value and field not in opened.said and self._streams(part.kind, field):
                self._delta(opened, field, value, out)
        opened.part = part
        for name, entry in self._lines:
            fits = entry.verb == "final" and (part.kind in entry.shape_table.kinds or part.kind == "raw")
            if entry.space != opened.space:
                continue
            if entry.verb == "close" or (fits and ("sub" in entry.shape.holes()) == (opened.sub is not None)):
                self._build(name, entry, {**opened.keys(), "part": ([part], None)}, out)
        group = opened.group
        if group is not None and opened.sub is not None:
            group.end(opened.sub, part)
            if group is not self._group and not group.unfinished:
                self._close_group(group, out)

    def _streams(self, kind: str, field: str) -> bool:
        return any(entry.verb == kind and field in entry.fields for _, entry in self._lines)

    def _leave_group(self, out: list[WireEvent]) -> None:
        """Nothing more begins in the wrapper; it ends when all in it has ended."""
        group, self._group = self._group, None
        if group is not None and not group.unfinished:
            self._close_group(group, out)

    def _close_group(self, group: _Group, out: list[WireEvent]) -> None:
        for name, entry in self._lines:
            table = entry.shape_table if entry.verb == "final" else None
            if table is not None and table.group is not None:
                mark = table.group.inner.mark(group.parts[-1])
                self._build(name, entry, {**group.keys(), "part": (group.parts, mark or {})}, out)

    # the end

    def _end(self, answer: Answer, out: list[WireEvent]) -> None:
        self._leave_group(out)
        started = self._started or ResponseStarted()
        self.format.encode_answer(answer, self.losses)
        self._name_late(answer)
        named = replace(answer, id=answer.id or started.id, model=answer.model or started.model)
        worded = self.format.worded(named, Writing(self.format.id, answer=True))
        reason = worded.candidates[0].finish_word if worded.candidates else None
        for c in worded.candidates[:1]:
            message = replace(c.message, parts=self._streamed(c.message.parts))
            worded = replace(worded, candidates=[replace(c, message=message)])
        endings = [replace(c, message=Message()) for c in worded.candidates[:1]]
        src = {"answer": worded, "candidates": endings, "usage": answer.usage}
        self._say("finish", src, out, str(reason))
        self._say("end", {}, out)

    def _name_late(self, answer: Answer) -> None:
        """The end may say a part otherwise than its own end did. A wire whose end says nothing of parts loses that."""
        if any(entry.verb == "finish" and "answer" in entry.shape.holes() for _, entry in self._lines):
            return
        for number, part in enumerate(answer.candidates[0].message.parts if answer.candidates else ()):
            before = self._open[number].part if number in self._open else part
            for f in fields(part) if type(before) is type(part) else ():
                value = getattr(part, f.name)
                if f.name != "extra" and value and value != getattr(before, f.name):
                    self.losses.append(Loss(f"{part.kind}.{f.name}", value, "it was sent before it was final"))

    def _streamed(self, parts: list[Any]) -> list[Any]:
        """Those of an answer's parts that the stream had words for, wrapped as they were there."""
        marks: dict[int, dict[str, Any]] = {}
        said = []
        for part, opened in [(part, self._open[n]) for n, part in enumerate(parts) if n in self._open]:
            if opened.group is not None and part.extra:
                number = opened.group.index
                mark = marks.setdefault(number, {**(part.extra.get("group") or {}), "n": number})
                part = replace(part, extra={**part.extra, "group": mark})
            said.append(part)
        return said

    def _say(self, verb: str, src: dict[str, Any], out: list[WireEvent], word: str = "") -> None:
        """The events of a verb that can be written, each if it says something new; those first that are named for
        why it ended, if it ended so."""
        lines = [(name, entry) for name, entry in self._lines if entry.verb == verb]
        lines.sort(key=lambda e: not word or not e[0].endswith(word))
        said: set[str] = set()
        for number, (name, entry) in enumerate(lines):
            new = entry.shape.holes() - said - {"sequence"}
            if (new or not number) and self._build(name, entry, src, out) is not None:
                said |= entry.shape.holes()

    def _build(self, name: str, entry: Line, src: dict[str, Any], out: list[WireEvent], opening: bool = False) -> Any:
        item = src.get("index", 0)
        writing = Writing(self.format.id, answer=True, opening=opening, item=item, announced=self._announced)
        src = {"sequence": self._sequence, **src}
        body = entry.shape.build(src, None, writing)
        if body is MISSING:
            return None
        self._sequence += 1
        if isinstance(body, dict) and self._dispatch != FRAME_NAME:
            body = {self._dispatch: name, **body}
        out.append((name, body))
        return body


class _Group:
    """A wrapper around several blocks, some of which may still be open; `number` is the one it came with."""

    def __init__(self, index: int, number: int | None) -> None:
        self.index, self.number, self.item_id = index, number, ""
        self.parts: list[Any] = []
        self.unfinished = 0

    def keys(self) -> dict[str, Any]:
        return {"index": self.index, "item_id": self.item_id}

    def begin(self, part: Any) -> int:
        """The number of this part in the wrapper."""
        self.parts.append(part)
        self.unfinished += 1
        return len(self.parts) - 1

    def end(self, number: int, part: Any) -> None:
        self.parts[number] = part
        self.unfinished -= 1


class _Opened:
    """A block that is open on the wire."""

    def __init__(self, space: str, index: int, part: Any, group: _Group | None = None) -> None:
        self.space, self.index, self.part, self.group = space, index, part, group
        self.sub = group.begin(part) if group is not None else None
        self.item_id = group.item_id if group is not None else ""
        self.said: set[str] = set()

    def keys(self) -> dict[str, Any]:
        return {"index": self.index, "sub": self.sub, "item_id": self.item_id}
