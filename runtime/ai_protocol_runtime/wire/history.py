"""A conversation on the wire: which variant takes which message, and how foreign turns are regrouped and linked.

Decoding never regroups: one element of the wire is one message of ours. Encoding gives a message back to the
variant it came from; a message from elsewhere is first joined with its neighbours of the same voice where the
format says so (`merge`), its calls and results are given the ids and names they lack, and it is then cut into runs
of parts that a variant takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ai_protocol_runtime.types import Message, Raw, Reasoning, Text, ToolCall, ToolResult

from .operators import FAIL, KEEP, MISSING
from .shapes import Captures, Shape, Writing, content_of
from .tables import Table, lifted


@dataclass(slots=True)
class Variant:
    """One line of `messages:`. `field`: the whole key is one message; `each`: one part a message; `spread`: the
    parts are elements of the list themselves; `back_only`: only for what came from there."""

    number: int
    at: str
    roles: tuple[str, ...]
    shape: Shape
    holes: set[str]
    tables: list[Table]
    field: bool = False
    each: bool = False
    spread: bool = False
    back_only: bool = False

    def takes(self, part: Any) -> bool:
        return any(table.takes(part) for table in self.tables)


@dataclass(slots=True)
class History:
    wire: str
    variants: list[Variant]
    merge: list[list[str]]
    sent_back: dict[str, list[str]]
    needs_ids: bool
    private: frozenset[str]
    blanks: bool
    "whether white space alone is a text here"
    hoisted: set[str] = field(init=False)
    "roles whose messages go to keys of their own, and do not stand between others"

    def __post_init__(self) -> None:
        fields = {role for v in self.variants if v.field and not v.back_only for role in v.roles}
        self.hoisted = fields - {role for v in self.variants if not v.field for role in v.roles}

    # reading

    def decode(self, body: dict[str, Any]) -> list[Message]:
        messages: list[Message] = []
        for at in dict.fromkeys(v.at for v in self.variants):
            if at not in body:
                continue
            value = body[at]
            here = [v for v in self.variants if v.at == at]
            listed = [v for v in here if not v.field]
            if listed and isinstance(value, list):
                messages += [self._read(element, listed, at) for element in value]
            else:
                messages.append(self._read(value, [v for v in here if v.field], at))
        return messages

    def _read(self, value: Any, variants: list[Variant], at: str) -> Message:
        for v in variants:
            own: Captures = {}
            left = v.shape.match([value] if v.spread else value, own)
            if left is FAIL:
                continue
            message = Message(**own)
            message.role = message.role or v.roles[0]
            if message.role not in v.roles:
                continue
            message.extra = {"wire": self.wire, "alt": ["messages", v.number, 0]}
            if left is KEEP:
                message.extra["rest"] = {"$raw": value}
            elif left is not None:
                message.extra["rest"] = left
            return message
        raw = Raw(value, {"wire": self.wire, "alt": ["messages", "raw", 0]})
        return Message("user", [raw], extra={"wire": self.wire, "alt": ["messages", at, 0]})

    # writing

    def encode(self, messages: list[Message], out: Writing, echo: str | None) -> dict[str, Any]:
        body: dict[str, Any] = {}
        messages = [self._sendable(m, out, echo) for m in messages]
        if not self.blanks:
            messages = self._worded(messages, out)
        for message in self._linked(self._merged(messages)):
            alt = self._alt(message)
            if alt is not None and isinstance(alt, str):  # a message no variant could read
                self._place(body, alt, message.parts[0].value, not isinstance(body.get(alt), list))  # type: ignore[union-attr]
                continue
            left = (message.extra or {}).get("rest") if not self._foreign(message) else None
            for v, parts in list(self._runs(message, out)):
                fits = v.number == alt or (alt is None and not v.field and not v.spread)
                self._write(body, v, message, parts, left if fits else None, out)
                left = None if fits else left
        return body

    def _write(
        self, body: dict[str, Any], v: Variant, message: Message, parts: list[Any], rest: Any, out: Writing
    ) -> None:
        src = {"role": message.role, "parts": parts, "name": message.name, "citations": message.citations}
        if "citations" in v.holes:
            src = lifted(src, out, self.wire, self.private)
        mark = out.mark()
        value = v.shape.build(src, rest, out)
        if isinstance(rest, dict) and "$raw" in rest and out.filled == mark[0]:
            value = rest["$raw"]
        if value is MISSING:
            out.undo(mark)
            for part in parts:
                out.lose(f"{message.role}.{part.kind}", part)
            return
        if message.name is not None and "name" not in v.holes:
            out.lose("message.name", message.name)
        if v.field:
            if v.at in body and isinstance(body[v.at], list) and isinstance(value, list):
                body[v.at] += value
            else:
                body[v.at] = value
        else:
            elements = body.setdefault(v.at, [])
            elements.extend(value if v.spread else [value])

    def _place(self, body: dict[str, Any], at: str, value: Any, field: bool) -> None:
        if field and not any(v.at == at and not v.field for v in self.variants):
            body[at] = value
        else:
            body.setdefault(at, []).append(value)

    def _alt(self, message: Message) -> Any:
        """The number of the variant this message came from, or the key it lay under unread; None for a message from
        elsewhere."""
        extra = message.extra
        if not extra or extra.get("wire") != self.wire or extra.get("alt", ("",))[0] != "messages":
            return None
        return extra["alt"][1]

    def _runs(self, message: Message, out: Writing) -> Iterator[tuple[Variant, list[Any]]]:
        alt = self._alt(message)
        usable = [v for v in self.variants if not v.back_only or v.number == alt]
        order = sorted(usable, key=lambda v: (v.number != alt, message.role not in v.roles))
        if not message.parts:
            unread = alt is None and not self._foreign(message) and content_of((message.extra or {}).get("rest"))
            if order[0].number == alt or unread:
                yield next(v for v in order if v.number == alt or not (v.field or v.spread or v.each)), []
            return
        run: list[Any] = []
        current: Variant | None = None
        for part in message.parts:
            v = self._taker(part, [v for v in order if v.takes(part)], alt)
            if v is None:
                out.lose(part.kind, part)
                continue
            if run and current is not None and (v is not current or v.each):
                yield current, run
                run = []
            current = v
            run.append(part)
        if run and current is not None:
            yield current, run

    def _taker(self, part: Any, takers: list[Variant], alt: Any) -> Variant | None:
        """The variant that the message came from, else the one that the part's own table belongs to, else the first."""
        if not takers or takers[0].number == alt or self._foreign(part):
            return takers[0] if takers else None
        grouped = "group" in part.extra
        homes = [v for v in takers if any(t.is_home(part) and (t.group is not None) == grouped for t in v.tables)]
        return homes[0] if homes else takers[0]

    # from elsewhere

    def _foreign(self, thing: Any) -> bool:
        return not thing.extra or thing.extra.get("wire") != self.wire

    def _sendable(self, message: Message, out: Writing, echo: str | None) -> Message:
        """Without the reasoning that must not go back: by the provider's rule (`echo`), and by the format's
        (`sent_back`)."""
        kept = []
        calls = any(part.kind == "tool_call" for part in message.parts)
        for part in message.parts:
            elsewhere = self._foreign(part) and bool(part.extra)
            if elsewhere and isinstance(part, Text) and not part.text:
                for name in ("citations", "signature", "cache"):
                    if getattr(part, name):
                        out.lose(f"text.{name}", getattr(part, name), "only the wire it came from can read it")
                continue
            if elsewhere and isinstance(part, Reasoning) and not part.text:
                out.lose("reasoning", part.encrypted or part.signature, "only the wire it came from can read it")
                continue
            if isinstance(part, Reasoning) and message.role == "assistant":
                if echo == "never" or (echo == "with_tools" and not calls):
                    out.lose("reasoning", part.text, "the provider does not want it back")
                    continue
                needs = self.sent_back.get("reasoning")
                if needs and self._foreign(part):
                    known = part.extra and part.extra.get("wire")
                    if known or not any(getattr(part, name) for name in needs):
                        out.lose("reasoning", part.text, "only the wire it came from takes it back")
                        continue
            kept.append(part)
        return message if len(kept) == len(message.parts) else replace(message, parts=kept)

    def _worded(self, messages: list[Message], out: Writing) -> list[Message]:
        """Without texts from elsewhere of white space alone, nor the white space that ends an answer which is to be
        continued. What the wire itself has said goes back as it came."""
        kept = []
        for message in messages:
            parts = []
            for part in message.parts:
                if isinstance(part, Text) and part.text.isspace() and self._foreign(part):
                    out.lose("text", part.text, "white space alone is no text there")
                else:
                    parts.append(part)
            if len(parts) == len(message.parts):
                kept.append(message)
            elif parts:
                kept.append(replace(message, parts=parts))
        last = kept[-1] if kept else None
        if last is not None and last.role == "assistant" and last.parts:
            part = last.parts[-1]
            if isinstance(part, Text) and part.text != part.text.rstrip() and self._foreign(part):
                out.lose("text", part.text, "sent without the white space at its end")
                kept[-1] = replace(last, parts=[*last.parts[:-1], replace(part, text=part.text.rstrip())])
        return kept

    def _merged(self, messages: list[Message]) -> list[Message]:
        """Neighbours of one voice joined, if the later one is from elsewhere; a message that goes to a key of its
        own does not stand between, and is joined with the others that go there."""
        merged: list[Message] = []
        last: dict[bool, int] = {}  # where the last hoisted and the last other message stand
        for message in messages:
            aside = message.role in self.hoisted
            voice = self._voice(message.role)
            at = last.get(aside)
            if at is not None and self._foreign(message):
                before = merged[at]
                same = aside or (voice is not None and voice == self._voice(before.role))
                if same and before.parts and message.parts and before.name == message.name:
                    merged[at] = replace(before, parts=[*before.parts, *message.parts])
                    continue
            merged.append(message)
            last[aside] = len(merged) - 1
        return [self._results_first(m) if self._foreign(m) else m for m in merged]

    def _voice(self, role: str) -> int | None:
        return next((i for i, roles in enumerate(self.merge) if role in roles), None)

    def _results_first(self, message: Message) -> Message:
        """Results stand right after the calls they answer, before anything else in the turn."""
        results = [p for p in message.parts if p.kind == "tool_result"]
        if not results or message.parts[: len(results)] == results:
            return message
        return replace(message, parts=results + [p for p in message.parts if p.kind != "tool_result"])

    def _linked(self, messages: list[Message]) -> list[Message]:
        """Calls and results from elsewhere with the ids and names they lack: ids are counted, names found by id."""
        count = 0
        open_calls: list[ToolCall] = []
        names: dict[str, str] = {}
        linked = []
        for message in messages:
            parts: list[Any] = []
            for part in message.parts:
                if isinstance(part, ToolCall):
                    if part.id is None and self.needs_ids and self._foreign(part):
                        part = replace(part, id=f"call_{count}")
                    count += 1
                    open_calls.append(part)
                    if part.id:
                        names[part.id] = part.name
                elif isinstance(part, ToolResult):
                    if self._foreign(part):
                        part = self._answering(part, open_calls, names)
                    open_calls = [c for c in open_calls if c.id != part.call_id or c.id is None]
                parts.append(part)
            linked.append(message if parts == message.parts else replace(message, parts=parts))
        return linked

    @staticmethod
    def _answering(part: ToolResult, open_calls: list[ToolCall], names: dict[str, str]) -> ToolResult:
        if part.call_id is None and open_calls:
            call = next((c for c in open_calls if c.name == part.name), open_calls[0])
            part = replace(part, call_id=call.id)
        if part.name is None and part.call_id in names:
            part = replace(part, name=names[part.call_id])
        return part
