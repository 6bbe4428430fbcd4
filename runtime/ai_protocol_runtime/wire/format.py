"""One wire format: four machines from one file of shapes."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Loss,
    Message,
    Raw,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    Usage,
)

from . import generate
from . import notation as n
from .assembly import placed
from .compiler import Compiler, Fault
from .counting import Counting
from .exchange import Exchange, ServiceFormat
from .framing import MAX_EVENT
from .history import History, Variant
from .kinds import CHAT, KINDS
from .pieces import PieceDecoder
from .reader import StreamReader
from .shapes import Writing
from .typed import KEYS, VERBS, EventDecoder, Line, line
from .writer import EventEncoder, PieceEncoder

if TYPE_CHECKING:
    from ai_protocol_runtime.manifest import Manifests


def wire_format(name: str, manifests: Manifests) -> WireFormat:
    """The chat format of that name, compiled when first asked for and again when its file has changed.

    Raises ManifestError for an unknown format (naming the nearest), one that is not for chats, or a shape that does not
    compile (with file and line).
    """
    return cast("WireFormat", _format(name, CHAT, manifests))


def service_format(name: str, service: str, manifests: Manifests) -> ServiceFormat:
    """The format of that name for a service of `kinds.SERVICES` other than chat; else as `wire_format`."""
    return cast("ServiceFormat", _format(name, service, manifests))


def _format(name: str, service: str, manifests: Manifests) -> Exchange:
    document = manifests.wire(name).document
    with _lock:
        found = _compiled.get(id(document))
        if found is None or found[0] is not document:
            found = _compiled[id(document)] = (document, compiled(document.data, document.error))
            if len(_compiled) > 256:  # every reload of a changed file leaves one behind
                _compiled.pop(next(iter(_compiled)))
    if _service(document.data) != service:
        raise document.error(("id",), f"`{name}` is a wire format for {_service(document.data)}, not for {service}")
    return found[1]


def compiled(data: dict[str, Any], fault: Fault) -> Exchange:
    """The format of a file's data; `fault` makes the ManifestError for a place in it."""
    return WireFormat(data, fault) if _service(data) == CHAT else ServiceFormat(data, fault)


def _service(data: dict[str, Any]) -> str:
    return str(data.get("service") or CHAT)


_compiled: dict[int, tuple[Any, Exchange]] = {}
_lock = threading.RLock()


