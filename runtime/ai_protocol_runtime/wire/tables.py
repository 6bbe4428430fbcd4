"""Tables: lists of unlike things, each kind with the shapes it may have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ai_protocol_runtime.types import Message, Raw, Text

from .kinds import DERIVED, SERVICES, Kind
from .objects import ObjShape
from .operators import FAIL, KEEP, MISSING
from .shapes import Captures, HoleShape, Shape, ThingShape, Writing

_ASKED = frozenset(asked for asked, _ in SERVICES.values())
"""The requests themselves: of these a field's name says enough."""


@dataclass(slots=True)
class Variant:
    kind: Kind
    number: int
    shape: Shape
    holes: set[str]
    outer: set[str]  # holes that belong to what stands around the thing
    required: set[str]


@dataclass(slots=True)
class Group:
    """A wrapper around several things of an inner table: reading spreads its things into the list, writing wraps
    again."""

    shape: ObjShape
    inner: Table
    hole: str  # the list that the inner things are read into


class Table:
    """Reads and writes the things of one table. Filled by the compiler after it is made, because tables may name
    each other.

    A thing's `extra` says ``alt: [table, kind, variant]``, the home it came from.
    """

    def __init__(self, name: str, wire: str, private: frozenset[str], derived: frozenset[str]) -> None:
        self.name, self.wire, self.private, self.derived = name, wire, private, derived
        self.keep_raw = True
        self.kinds: dict[str, list[Variant]] = {}
        self.variants: list[Variant] = []
        self.group: Group | None = None
        self.outer: set[str] = set()
        self.numbered = False  # whether its items have ids that hold their number
        self._objects = False
        self._key: str | None = None
        self._by_value: dict[Any, list[Variant]] = {}
        self._rest: list[Variant] = []

    def ready(self) -> None:
        """Called once all variants are there: prepares the dispatch on the constant that tells most of them apart."""
        self.variants = [v for vs in self.kinds.values() for v in vs]
        self.outer = set().union(*(v.outer for v in self.variants)) if self.variants else set()
        constants = [
            {e.first: e.const for e in v.shape.must if isinstance(e.const, str)}
            if isinstance(v.shape, ObjShape)
            else {}
            for v in self.variants
        ]
        self._objects = not self.variants or any(isinstance(v.shape, ObjShape) for v in self.variants)
        self.keep_raw = self.keep_raw and self._objects  # a table of texts has no place for anything else
        shapes = [v.shape for v in self.variants] + ([self.group.shape] if self.group is not None else [])
        entries = [e.shape for shape in shapes if isinstance(shape, ObjShape) for e in shape.entries]
        self.numbered = any(isinstance(shape, HoleShape) and shape.numbered for shape in entries)
        counts: dict[str, int] = {}
        for const in constants:
            for key in const:
                counts[key] = counts.get(key, 0) + 1
        if counts:
            key = self._key = max(counts, key=lambda k: counts[k])
            for value in {c[key] for c in constants if key in c}:
                self._by_value[value] = [
                    v for v, c in zip(self.variants, constants, strict=True) if c.get(key, value) == value
                ]
        self._rest = [v for v, c in zip(self.variants, constants, strict=True) if self._key not in c]

    # reading

    def read_one(self, value: Any, got: Captures, used: set[str] | None = None) -> Any:
        """The thing this value is; a Raw where no shape fits (or FAIL, if the table says so)."""
        candidates = self.variants
        if self._key is not None and type(value) is dict:
            mark = value.get(self._key)
            candidates = self._by_value.get(mark, self._rest) if isinstance(mark, str) else self._rest
        for v in candidates:
            own: Captures = {}
            if used is None:
                left = v.shape.match(value, own)
            else:
                left = v.shape.match(value, own, used)  # type: ignore[call-arg]
            if left is FAIL:
                continue
            for name in v.outer:
                if name in own:
                    got[name] = own.pop(name)
            thing = v.kind.make(own)
            extra: Captures = {"wire": self.wire, "alt": [self.name, v.kind.name, v.number]}
            if left is not None and left is not KEEP:
                extra["rest"] = left
            thing.extra = extra
            return thing
        return self._raw(value) if self.keep_raw and used is None else FAIL

    def _raw(self, value: Any) -> Raw:
        return Raw(value, {"wire": self.wire, "alt": [self.name, "raw", 0]})

    def read_all(self, values: list[Any], got: Captures) -> Any:
        things: list[Any] = []
        for number, value in enumerate(values):
            inner, mark = self._read_group(value)
            if mark is not None:
                mark["n"] = number
                things += inner or [self._raw(value)]
                continue
            thing = self.read_one(value, got)
            if thing is FAIL:
                return FAIL
            things.append(thing)
        return things

    def read_element(self, value: Any) -> tuple[list[Any], Captures | None]:
        inner, mark = self._read_group(value)
        return (inner, mark) if mark is not None else ([self.read_one(value, {})], None)

    def _read_group(self, value: Any) -> tuple[list[Any], Captures | None]:
        own: Captures = {}
        left = self.group.shape.match(value, own) if self.group is not None else FAIL
        if left is FAIL or self.group is None:
            return [], None
        mark: Captures = {"n": 0}
        if left is not None and left is not KEEP:
            mark["rest"] = left
        things = own.get(self.group.hole, [])
        for thing in things:
            thing.extra["group"] = mark
        return things, mark

    # writing

    def is_home(self, thing: Any) -> bool:
        extra = thing.extra
        if not extra or extra.get("wire") != self.wire or "alt" not in extra:
            return False
        home = extra["alt"][0]
        return bool(home == self.name or (self.group is not None and home == self.group.inner.name))

    def takes(self, thing: Any) -> bool:
        """Whether this thing can be written here at all."""
        kind = thing.kind
        if kind == "raw":
            return self.is_home(thing) or self._as_given(thing)
        if kind in self.private and self._stranger(thing):
            return False
        for v in self.kinds.get(kind, ()):
            for name in v.required:  # a loop, for it is asked of every part and table
                if getattr(thing, name, None) is None:
                    break
            else:
                if _has_room(v.shape, thing):
                    return True
        return self.group is not None and self.group.inner.takes(thing)

    def write_one(self, thing: Any, around: Captures, out: Writing, strict: bool = False) -> Any:
        """The thing as JSON, in the variant it came from or else the one that loses least. With `strict` nothing
        may be lost."""
        own = bool(thing.extra) and thing.extra.get("wire") == self.wire
        if thing.kind == "raw":
            if (own and thing.extra["alt"][0] == self.name) or self._as_given(thing):
                out.filled += 1
                return thing.value
            return MISSING
        variants = self.kinds.get(thing.kind)
        if not variants:
            return MISSING
        kind = variants[0].kind
        src: Captures = {name: getattr(thing, name) for name in kind.ordered}
        if src.get("role") == "":
            src["role"] = None  # not said
        hidden: list[str] = []
        if thing.kind in self.private and self._stranger(thing):
            return MISSING
        if not out.answer and self._stranger(thing):
            hidden = [name for name in self.private if src.get(name) not in (None, "", [])]
            for name in hidden:
                src[name] = None
        carried = [name for name, value in src.items() if name not in DERIVED and not _empty(value)]
        if own:
            carried = [name for name in carried if name not in self.derived]
        home: Variant | None = None
        rest = None
        if own and thing.extra.get("alt", ("",))[0] == self.name and thing.extra["alt"][1] == thing.kind:
            number = thing.extra["alt"][2]
            home = variants[number] if number < len(variants) else None
            rest = thing.extra.get("rest")
        order = variants
        if len(variants) > 1:
            order = sorted(variants, key=lambda v: (v is not home, sum(name not in v.holes for name in carried)))
        for v in order:
            lost = [f for f in carried if f not in v.holes and f"{thing.kind}.{f}" not in DERIVED]
            if strict and lost:
                continue
            mark = out.mark()
            if "citations" in v.holes and "parts" in v.holes:
                src = lifted(src, out, self.wire, self.private)
            if v.outer:
                src.update({name: around.get(name) for name in v.outer})
            value = v.shape.build(src, rest if v is home else None, out)
            if value is MISSING:
                out.undo(mark)
                continue
            for loss in out.losses[mark[1] :] if thing.kind not in _ASKED else ():
                if "." not in loss.what:  # a hole knows its own name only
                    loss.what = f"{thing.kind}.{loss.what}"
            # there because it was there, or because its constants say it all
            out.filled += v is home or not v.holes - v.outer
            for name in lost:
                out.lose(f"{thing.kind}.{name}", src[name])
            for name in hidden:
                out.lose(f"{thing.kind}.{name}", getattr(thing, name), "only the wire it came from can read it")
            return value
        return MISSING

    def write_all(self, things: list[Any], around: Captures, out: Writing) -> list[Any]:
        written: list[Any] = []
        at = 0
        while at < len(things):
            thing = things[at]
            grouped = self.group is not None and thing.kind not in self.kinds and self._grouped(thing)
            if grouped and self.group is not None:
                mark = self.mark(thing)
                end = at + 1
                while end < len(things) and self._grouped(things[end]) and self.mark(things[end]) == mark:
                    end += 1
                rest = mark.get("rest") if mark else None
                value = self.group.shape.build({self.group.hole: things[at:end]}, rest, out)
                at = end
            else:
                value = self.write_one(thing, around, out)
                at += 1
            if value is MISSING:
                out.lose(thing.kind, _shown(thing))
            else:
                written.append(value)
                out.item += self.numbered
        return written

    def write_element(self, things: list[Any], mark: Captures | None, out: Writing) -> Any:
        """One element of a list, as stream events give it; `mark`: it is a group."""
        if mark is None:
            return self.write_one(things[0], {}, out)
        assert self.group is not None
        return self.group.shape.build({self.group.hole: things}, mark.get("rest"), out)

    def _grouped(self, thing: Any) -> bool:
        assert self.group is not None
        if thing.kind == "raw":
            return self.group.inner.is_home(thing)
        return thing.kind in self.group.inner.kinds

    def _as_given(self, thing: Any) -> bool:
        """A raw thing that comes from no wire is the caller's own, and goes out as it is where an object may stand."""
        return self.keep_raw and not thing.extra and self._objects

    def _stranger(self, thing: Any) -> bool:
        """Whether it is known to come from another wire."""
        return bool(thing.extra) and thing.extra.get("wire", self.wire) != self.wire

    def mark(self, thing: Any) -> Captures | None:
        """Of the wrapper that a thing came in."""
        own = thing.extra and thing.extra.get("wire") == self.wire
        mark: Captures | None = thing.extra.get("group") if own else None
        return mark


def lifted(src: Captures, out: Writing, wire: str, private: frozenset[str]) -> Captures:
    """For a wire that gives citations for the message as a whole: those of its texts (in a request, if they are its
    own)."""
    texts = [p for p in src["parts"] if isinstance(p, Text) and p.citations]
    if not texts:
        return src
    if not out.answer and "citations" in private:
        strange = [p for p in texts if p.extra and p.extra.get("wire", wire) != wire]
        for p in strange:
            out.lose("text.citations", p.citations, "only the wire it came from can read it")
        texts = [p for p in texts if p not in strange]
    parts = [replace(p, citations=None) if isinstance(p, Text) and p.citations else p for p in src["parts"]]
    cited = [*(src.get("citations") or []), *(c for p in texts for c in p.citations or ())]
    return {**src, "parts": parts, "citations": cited}


def _has_room(shape: Shape, thing: Any) -> bool:
    """Whether a shape that is one thing of a list can say all of that list."""
    if not isinstance(shape, ThingShape) or not shape.is_list or shape.joined:
        return True
    things = getattr(thing, shape.name)
    return len(things) == 1 and shape.table.takes(things[0])


def _empty(value: Any) -> bool:
    return value in (None, "", []) or (isinstance(value, Message) and not value.parts and not value.citations)


def _shown(thing: Any) -> Any:
    for name in ("text", "name", "url", "file_id", "value"):
        shown = getattr(thing, name, None)
        if shown:
            return shown
    return thing.kind


def required_of(shape: Shape) -> set[str]:
    """Fields a thing must have for this shape to be written."""
    if isinstance(shape, ObjShape):
        found = set(shape.required)
        for e in shape.entries:
            if not e.optional and isinstance(e.shape, ObjShape):
                found |= required_of(e.shape)
        return found
    return set()