class WireFormat(Exchange):
    """A compiled wire format of chats."""

    def __init__(self, data: dict[str, Any], fault: Fault) -> None:
        for key in ("messages", "stream"):
            if data.get(key) is None:
                raise fault((), f"a format for chats needs `{key}`")
        super().__init__(data, fault)
        compiler = self.compiler
        self.framings: list[str] = list(data.get("framings") or ["sse"])
        self.pieces = compiler.tables.get("piece")
        self.finish = compiler.maps.get("finish")
        self.read_usage = compiler.usage.decode
        self.counting = Counting(data["count"], compiler) if "count" in data else None
        variants = self._variants(compiler, data, fault)
        results = [v for t in compiler.tables.values() for v in t.kinds.get("tool_result", ())]
        self.needs_ids = any("call_id" in v.required for v in results)
        merge = _voices(data.get("merge") or [])
        private = frozenset(data.get("private") or ())
        sent_back, blanks = data.get("sent_back") or {}, data.get("blanks", True)
        self._history = History(self.id, variants, merge, sent_back, self.needs_ids, private, blanks)
        self._ats = {v.at for v in variants}
        self._choices = {kind for table in compiler.tables.values() for kind in table.kinds}
        self.stream: dict[str, Any] = data["stream"]
        self.events = self._events(compiler, fault)
        self.has_end = any(entry.verb == "end" for lines in self.events.values() for entry in lines)
        padding = frozenset(self.stream.get("padding") or ())
        self.generated_piece = generate.piece_function(compiler, padding) if self.pieces is not None else None
        self.generated_events = self._generated()
        self.passing_keys = padding | generate.passing_keys(compiler)
        said_apart = {"messages", "stream"} if self._paths else {"messages"}  # the path says whether it is a stream
        self._unsaid = [name for name in self._unsaid if name not in said_apart]

    def _variants(self, compiler: Compiler, data: dict[str, Any], fault: Fault) -> list[Variant]:
        variants = []
        for number, source in enumerate(data["messages"]):
            path: n.Path = ("messages", number)
            allowed = {"at", "as", "role", "shape", "each", "spread", "back_only"}
            for key in source:
                if key not in allowed:
                    raise fault((*path, key), f"unknown key `{key}`{n.nearest(str(key), sorted(allowed))}")
            role = source["role"]
            shape = compiler.shape(compiler.notation.read(source["shape"], (*path, "shape")), (*path, "shape"))
            compiler.check(shape.holes(), KINDS["message"], (*path, "shape"))
            variants.append(
                Variant(
                    number,
                    source["at"],
                    tuple(role if isinstance(role, list) else [role]),
                    shape,
                    shape.holes(),
                    shape.tables(),
                    field=source.get("as") == "field",
                    each=bool(source.get("each")),
                    spread=bool(source.get("spread")),
                    back_only=bool(source.get("back_only")),
                )
            )
        return variants

    def _generated(self) -> dict[str, generate.Fast]:
        made = {}
        for name, lines in self.events.items():
            function = generate.event_function(name, [(entry, entry.node) for entry in lines])
            if function is not None:
                made[name] = function
        return made

    def _events(self, compiler: Compiler, fault: Fault) -> dict[str, list[Line]]:
        out: dict[str, list[Line]] = {}
        for name, lines in (self.stream.get("events") or {}).items():
            out[name] = []
            for number, entry in enumerate(lines if isinstance(lines, list) else [lines]):
                path: n.Path = ("stream", "events", name, *([number] if isinstance(lines, list) else []))
                if not isinstance(entry, dict) or len(entry) != 1:
                    raise fault(path, "an event is `verb: shape`")
                word, source = next(iter(entry.items()))
                verb, _, space = str(word).partition("@")
                if verb not in VERBS and verb not in KINDS:
                    raise fault((*path, word), f"unknown verb `{verb}`{n.nearest(str(verb), [*VERBS, *KINDS])}")
                node = compiler.notation.read(source, (*path, word))
                shape = compiler.shape(node, (*path, word))
                compiler.check(shape.holes(), KINDS.get(verb, KINDS["answer"]), (*path, word), KEYS)
                out[name].append(line(verb, space, shape, node))
        return out

    # requests

    def encode_request(
        self, request: Request, losses: list[Loss] | None = None, *, echo: str | None = None
    ) -> dict[str, Any]:
        """The JSON body of a request. What the format has no place for is added to `losses`.

        `echo` is the provider's rule for reasoning of earlier turns: ``always``, ``with_tools`` (only in turns that
        call tools) or ``never``; None leaves it to the format.
        """
        out = Writing(self.id)
        body = self._write(self._narrowed(request), out)
        body.update(self._history.encode(request.messages, out, echo))
        if self.is_own(request):
            for at in (request.extra or {}).get("at", ()):
                body.setdefault(at, [])
        self._lose_unsaid(request, out)
        if losses is not None:
            losses += out.losses
        return body

    def _narrowed(self, request: Request) -> Request:
        """A choice among some of the tools, where the format knows none: one has to be called, and no others are
        offered."""
        choice = request.tool_choice
        if not isinstance(choice, ToolChoice) or choice.kind in self._choices or "any" not in self._choices:
            return request
        names = choice.names or [choice.name or ""]
        offered: list[Tool | Raw] = [tool for tool in request.tools if isinstance(tool, Tool) and tool.name in names]
        return replace(request, tools=offered, tool_choice=ToolChoice("any")) if offered else request

    def decode_request(self, body: dict[str, Any], path: str = "") -> Request:
        """A request as it arrived. Raises MalformedResponseError where the body is none of this format."""
        settings = {k: v for k, v in body.items() if k not in self._ats} if isinstance(body, dict) else body
        own, extra = self._read(settings, path)
        empty = [at for at in self._ats if body.get(at) == []]
        if empty:
            extra["at"] = empty
        return Request(**own, messages=self._history.decode(body), extra=extra)

    # answers

    def decode_answer(self, body: Any) -> Answer:
        """A whole answer. An error object where an answer should be is `Answer.error`.

        Raises MalformedResponseError where it is neither.
        """
        if isinstance(body, list) and self.pieces is not None:
            return self._folded(body)
        return self.settle(self._answered(body, Answer))

    def _folded(self, chunks: list[Any]) -> Answer:
        """A stream's chunks that came as one JSON array."""
        decoder = self.stream_decoder()
        for chunk in chunks:
            decoder.feed(chunk)
        decoder.finish()
        return decoder.partial

    # streams

    def stream_decoder(self, generated: bool = True) -> PieceDecoder | EventDecoder:
        """Reads the JSON of a stream's events; `generated=False` reads by the closures alone (slower, the same
        result)."""
        if self.stream["manner"] == "pieces":
            return PieceDecoder(self, generated)
        return EventDecoder(self, generated)

    def stream_reader(
        self, framing: str | None = None, *, max_event: int = MAX_EVENT, generated: bool = True
    ) -> StreamReader:
        """Reads the bytes of a stream."""
        return StreamReader(self, framing, max_event=max_event, generated=generated)

    def _count(self, usage: Usage | None, out: Writing) -> None:
        """Name the counts that the format has no place for."""
        if usage is None:
            return
        back = self.compiler.usage.decode(self.compiler.usage.encode(usage))
        for f in fields(Usage):
            value = getattr(usage, f.name)
            if f.name not in ("raw", "extra") and value and getattr(back, f.name) != value:
                out.lose(f"usage.{f.name}", value)

    def _word(self, candidate: Candidate, out: Writing) -> Any:
        reason = candidate.finish_reason or "stop"
        if self.finish is None:
            return reason
        if reason not in self.finish.words:
            out.lose("candidate.finish_reason", reason)
            reason = "stop"
        if candidate.stop_sequence is not None:  # some have a word of its own for that
            precise = f"{reason} with stop_sequence"
            word = self.finish.encode(precise)
            if word != precise:
                return word
        return self.finish.encode(reason)

    def named(self, part: Any, index: int) -> Any:
        """A tool call from a wire without ids, with one; anything else as it is."""
        bare = self.needs_ids and isinstance(part, ToolCall) and part.id is None
        own = bare and part.extra and part.extra.get("wire") == self.id
        return replace(part, id=f"call_{index}") if bare and not own else part

    def stream_encoder(self) -> PieceEncoder | EventEncoder:
        """Writes our events as this format's; what finds no place is in its `losses`."""
        return PieceEncoder(self) if self.stream["manner"] == "pieces" else EventEncoder(self)

    def settle(self, answer: Answer) -> Answer:
        """What a wire leaves to be inferred: the assistant's role, what its citations belong to, why it finished."""
        for candidate in answer.candidates:
            message = candidate.message
            message.role = message.role or "assistant"
            texts = [p for p in message.parts if isinstance(p, Text)]
            if candidate.citations:
                message.citations, candidate.citations = [*(message.citations or ()), *candidate.citations], None
            if message.citations and texts:
                for number, cited in placed(message.citations, [text.text for text in texts]).items():
                    texts[number].citations = [*(texts[number].citations or ()), *cited]
                message.citations = None
            candidate.finish_reason = self.finish_reason(candidate)
        return answer

    def finish_reason(self, candidate: Candidate) -> str | None:
        word = candidate.finish_word
        if word is None or word == "":
            return None
        reason = word
        if self.finish is not None:
            reason = self.finish.decode(word)
            if candidate.finish_detail:
                precise = f"{word}:{candidate.finish_detail}"
                found = self.finish.decode(precise)
                reason = found if found != precise else reason
        if reason == "stop" and any(p.kind == "tool_call" for p in candidate.message.parts):
            reason = "tool_calls"
        return reason if isinstance(reason, str) else None

    def encode_answer(self, answer: Answer, losses: list[Loss] | None = None) -> dict[str, Any]:
        """The JSON of a whole answer. What the format has no place for is added to `losses`."""
        out = Writing(self.id, answer=True)
        if answer.error is not None and not answer.candidates and answer.extra and answer.extra.get("wire") == self.id:
            return dict(answer.extra.get("rest") or {"error": answer.error})
        body = self.answers.write_one(self.worded(answer, out), {}, out)
        if losses is not None:
            losses += out.losses
        return body if isinstance(body, dict) else {}

    def worded(self, answer: Answer, out: Writing) -> Answer:
        """A copy whose finish words are this wire's own, and whose calls have the ids that others leave out. An
        answer that does not say why it ended has simply ended."""
        candidates = []
        said = answer.candidates
        if not said and not (answer.extra and answer.extra.get("wire") == self.id):
            said = [Candidate(Message("assistant"), answer.finish_reason)]
        self._count(answer.usage, out)
        for number, c in enumerate(said):
            own = bool(c.extra) and (c.extra or {}).get("wire") == self.id
            if not own or self.finish_reason(c) != c.finish_reason:
                word = self._word(c, out)
                detail = None
                if isinstance(word, str) and ":" in word:
                    word, detail = word.split(":", 1)
                index = c.index if c.index is not None else number
                c = replace(c, finish_word=word, finish_detail=detail, index=index)
                if not own:
                    parts = [self.named(part, i) for i, part in enumerate(c.message.parts)]
                    c.message = replace(c.message, parts=parts)
            candidates.append(c)
        return replace(answer, candidates=candidates)


def _voices(merge: list[Any]) -> list[list[str]]:
    return [voice if isinstance(voice, list) else [voice] for voice in merge]
